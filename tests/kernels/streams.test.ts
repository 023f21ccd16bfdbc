/**
 * Delays, frames, stacks, overlaps and Fourier transforms of sound: the bytes of the tflite-micro wheel 0.dev20261023 for inputs of a small
 * generator, run after run; files are written and read on the way.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { CASES, type Case } from "./streams-cases.ts";

const ARRAYS = { int16: Int16Array, int32: Int32Array, float32: Float32Array } as const;

/** A file of one operator, whose state the importer makes again. */
function fileOf({ kind, attributes, x: [dtype, shape], y }: Omit<Case, "runs">): Uint8Array {
  const flag = kind === "signalFramer" || kind === "signalStacker";
  const stated = kind !== "signalTransform" && kind !== "signalInverse";
  const tensors: Tensor[] = [
    { name: "x", dtype, shape },
    { name: "y", dtype, shape: y },
    ...(flag ? [{ name: "whole", dtype: "bool", shape: [] } as const] : []),
    ...(stated ? [{ name: "state", dtype, shape: [1], variable: true } as const] : []),
  ];
  const outputs = (flag ? [1, 2] : [1]) as TensorId[];
  const inputs = (stated ? [0, tensors.length - 1] : [0]) as TensorId[];
  const graph = {
    name: "signal",
    tensors,
    subgraphs: [],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: outputs.map((tensor) => ({ name: tensors[tensor]?.name ?? "", tensor })),
    nodes: [{ kind, where: "node 0", inputs, outputs, attributes } as unknown as AnyNode],
  } satisfies Graph;
  return writeTflite(graph);
}

function generator() {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  return {
    int16: () => next() - 32768,
    int32: () => (next() - 32768) * 65536 + next(),
    float32: () => (next() - 32768) / 32768,
  };
}

const count = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

for (const module of ["scalar", "simd"] as const)
  describe(`TensorFlow Lite Micro's signal operators, ${module}`, () => {
    for (const each of CASES)
      test(`${each.kind} ${JSON.stringify(each.attributes)} of ${each.x[0]}`, async () => {
        const session = await loadModel(fileOf(each), { module });
        for (const after of ["a start", "a reset"]) {
          const draw = generator()[each.x[0]];
          for (const [run, expected] of each.runs.entries()) {
            const x = ARRAYS[each.x[0]].from(Array.from({ length: count(each.x[1]) }, draw));
            const { y, whole } = session.run([x] as never) as Record<string, ArrayLike<number>>;
            if (whole !== undefined)
              assert.equal(whole[0], expected === undefined ? 0 : 1, `run ${run} after ${after}`);
            if (expected !== undefined) assert.deepEqual([...(y as Int16Array)], expected, `run ${run} after ${after}`);
          }
          session.reset();
        }
        session.close();
      });

    test("float32: the transform is that of sums, and the inverse leads back", async () => {
      const length = 32;
      const forward = await loadModel(
        fileOf({ kind: "signalTransform", attributes: { length }, x: ["float32", [2, length]], y: [2, length + 2] }),
        { module },
      );
      const back = await loadModel(
        fileOf({ kind: "signalInverse", attributes: { length }, x: ["float32", [2, length + 2]], y: [2, length] }),
        { module },
      );
      const draw = generator().float32;
      const x = Float32Array.from({ length: 2 * length }, draw);
      const spectrum = (forward.run([x]) as { readonly y: Float32Array }).y;
      for (let row = 0; row < 2; row++)
        for (let k = 0; k <= length / 2; k++) {
          let [real, imaginary] = [0, 0];
          for (let i = 0; i < length; i++) {
            const turn = (-2 * Math.PI * k * i) / length;
            real += (x[row * length + i] as number) * Math.cos(turn);
            imaginary += (x[row * length + i] as number) * Math.sin(turn);
          }
          const at = row * (length + 2) + 2 * k;
          assert.ok(Math.abs((spectrum[at] as number) - real) < 1e-5);
          assert.ok(Math.abs((spectrum[at + 1] as number) - imaginary) < 1e-5);
        }
      const again = (back.run([spectrum.slice()]) as { readonly y: Float32Array }).y;
      for (const [i, value] of x.entries()) assert.ok(Math.abs((again[i] as number) - value) < 1e-6);
      forward.close();
      back.close();
    });

    test("overlaps of float32 are sums", async () => {
      const session = await loadModel(
        fileOf({ kind: "signalOverlapAdd", attributes: { step: 2 }, x: ["float32", [1, 2, 3]], y: [1, 4] }),
        { module },
      );
      assert.deepEqual(
        (session.run([Float32Array.of(1, 2, 3, 10, 20, 30)]) as { y: Float32Array }).y,
        Float32Array.of(1, 2, 13, 20),
      );
      assert.deepEqual((session.run([new Float32Array(6)]) as { y: Float32Array }).y, Float32Array.of(30, 0, 0, 0));
      session.close();
    });
  });

for (const [kind, attributes, x, broken] of [
  ["signalFramer", { size: 5, step: 6, prefill: false }, [6], "C3"],
  ["signalFramer", { size: 5, step: 2, prefill: false }, [7], "C6"],
  ["signalStacker", { channels: 3, left: 1, right: 0, step: 3 }, [3], "C3"],
  ["signalStacker", { channels: 3, left: 1, right: 0, step: 1 }, [4], "C4"],
  ["signalOverlapAdd", { step: 9 }, [2, 4], "C3"],
  ["signalOverlapAdd", { step: 1 }, [4], "C6"],
  ["signalDelay", { length: -1 }, [4], "C3"],
  ["signalInverse", { length: 12 }, [14], "C4"],
  ["signalInverse", { length: 8 }, [9], "C4"],
] as const)
  test(`${kind} ${JSON.stringify(attributes)} of [${x}] breaks ${broken}`, async () => {
    const file = fileOf({ kind, attributes, x: ["int16", x], y: [1] });
    await assert.rejects(loadModel(file, { module: "scalar" }), new RegExp(`, ${broken}:|${broken}, `));
  });
