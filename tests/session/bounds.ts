/** Networks whose data can ask for more than a plan has room for, in every place where such sizes are, and what they give. */
import type { AnyNode, Graph } from "../../bindings/graph.ts";
import type { Tensor, TypedArray } from "../../bindings/tensor.ts";
import { graph, int32, node } from "../passes/graphs.ts";

const plus = { activation: "none" } as const;
const OPEN = 65536;

const integer = (name: string, ...values: number[]): Tensor => ({
  name,
  dtype: "int32",
  shape: [],
  ...(values.length > 0 && { data: int32(...values) }),
});
export const vector = (name: string, size: number, ...values: number[]): Tensor => ({
  ...integer(name, ...values),
  shape: [size],
});
const reals = (name: string, shape: readonly number[], rest: Partial<Tensor> = {}): Tensor => ({
  name,
  dtype: "float32",
  shape,
  ...rest,
});
const bool = (name: string): Tensor => ({ name, dtype: "bool", shape: [] });
const control = (kind: "while" | "if", inputs: number[], outputs: number[], bodies: readonly Graph[]): AnyNode =>
  node(kind, inputs, outputs, { subgraphs: [], bodies });
const total = { keepDims: false };

/** 0 + 1 + … + (n − 1), of a tensor that is nothing but summed. */
export const SUM = graph(
  [integer("n"), integer("0", 0), integer("1", 1), vector("range", 1), vector("axes", 1, 0), integer("y")],
  [node("range", [1, 0, 2], [3], {}), node("sum", [3, 4], [5], total)],
  [0],
  [5],
);
const sumOf = (n: number) => Number(BigInt.asIntN(32, (BigInt(n) * BigInt(n - 1)) / 2n));

/** n, as the number of elements of a tensor that is filled and never read. */
const SIZE = graph(
  [integer("n"), vector("sizes", 1), reals("value", [], { data: new Uint8Array(4) }), reals("filled", [1])].concat(
    vector("shape", 1),
    vector("one", 1, 1),
  ),
  [
    node("reshape", [0, 5], [1], { shape: [1] }),
    node("fill", [1, 2], [3], {}),
    node("shape", [3], [4], { dtype: "int32" }),
  ],
  [0],
  [4],
);

const BELOW = graph(
  [reals("v", [2]), integer("i"), integer("n"), bool("more")],
  [node("less", [1, 2], [3], {})],
  [0, 1, 2],
  [3],
);
/** A list that grows by a 1 for each turn; of it the sum, or the number of turns, comes out. */
function grown(output: "sum" | "turns"): Graph {
  const one = new Uint8Array(Float32Array.of(1).buffer);
  const longer = graph(
    [reals("v", [2]), integer("i"), integer("n"), reals("one", [1], { data: one }), reals("next", [3])].concat(
      integer("1", 1),
      integer("after"),
    ),
    [node("concat", [0, 3], [4], { axis: 0, ...plus }), node("add", [1, 5], [6], plus)],
    [0, 1, 2],
    [4, 6, 2],
  );
  return graph(
    [reals("v", [2], { data: new Uint8Array(Float32Array.of(1, 1).buffer) }), integer("i", 2), integer("n")].concat(
      reals("list", [2]),
      integer("turns"),
      integer("n2"),
      vector("axes", 1, 0),
      reals("sum", []),
    ),
    [control("while", [0, 1, 2], [3, 4, 5], [BELOW, longer]), node("sum", [3, 6], [7], total)],
    [2],
    [output === "sum" ? 7 : 4],
  );
}

/** 1 + 1 for each place below n that is padded with `before` zeros: the places themselves have rows, the zeros too. */
const PADDED = graph(
  [integer("n"), vector("pads", 2), integer("0", 0), integer("1", 1), vector("range", 1), vector("padded", 1)].concat(
    vector("axes", 1, 0),
    integer("y"),
    { ...vector("two", 2, 1, 2) },
    { ...vector("square", 2), shape: [1, 2] },
  ),
  [
    node("range", [2, 0, 3], [4], {}),
    node("reshape", [1, 8], [9], { shape: [1, 2] }),
    node("pad", [4, 9], [5], {}),
    node("sum", [5, 6], [7], total),
  ],
  [0, 1],
  [7],
);

/** Over three turns the sum of SUM(a), SUM(b), SUM(c), so that what is too much stands in the middle. */
const TURNS = (() => {
  const [more, next] = [
    graph(
      [integer("i"), integer("sum"), vector("n", 3), integer("3", 3), bool("more")],
      [node("less", [0, 3], [4], {})],
      [0, 1, 2],
      [4],
    ),
    graph(
      [
        integer("i"),
        integer("sum"),
        vector("n", 3),
        integer("own"),
        integer("0", 0),
        integer("1", 1),
        vector("range", 1),
      ].concat(vector("axes", 1, 0), integer("part"), integer("next"), integer("after")),
      [
        node("gather", [2, 0], [3], { axis: 0, batchDims: 0 }),
        node("range", [4, 3, 5], [6], {}),
        node("sum", [6, 7], [8], total),
        node("add", [1, 8], [9], plus),
        node("add", [0, 5], [10], plus),
      ],
      [0, 1, 2],
      [10, 9, 2],
    ),
  ];
  return graph(
    [integer("i", 0), integer("start", 0), vector("n", 3), integer("i2"), integer("y"), vector("n2", 3)],
    [control("while", [0, 1, 2], [3, 4, 5], [more, next])],
    [2],
    [4],
  );
})();

