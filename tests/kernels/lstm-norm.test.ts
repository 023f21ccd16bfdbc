/**
 * LSTM of int8 with more than its gates: the bytes of TensorFlow 2.21's reference kernels (BUILTIN_REF) for weights and inputs of a
 * small generator, two runs one after the other.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AnyNode, type Graph, NONE, type TensorId } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor } from "../../bindings/tensor.ts";

type Part = "sequence" | "timeMajor" | "cifg" | "peephole" | "norm" | "projection";

interface Case {
  readonly seed: number;
  /** Batch, time, inputs, cells, outputs. */
  readonly sizes: readonly number[];
  readonly has: readonly Part[];
  /** Of the input, the output, and the output before a projection. */
  readonly zeroPoints: readonly number[];
  /** Of the cell and of the projection. */
  readonly clips: readonly number[];
  readonly first: readonly number[];
  readonly second: readonly number[];
}

const CASES: readonly Case[] = [
  {
    seed: 1,
    sizes: [2, 1, 5, 4, 4],
    has: ["peephole"],
    zeroPoints: [3, 0, 0],
    clips: [0.0, 0.0],
    first: [-13, 21, -6, -24, -1, -2, 5, 90],
    second: [-22, 36, -13, -37, 0, -4, -1, 108],
  },
  {
    seed: 2,
    sizes: [2, 3, 5, 4, 3],
    has: ["sequence", "projection"],
    zeroPoints: [-5, 2, 4],
    clips: [0.0, 0.5],
    first: [-11, 14, -10, -39, 50, -42, -13, 50, -4, 4, -1, 3, -44, 50, -45, -50, 50, -50],
    second: [-32, 28, -32, -46, 50, -50, -12, 50, -1, 5, -2, 4, -50, 50, -50, -50, 50, -50],
  },
  {
    seed: 3,
    sizes: [1, 3, 6, 7, 3],
    has: ["sequence", "timeMajor", "cifg", "norm", "projection"],
    zeroPoints: [0, -3, 0],
    clips: [3.0, 0.0],
    first: [20, 1, -2, 19, -12, -9, -13, 12, -20],
    second: [9, 14, -15, 15, -13, -10, -14, 8, -20],
  },
  {
    seed: 4,
    sizes: [2, 3, 5, 8, 3],
    has: ["sequence", "timeMajor", "peephole", "norm", "projection"],
    zeroPoints: [7, 1, -31],
    clips: [0.0, 0.0],
    first: [7, -51, 1, 22, -35, -35, 8, -8, -20, 3, -4, 4, 14, 26, -44, 4, 22, 0],
    second: [25, -39, -34, 5, -39, -18, 13, -15, -35, 3, -2, 1, 13, 24, -47, 5, 22, -1],
  },
  {
    seed: 5,
    sizes: [2, 2, 5, 6, 6],
    has: ["sequence", "cifg", "peephole", "norm"],
    zeroPoints: [0, 0, 6],
    clips: [0.0, 0.0],
    first: [8, 14, -4, -23, 5, 6, 11, -11, -16, 4, 2, 24, 17, 18, 28, -14, 28, -3, -4, 25, 12, -30, 23, -16],
    second: [14, -2, -18, -22, 3, 14, 13, -16, -22, 3, 0, 40, 10, 9, 24, -23, 31, -33, -8, 22, 11, -37, 26, -23],
  },
  {
    seed: 6,
    sizes: [2, 2, 5, 6, 3],
    has: ["sequence", "projection"],
    // So far from 0 that values before the projection are clamped: the reference takes the zero point the other way.
    zeroPoints: [-5, 2, 100],
    clips: [0.0, 0.0],
    first: [0, -62, 13, -13, -29, 36, -15, 19, 44, -23, -37, 46],
    second: [-26, -88, 40, -9, -57, 49, -28, -3, 54, -28, -47, 51],
  },
];

