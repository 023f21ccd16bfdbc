/** Several functions of one tensor of bytes as one table: the same bytes as the operators one by one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import { loadModule, loadPlan, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, node, tensor } from "./graphs.ts";

const ROUNDS = 6;
const X = Int8Array.from({ length: 256 }, (_, i) => i - 128);

/** Numbers in [0, 1) by a linear congruence. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const bytewise = (Object.keys(operators) as OpKind[]).filter((kind) => operators[kind]?.bytes !== undefined);
const PAIRS: readonly string[] = ["add", "sub", "mul"];
const ROUNDINGS = [undefined, { rule: "onnx", lo: -100, hi: 120 }, { rule: "qlinear", lo: -128, hi: 127 }] as const;

/** Attributes of those that have some. */
const ATTRIBUTES: { readonly [kind: string]: object } = {
  leakyRelu: { alpha: 0.3 },
  lookup: { table: Uint8Array.from({ length: 256 }, (_, i) => (i * 37) & 255) },
};

/** x → kind → y → quantize → z, of two operands x and x, or x and one number. */
function chainOf(
  kind: OpKind,
  attributes: object,
  second: "itself" | "constant" | "none",
  random: () => number,
): Graph {
  const affine = (scale: number): Partial<Tensor> => ({
    quantization: { scale: [Math.fround(scale)], zeroPoint: [Math.floor(random() * 256) - 128], axis: 0 },
  });
  const about = (scale: number) => affine(scale * 4 ** (random() - 0.5));
  const tensors = [
    tensor("x", [1, 256], about(0.05)),
    tensor("c", [1], { ...about(0.05), data: Uint8Array.of(Math.floor(random() * 256)) }),
    tensor("y", [1, 256], about(0.05)),
    tensor("z", [1, 256], about(0.05)),
  ];
  const inputs = { itself: [0, 0], constant: random() < 0.5 ? [0, 1] : [1, 0], none: [0] }[second];
  return graph(tensors, [node(kind, inputs, [2], attributes as never), node("quantize", [2], [3], {})], [0], [3]);
}

async function bytesOf(network: Graph, module: "scalar" | "simd"): Promise<Int8Array> {
  const { name, hash } = await loadModule(module);
  const model = await loadPlan(writePlan(planGraph(network, { module: name, moduleHash: hash })));
  const { z } = model.run({ x: X });
  return Int8Array.from(z as Int8Array);
}

async function same(network: Graph, what: string): Promise<void> {
  const one = runPasses(network);
  assert.deepEqual(
    one.nodes.map(({ kind }) => kind),
    ["lookup"],
    what,
  );
  for (const module of ["scalar", "simd"] as const) {
    const expected = await bytesOf(runPasses(network, { only: "none" }), module);
    assert.deepEqual(await bytesOf(one, module), expected, `${what}, ${module}`);
  }
}

describe("one table", () => {
  for (const kind of bytewise) {
    const rounded = PAIRS.includes(kind) ? ROUNDINGS : [undefined];
    for (const rounding of rounded)
      test(`of ${kind}${rounding ? ` by ${rounding.rule}` : ""} and what rescales it`, async () => {
        const random = numbers(7 + kind.length);
        for (let round = 0; round < ROUNDS; round++) {
          const activation = (["none", "relu", "relu6"] as const)[round % 3] as string;
          const own = PAIRS.includes(kind) ? { activation, ...(rounding && { rounding }) } : (ATTRIBUTES[kind] ?? {});
          const seconds = PAIRS.includes(kind) ? (["itself", "constant"] as const) : (["none"] as const);
          for (const second of seconds) await same(chainOf(kind, own, second, random), `${round}, ${second}`);
        }
      });
  }

  const four = ["x", "s", "y", "t"].map((name) => tensor(name, [1, 8]));
  const kinds = (network: Graph) => runPasses(network).nodes.map(({ kind }) => kind);
  const swish = [node("logistic", [0], [1], {}), node("mul", [0, 1], [2], { activation: "none" })];

  test("of x · sigmoid(x)", () => assert.deepEqual(kinds(graph(four, swish, [0], [2])), ["lookup"]));
  test("not of a chain whose middle is read by others", () => {
    const chain = [node("logistic", [0], [1], {}), node("quantize", [1], [2], {})];
    assert.deepEqual(kinds(graph(four, chain, [0], [1, 2])), ["logistic", "quantize"]);
  });
  test("not of two tensors", () => {
    const two = [node("logistic", [3], [1], {}), node("mul", [0, 1], [2], { activation: "none" })];
    assert.deepEqual(kinds(graph(four, two, [0, 3], [2])), ["logistic", "mul"]);
  });
  test("not where numbers are spread over a shape", () => {
    const spread = [tensor("x", [1]), tensor("c", [1, 1], { data: Uint8Array.of(9) }), ...four.slice(2)];
    const plain = [
      tensor("x", [8]),
      tensor("c", [2, 8], { data: new Uint8Array(16) }),
      tensor("y", [2, 8]),
      four[3] as Tensor,
    ];
    const chain = [node("add", [0, 1], [2], { activation: "none" }), node("logistic", [2], [3], {})];
    assert.deepEqual(kinds(graph(plain, chain, [0], [3])), ["add", "logistic"]);
    assert.deepEqual(kinds(graph(spread, chain, [0], [3])), ["add", "logistic"]);
  });
  test("not of state", () => {
    const state = four.map((t, i) => (i === 0 ? { ...t, variable: true, data: new Uint8Array(8) } : t));
    assert.deepEqual(kinds(graph(state, swish, [], [2])), ["logistic", "mul"]);
  });
});