/** SUM(n) or, where the condition does not hold, n. */
const BRANCH = (() => {
  const no = graph([integer("n")], [], [0], [0]);
  return graph([bool("is"), integer("n"), integer("y")], [control("if", [0, 1], [2], [SUM, no])], [0, 1], [2]);
})();

/**
 * Turns that a run may not take, each of which asks for more than the one before: a list that grows by SUM(m · i), as
 * often as n says. From turn 66 on there is no room.
 */
const RISING = (() => {
  const [more, next] = [
    graph(
      [integer("i"), vector("v", 1), integer("n"), integer("m"), bool("more")],
      [node("less", [0, 2], [4], {})],
      [0, 1, 2, 3],
      [4],
    ),
    graph(
      [integer("i"), vector("v", 1), integer("n"), integer("m"), integer("most"), integer("0", 0)].concat(
        integer("1", 1),
        vector("range", 1),
        vector("axes", 1, 0),
        vector("part", 1),
        vector("next", 2),
        integer("after"),
      ),
      [
        node("mul", [0, 3], [4], plus),
        node("range", [5, 4, 6], [7], {}),
        node("sum", [7, 8], [9], { keepDims: true }),
        node("concat", [1, 9], [10], { axis: 0, ...plus }),
        node("add", [0, 6], [11], plus),
      ],
      [0, 1, 2, 3],
      [11, 10, 2, 3],
    ),
  ];
  return graph(
    [integer("i", 0), vector("v", 1, 7), integer("n"), integer("m"), integer("turns"), vector("list", 1)].concat(
      integer("n2"),
      integer("m2"),
      vector("axes", 1, 0),
      integer("y"),
    ),
    [control("while", [0, 1, 2, 3], [4, 5, 6, 7], [more, next]), node("sum", [5, 8], [9], total)],
    [2, 3],
    [9],
  );
})();
const rising = (n: number) => Array.from({ length: n }, (_, i) => sumOf(1000 * i)).reduce((a, b) => (a + b) | 0, 7);
const turns = (n: number) => [Int32Array.of(n), Int32Array.of(1000)];

/** Inputs, and what comes of them. */
type Case = readonly [inputs: readonly TypedArray[], result: number | "over"];
const of = (n: number) => [Int32Array.of(n)];
export const CASES: { readonly [name: string]: readonly [graph: Graph, cases: readonly Case[]] } = {
  "a range that is summed": [
    SUM,
    [
      [of(5), 10],
      [of(OPEN + 1), "over"],
      [of(OPEN), sumOf(OPEN)],
      [of(2 ** 31 - 1), "over"],
      [of(0), 0],
    ],
  ],
  "a size alone": [
    SIZE,
    [
      [of(7), 7],
      [of(OPEN + 1), "over"],
      [of(OPEN), OPEN],
      [of(2 ** 30), "over"],
    ],
  ],
  "a list that grows and is summed": [
    grown("sum"),
    [
      [of(9), 9],
      [of(131), "over"],
      [of(130), 130],
      [of(1e6), "over"],
    ],
  ],
  "turns of a list that grows and is nowhere": [
    grown("turns"),
    [
      [of(9), 9],
      [of(131), "over"],
      [of(130), 130],
    ],
  ],
  "rows that are padded": [
    PADDED,
    [
      [[Int32Array.of(4), Int32Array.of(2, 1)], 6],
      [[Int32Array.of(4), Int32Array.of(OPEN, 0)], "over"],
      [[Int32Array.of(0), Int32Array.of(2 ** 20, 0)], "over"],
      [[Int32Array.of(4), Int32Array.of(0, OPEN - 4)], 6],
      [[Int32Array.of(OPEN + 9), Int32Array.of(0, 0)], "over"],
    ],
  ],
  "one turn of several": [
    TURNS,
    [
      [[Int32Array.of(3, 4, 5)], 3 + 6 + 10],
      [[Int32Array.of(3, OPEN + 4, 5)], "over"],
      [[Int32Array.of(1, 2, 3)], 4],
      [[Int32Array.of(2 ** 20, 2, 3)], "over"],
    ],
  ],
  "a branch": [
    BRANCH,
    [
      [[Uint8Array.of(1), Int32Array.of(5)], 10],
      [[Uint8Array.of(0), Int32Array.of(2 ** 20)], 2 ** 20],
      [[Uint8Array.of(1), Int32Array.of(2 ** 20)], "over"],
      [[Uint8Array.of(0), Int32Array.of(2 ** 21)], 2 ** 21],
      [[Uint8Array.of(1), Int32Array.of(3)], 3],
    ],
  ],
  "turns that are not taken": [
    RISING,
    [
      [turns(4), rising(4)],
      [turns(66), rising(66)],
      [turns(67), "over"],
      [turns(0), 7],
      [turns(500), "over"],
    ],
  ],
};