/** The case's graph and its input. */
function build({ seed, sizes, has, zeroPoints, clips }: Case): { readonly graph: Graph; readonly x: Int8Array } {
  let state = seed;
  const integers = (count: number, most: number, least = -most) =>
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return least + ((state >>> 16) % (most - least + 1));
    });
  const [batch = 0, time = 0, inputs = 0, cells = 0, outputs = 0] = sizes;
  const [xZero = 0, hZero = 0, hiddenZero = 0] = zeroPoints;
  const is = (part: Part) => has.includes(part);
  const tensors: Tensor[] = [];
  const add = (name: string, dtype: Tensor["dtype"], shape: readonly number[], scale: number, rest: object = {}) =>
    (tensors.push({
      name,
      dtype,
      shape,
      quantization: { scale: [Math.fround(scale)], zeroPoint: [0], axis: 0 },
      ...rest,
    }) - 1) as TensorId;
  const at = (scale: number, zeroPoint: number) => ({
    quantization: { scale: [Math.fround(scale)], zeroPoint: [zeroPoint], axis: 0 },
  });
  const constant = (dtype: "int8" | "int16" | "int32", values: readonly number[]) => {
    const array = { int8: Int8Array, int16: Int16Array, int32: Int32Array }[dtype].from(values);
    return { data: new Uint8Array(array.buffer) };
  };
  const leading = !is("sequence") ? [batch] : is("timeMajor") ? [time, batch] : [batch, time];
  const ids: TensorId[] = new Array<TensorId>(24).fill(NONE);
  ids[0] = add("x", "int8", [...leading, inputs], 1, at(1 / 64, xZero));
  const weights = (
    i: number,
    dtype: "int8" | "int16" | "int32",
    shape: readonly number[],
    scale: number,
    most: number,
  ) => {
    const count = shape.reduce((all, size) => all * size, 1);
    ids[i] = add(`input ${i}`, dtype, shape, scale, constant(dtype, integers(count, most)));
  };
  for (const i of is("cifg") ? [1, 2, 3] : [0, 1, 2, 3]) {
    weights(1 + i, "int8", [cells, inputs], 0.01, 127);
    weights(5 + i, "int8", [cells, outputs], 0.012, 127);
    weights(12 + i, "int32", [cells], 0.01 / 64, 2000);
    if (is("peephole") && i !== 2) weights(9 + Math.min(i, 2), "int16", [cells], 1e-5, 32767);
    if (is("norm")) weights(20 + i, "int16", [cells], 5e-5, 32767);
  }
  if (is("projection")) {
    weights(16, "int8", [outputs, cells], 0.008, 127);
    weights(17, "int32", [outputs], 0.008 * 0.007, 2000);
  }
  ids[18] = add("h", "int8", [batch, outputs], 1, { variable: true, ...at(1 / 100, hZero) });
  ids[19] = add("c", "int16", [batch, cells], 2 ** -11, { variable: true });
  const y = add("y", "int8", [...leading, outputs], 1, at(1 / 100, hZero));
  const [cellClip = 0, projectionClip = 0] = clips;
  const node: AnyNode = {
    kind: "lstm",
    where: "node 0 (LSTM)",
    inputs: ids,
    outputs: [y],
    attributes: {
      activation: 4,
      cellClip,
      projectionClip,
      asymmetric: false,
      sequence: is("sequence"),
      timeMajor: is("timeMajor"),
      intermediates: [
        ...[0.004, 0.005, 0.006, 0.0045].map((scale) => ({ scale: Math.fround(scale), zeroPoint: 0 })),
        { scale: Math.fround(0.007), zeroPoint: hiddenZero },
      ],
    },
  };
  const x = Int8Array.from(integers(batch * (is("sequence") ? time : 1) * inputs, 127, -128));
  const ports = { inputs: [{ name: "x", tensor: ids[0] as TensorId }], outputs: [{ name: "y", tensor: y }] };
  return { graph: { name: "lstm", tensors, nodes: [node], subgraphs: [], ...ports }, x };
}

/** Plain gates, which TFLite Micro has in an arithmetic of its own. */
const PLAIN: Case = {
  seed: 7,
  sizes: [2, 3, 5, 6, 6],
  has: ["sequence"],
  zeroPoints: [3, -4, 2],
  clips: [0, 0],
  first: [
    ...[3, -37, 8, 23, 55, -66, -7, 0, -41, -43, 37, 39, -16, -58, -18, 5, 4, -83],
    ...[-10, -74, 1, 16, 6, -49, -7, -15, -8, -10, 3, -88, -6, -5, -21, -23, 21, -17],
  ],
  second: [
    ...[1, -18, -5, 14, 79, -90, -5, 2, -32, -54, 42, 31, -14, -58, -12, 4, 4, -85],
    ...[-10, -58, -8, 5, 18, -61, -7, -8, -8, -11, 4, -92, -4, -3, -19, -22, 24, -16],
  ],
};

/** The network, and beside its output that of an operator which TFLite Micro does not have. */
function besideRefused({ tensors, nodes, outputs, ...rest }: Graph): Graph {
  const [{ tensor }] = outputs as [Graph["outputs"][number]];
  const z = tensors.length as TensorId;
  const clamp: AnyNode = { kind: "reluN1To1", where: "node 1", inputs: [tensor], outputs: [z], attributes: {} };
  return {
    ...rest,
    tensors: [...tensors, { ...(tensors[tensor] as Tensor), name: "z" }],
    nodes: [...nodes, clamp],
    outputs: [...outputs, { name: "z", tensor: z }],
  };
}

describe("LSTM of int8", () => {
  for (const name of ["scalar", "simd"] as const)
    for (const each of CASES)
      test(`${each.has.join(", ")}: ${name}`, async () => {
        const { graph, x } = build(each);
        const kernels = await loadModule(name, undefined, "full");
        const session = await Session.open(
          planGraph(runPasses(graph), { module: name, moduleHash: kernels.hash }),
          kernels,
        );
        assert.deepEqual(session.run([x]).y, Int8Array.from(each.first));
        assert.deepEqual(session.run([x]).y, Int8Array.from(each.second));
        session.close();
      });

  for (const name of ["scalar", "simd"] as const)
    test(`plain gates in a network that TFLite Micro refuses: ${name}`, async () => {
      const { graph, x } = build(PLAIN);
      const kernels = await loadModule(name, undefined, "full");
      const planOf = (each: Graph) => planGraph(runPasses(each), { module: name, moduleHash: kernels.hash });
      const session = await Session.open(planOf(besideRefused(graph)), kernels);
      assert.deepEqual(session.run([x]).y, Int8Array.from(PLAIN.first));
      assert.deepEqual(session.run([x]).y, Int8Array.from(PLAIN.second));
      session.close();
      const alone = await Session.open(planOf(graph), kernels);
      assert.notDeepEqual(alone.run([x]).y, Int8Array.from(PLAIN.first));
      alone.close();
    });

  test("parts that are not whole are refused", () => {
    const { graph } = build(CASES[4] as Case);
    for (const missing of [9 + 2, 21, 18]) {
      const nodes = graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((id, i) => (i === missing ? NONE : id)),
      })) as readonly AnyNode[];
      assert.throws(() => runPasses({ ...graph, nodes }), /C[45]: expected/);
    }
  });
});
