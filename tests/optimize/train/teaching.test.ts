/** Students that are better than their teachers: they go on by the labels alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import type { Sample } from "../../../bindings/optimize/data/types.ts";
import { evaluate } from "../../../bindings/optimize/evaluate/evaluate.ts";
import { distil } from "../../../bindings/optimize/train/distil.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { writeTflite } from "../../../bindings/public/optimize.ts";
import { buildNetwork } from "../support/networks.ts";

/** Numbers whose first says the class, or the value. */
function samples(count: number, seed: number, answer: (x: Float32Array) => Partial<Sample>) {
  const random = randomOf(seed);
  return datasetOf(
    Array.from({ length: count }, () => {
      const x = Float32Array.from({ length: 4 }, () => random.normal());
      return { inputs: [x], ...answer(x) };
    }),
  );
}

/** A network of one layer that reads one of the four numbers. */
function reader(index: number, outputs: 1 | 2) {
  const to = buildNetwork([1, 4]);
  const pick = (sign: number) => Array.from({ length: 4 }, (_, i) => (i === index ? sign : 0));
  const weights = to.floats(...(outputs === 2 ? [...pick(-2), ...pick(2)] : pick(1)));
  const rows = to.node("reshape", [weights], { shape: [outputs, 4] });
  const y = to.node("batchMatMul", [to.input, rows], { adjointA: false, adjointB: true });
  return to.graph(outputs === 2 ? to.node("softmax", [y], { beta: 1 }) : y);
}

const side = (x: Float32Array) => ({ label: Number((x[0] as number) > 0) });
const SHORT = { epochs: 6, batch: 25, threads: 1, seed: 1 } as const;

describe("teaching", () => {
  test("a teacher that is wrong is followed no longer than it is better, one that is right to the end", async () => {
    const data = samples(800, 1, side);
    const right = async (index: number, teaching: "throughout" | "until-passed") => {
      let passed = false;
      const options = { ...SHORT, student: "mlp:0.25", teaching } as const;
      const onProgress = (progress: { readonly passed?: boolean }) => {
        passed ||= progress.passed === true;
      };
      const student = await distil(reader(index, 2), data, { ...options, onProgress });
      const { model } = await evaluate(student, samples(500, 2, side));
      return { passed, top1: model.classes?.top1 ?? 0 };
    };
    const [bad, own, good] = [
      await right(1, "throughout"),
      await right(1, "until-passed"),
      await right(0, "until-passed"),
    ];
    assert.ok(bad.top1 < 0.8 && !bad.passed, `${bad.top1}`);
    assert.ok(own.top1 > 0.95 && own.passed, `${own.top1}`);
    assert.ok(good.top1 > 0.95 && !good.passed, `${good.top1}`);
  });

  test("values too", async () => {
    const value = (x: Float32Array) => ({ targets: [Float32Array.of(x[0] as number)] });
    const error = async (teaching: "throughout" | "until-passed") => {
      const student = await distil(reader(1, 1), samples(800, 3, value), { ...SHORT, student: "mlp:0.25", teaching });
      return (await evaluate(student, samples(300, 4, value))).model.targets?.meanError ?? 9;
    };
    const [bad, own] = [await error("throughout"), await error("until-passed")];
    assert.ok(own < 0.5 * bad, `${own}, ${bad}`);
  });

  test("goes on from a checkpoint of either part as if nothing had been", async () => {
    const data = samples(800, 1, side);
    const kept: Uint8Array[] = [];
    const options = { ...SHORT, student: "mlp:0.25" } as const;
    const whole = await distil(reader(1, 2), data, {
      ...options,
      onCheckpoint: (bytes) => void kept.push(bytes.slice()),
    });
    for (const checkpoint of [kept[0], kept.at(-1)] as const)
      assert.deepEqual(
        writeTflite(await distil(reader(1, 2), data, { ...options, checkpoint: checkpoint as Uint8Array })),
        writeTflite(whole),
      );
  });

  test("is one of two words", async () => {
    const wrong = distil(reader(1, 2), samples(40, 1, side), { student: "mlp", teaching: "never" as never });
    await assert.rejects(wrong, { code: "INVALID_OPTION", message: /until-passed/ });
  });
});
