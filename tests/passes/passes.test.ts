import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyNode, Graph } from "../../bindings/graph.ts";
import { dropDead, foldConstants } from "../../bindings/passes/fold.ts";
import { fuseActivations } from "../../bindings/passes/fuse.ts";
import { inferTypes } from "../../bindings/passes/infer.ts";
import { foldPad } from "../../bindings/passes/pad.ts";
import { makeSigned } from "../../bindings/passes/signed.ts";
import { GREATEST_FLOAT, type Tensor } from "../../bindings/tensor.ts";
import { CONV, fakeOperators, graph, id, int32, node, tensor } from "./graphs.ts";

const kinds = ({ nodes }: Graph) => nodes.map(({ kind }) => kind);
const attributes = (network: Graph, i: number) => network.nodes[i]?.attributes as { [name: string]: unknown };

describe("inferTypes", () => {
  test("hands each inferred type on to the nodes after", () => {
    const double: AnyNode[] = [node("relu", [0], [1], {}), node("relu", [1], [2], {})];
    const network = graph([tensor("x", [3, 4]), tensor("y", [1, 4]), tensor("z", [9])], double, [0], [2]);
    const infer = ({ inputs }: { readonly inputs: readonly ({ readonly shape: readonly number[] } | undefined)[] }) => [
      { dtype: "int8" as const, shape: inputs[0]?.shape ?? [] },
    ];
    const inferred = inferTypes(network, fakeOperators({ relu: { infer } }));
    assert.deepEqual(
      inferred.tensors.map(({ shape }) => shape),
      [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
    );
    assert.deepEqual(network.tensors[2]?.shape, [9], "the graph given is not changed");
  });

  test("refuses a node with fewer outputs than its operator has", () => {
    const network = graph([tensor("x", [1])], [node("relu", [0], [], {})], [0], [0]);
    const operators = fakeOperators({ relu: { infer: () => [{ dtype: "int8", shape: [1] }] } });
    assert.throws(() => inferTypes(network, operators), /expected 1 outputs, received 0/);
  });
});

describe("foldConstants", () => {
  const constant = tensor("c", [4], { data: Uint8Array.of(1, 2, 3, 4) });
  const network = graph(
    [constant, tensor("d", [4]), tensor("e", [2, 2]), tensor("x", [2, 2]), tensor("y", [2, 2])],
    [node("relu", [0], [1], {}), node("reshape", [1], [2], {}), node("add", [2, 3], [4], { activation: "none" })],
    [3],
    [4],
  );
  const operators = fakeOperators({
    relu: { fold: ({ inputs }) => [Uint8Array.from(inputs[0]?.data ?? [], (byte) => byte * 2)] },
    reshape: { alias: true },
  });

  test("computes what depends on constants only, through aliases", () => {
    const folded = foldConstants(network, operators);
    assert.deepEqual(kinds(folded), ["add"]);
    assert.deepEqual(folded.tensors[2]?.data, Uint8Array.of(2, 4, 6, 8));
    assert.equal(network.tensors[2]?.data, undefined);
  });

  test("leaves a node whose result would be far larger than its constants", () => {
    const wide = { ...network, tensors: network.tensors.map((t, i) => (i === 1 ? { ...t, shape: [1 << 20] } : t)) };
    assert.deepEqual(kinds(foldConstants(wide, operators))[0], "relu");
  });

  test("leaves state alone", () => {
    const state = { ...network, tensors: network.tensors.map((t, i) => (i === 0 ? { ...t, variable: true } : t)) };
    assert.deepEqual(kinds(foldConstants(state, operators)), ["relu", "reshape", "add"]);
  });
});

describe("dropDead", () => {
  test("removes what no output needs, and what only that needed", () => {
    const four = [0, 1, 2, 3].map((i) => tensor(`${i}`, [1]));
    const network = graph(
      four,
      [node("relu", [0], [1], {}), node("relu", [1], [2], {}), node("tanh", [0], [3], {})],
      [0],
      [3],
    );
    assert.deepEqual(kinds(dropDead(network)), ["tanh"]);
  });
});

describe("foldPad", () => {
  const padded = (
    paddings: readonly number[],
    rest: { value?: number; scale?: number; padding?: "same" | "valid" } = {},
  ) => {
    const { value, scale = 0.5, padding = "valid" } = rest;
    const quantization = { scale: [scale], zeroPoint: [-3], axis: 0 };
    return graph(
      [
        tensor("x", [1, 4, 4, 2]),
        tensor("paddings", [4, 2], { dtype: "int32", data: int32(...paddings) }),
        tensor("value", [], { data: Uint8Array.of(value ?? 0) }),
        tensor("p", [1, 7, 6, 2], { quantization }),
        tensor("w", [3, 3, 3, 2], { data: new Uint8Array(54) }),
        tensor("y", [1, 5, 4, 3]),
      ],
      [
        node("pad", value === undefined ? [0, 1] : [0, 1, 2], [3], {}),
        node("conv2d", [3, 4], [5], { ...CONV, padding }),
      ],
      [0],
      [5],
    );
  };
  const rows = [0, 0, 1, 2, 1, 1, 0, 0];
  const folds = (network: Graph) => {
    const folded = foldPad(network);
    return folded.nodes[1]?.inputs[0] === 0 ? attributes(folded, 1).padding : undefined;
  };

  test("gives its edges to a valid convolution", () => {
    assert.deepEqual(folds(padded(rows)), { top: 1, bottom: 2, left: 1, right: 1 });
    assert.deepEqual(folds(padded(rows, { value: 253 })), { top: 1, bottom: 2, left: 1, right: 1 });
  });
  test("stays where the value is not the zero point", () => assert.equal(folds(padded(rows, { value: 0 })), undefined));
  test("stays where channels or images are padded", () => {
    assert.equal(folds(padded([0, 0, 1, 1, 1, 1, 0, 1])), undefined);
    assert.equal(folds(padded([1, 0, 1, 1, 1, 1, 0, 0])), undefined);
  });
  test("stays where amounts are negative", () => assert.equal(folds(padded([0, 0, -1, 2, 1, 1, 0, 0])), undefined));
  test("stays where the quantization changes", () => assert.equal(folds(padded(rows, { scale: 0.25 })), undefined));
  test("stays before a same convolution", () => assert.equal(folds(padded(rows, { padding: "same" })), undefined));
});

describe("foldPad into pools", () => {
  const LEAST = { int8: -128, float32: -Infinity, uint8: 0 };
  const POOL = { filter: [3, 2], stride: [2, 2], padding: "valid", activation: "none" } as const;
  /** A pool behind a PAD; the padding that it takes over. */
  const taken = (
    dtype: keyof typeof LEAST,
    value: number,
    edges: readonly number[],
    kind: "maxPool2d" | "averagePool2d",
  ) => {
    const bytes = { int8: Int8Array, float32: Float32Array, uint8: Uint8Array }[dtype].of(value);
    const of = dtype === "float32" ? { dtype, quantization: undefined } : { dtype };
    const [top = 0, bottom = 0, left = 0, right = 0] = edges;
    const typed = (name: string, shape: readonly number[], rest: object = {}) =>
      ({ ...tensor(name, shape), ...of, ...rest }) as Tensor;
    const network = graph(
      [
        typed("x", [1, 4, 4, 2]),
        tensor("paddings", [4, 2], { dtype: "int32", data: int32(0, 0, ...edges, 0, 0) }),
        typed("value", [], { data: new Uint8Array(bytes.buffer) }),
        typed("p", [1, 4 + top + bottom, 4 + left + right, 2]),
        typed("y", [1, 2, 3, 2]),
      ],
      [node("pad", [0, 1, 2], [3], {}), node(kind, [3], [4], POOL)],
      [0],
      [4],
    );
    const folded = foldPad(network);
    return folded.nodes[1]?.inputs[0] === 0 ? attributes(folded, 1).padding : undefined;
  };
  const edges = [1, 2, 1, 0];

  test("of maxima, where the value is no maximum", () => {
    for (const [dtype, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
      assert.deepEqual(taken(dtype, least, edges, "maxPool2d"), { top: 1, bottom: 2, left: 1, right: 0 });
      if (dtype !== "float32") assert.equal(taken(dtype, least + 1, edges, "maxPool2d"), undefined);
    }
    assert.deepEqual(taken("float32", -GREATEST_FLOAT, edges, "maxPool2d"), { top: 1, bottom: 2, left: 1, right: 0 });
    assert.equal(taken("float32", -1e30, edges, "maxPool2d"), undefined);
    assert.equal(taken("float32", 0, edges, "maxPool2d"), undefined);
  });
  test("stays before means, and where a window has no element", () => {
    assert.equal(taken("float32", -Infinity, edges, "averagePool2d"), undefined);
    assert.equal(taken("int8", -128, [3, 0, 0, 0], "maxPool2d"), undefined);
    assert.equal(taken("int8", -128, [0, 0, 0, 2], "maxPool2d"), undefined);
  });
});

describe("fuseActivations", () => {
  const clamped = (
    activation: "none" | "relu" | "relu6" | "reluN1To1",
    kind: "relu" | "relu6" | "reluN1To1",
    scale = 0.5,
  ) => {
    const quantization = { scale: [scale], zeroPoint: [-3], axis: 0 };
    return graph(
      [tensor("x", [4]), tensor("s", [4]), tensor("y", [4], { quantization }), tensor("z", [4], { quantization })],
      [node("add", [0, 0], [1], { activation }), node(kind, [1], [2], {}), node("tanh", [2], [3], {})],
      [0],
      [3],
    );
  };

  test("moves a clamp of the same integers into the operator before", () => {
    for (const kind of ["relu", "relu6", "reluN1To1"] as const) {
      const fused = fuseActivations(clamped("none", kind));
      assert.deepEqual(kinds(fused), ["add", "tanh"]);
      assert.equal(attributes(fused, 0).activation, kind);
      assert.deepEqual(fused.nodes[0]?.outputs, [2]);
    }
  });
  test("joins two clamps where one says both", () => {
    assert.equal(attributes(fuseActivations(clamped("relu", "relu6")), 0).activation, "relu6");
    assert.equal(attributes(fuseActivations(clamped("relu6", "relu")), 0).activation, "relu6");
    assert.deepEqual(kinds(fuseActivations(clamped("relu6", "reluN1To1"))), ["add", "reluN1To1", "tanh"]);
  });
  test("stays where the quantization changes", () =>
    assert.deepEqual(kinds(fuseActivations(clamped("none", "relu", 0.25))), ["add", "relu", "tanh"]));
  test("stays where something else reads the unclamped result", () => {
    const network = clamped("none", "relu");
    const both = { ...network, outputs: [...network.outputs, { name: "s", tensor: id(1) }] };
    assert.deepEqual(kinds(fuseActivations(both)), ["add", "relu", "tanh"]);
  });
});

describe("makeSigned", () => {
  const quantized = (zeroPoint: number, rest: Partial<Tensor>) =>
    tensor("w", [4], { dtype: "uint8", quantization: { scale: [0.5], zeroPoint: [zeroPoint], axis: 0 }, ...rest });
  const data = Uint8Array.of(0, 1, 127, 255);
  const run = (x: Partial<Tensor>) => {
    const tensors = [tensor("x", [4], x), quantized(3, { data }), tensor("y", [4], x)];
    return makeSigned(graph(tensors, [node("mul", [0, 1], [2], { activation: "none" })], [0], [2])).tensors[1];
  };

  test("flips the top bit of legacy weights", () => {
    const weights = run({ dtype: "uint8" });
    assert.deepEqual(weights?.data, Uint8Array.of(128, 129, 255, 127));
    assert.deepEqual([weights?.dtype, weights?.quantization?.zeroPoint], ["int8", [-125]]);
  });

  test("takes weights beside floats for the bytes of int8 that older converters wrote", () => {
    const weights = run({ dtype: "float32" });
    assert.deepEqual(weights?.data, data);
    assert.deepEqual([weights?.dtype, weights?.quantization?.zeroPoint], ["int8", [0]]);
  });
});
