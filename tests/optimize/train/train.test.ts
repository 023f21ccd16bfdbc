/** Training as a whole, on pictures that take milliseconds: it learns, repeats itself, goes on from checkpoints, keeps masks. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { tensorOf } from "../../../bindings/graph.ts";
import { floatsOf as constantOf } from "../../../bindings/optimize/constants.ts";
import type { Dataset, Sample } from "../../../bindings/optimize/data/types.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import { openRunner } from "../../../bindings/optimize/run.ts";
import { freshNetwork } from "../../../bindings/optimize/train/architectures/index.ts";
import { AUGMENTATION } from "../../../bindings/optimize/train/augment.ts";
import { distil } from "../../../bindings/optimize/train/distil.ts";
import { layersOf } from "../../../bindings/optimize/train/layout.ts";
import { normalizedLayers } from "../../../bindings/optimize/train/norm.ts";
import { randomOf, shuffled } from "../../../bindings/optimize/train/random.ts";
import { inTurns, type Store, storeOf } from "../../../bindings/optimize/train/store.ts";
import { rateAt, train } from "../../../bindings/optimize/train/train.ts";
import { openTrainer } from "../../../bindings/optimize/train/trainer.ts";
import { Pint8Error } from "../../../bindings/public/optimize.ts";

const SIZE = 8;
const CLASSES = 3;
const FRESH = { shape: [1, SIZE, SIZE, 1], classes: CLASSES, seed: 0 };

/** A bright line across, down, or aslant, in noise. */
function lines(count: number, seed: number, labelled = true): Dataset {
  const samples = Array.from({ length: count }, (_, i): Sample => {
    const random = randomOf(seed, i);
    const label = i % CLASSES;
    const place = Math.floor(random.uniform() * 4) + 2;
    const pixels = Float32Array.from({ length: SIZE * SIZE }, (_, at) => {
      const [y, x] = [Math.floor(at / SIZE), at % SIZE];
      const on = label === 0 ? y === place : label === 1 ? x === place : x + y === place + 4;
      return Math.min(Math.max((on ? 0.8 : 0.2) + random.normal() * 0.1, 0), 1);
    });
    return { inputs: [pixels], ...(labelled && { label }) };
  });
  return {
    size: count,
    async *[Symbol.asyncIterator]() {
      yield* samples;
    },
  };
}

async function scoresOf(graph: Graph, data: Dataset): Promise<number[][]> {
  const runner = await openRunner(graph);
  try {
    const scores: number[][] = [];
    for await (const { inputs } of data) scores.push(Array.from(runner.run(inputs)[0] as Float32Array));
    return scores;
  } finally {
    runner.close();
  }
}

async function accuracy(graph: Graph, data: Dataset): Promise<number> {
  const scores = await scoresOf(graph, data);
  return scores.filter((row, i) => row.indexOf(Math.max(...row)) === i % CLASSES).length / scores.length;
}

const bytesOf = (graph: Graph) => graph.tensors.map(({ data }) => data);
const USUAL = { batch: 16, rate: 0.01, threads: 1, normalization: "fresh" } as const;
const TRAIN = lines(96, 1);
const TEST = lines(60, 2);

describe("training", () => {
  const fresh = freshNetwork("ds-cnn:0.5", FRESH);
  let trained: Graph;
  before(async () => {
    trained = await train(fresh, TRAIN, { ...USUAL, epochs: 14 });
  });

  test("learns", async () => {
    const [from, to] = [await accuracy(fresh, TEST), await accuracy(trained, TEST)];
    assert.ok(from < 0.7 && to > 0.9, `${from} → ${to}`);
  });

  test("begins with the biases that the network has, normalized or not", async () => {
    const biased = {
      ...fresh,
      tensors: fresh.tensors.map((tensor) =>
        tensor.shape.length === 1 && tensor.dtype === "float32" && tensor.data !== undefined
          ? { ...tensor, data: new Uint8Array(new Float32Array(tensor.shape[0] ?? 0).fill(3).buffer) }
          : tensor,
      ),
    };
    const loss = { hard: 1, soft: 0, temperature: 1, squared: 0 };
    const trainer = await openTrainer(biased, { batch: 2, loss, decay: 0, normalized: normalizedLayers(biased) });
    try {
      const begun = trainer.graph();
      const biases = layersOf(begun).map(({ bias }) => constantOf(tensorOf(begun, bias)));
      assert.ok(biases.length > 3 && biases.every((each) => each.every((value) => value === 3)));
    } finally {
      trainer.close();
    }
  });

  test("gives the same network again, on two threads too, and another of another seed", async () => {
    const options = { ...USUAL, steps: 6, augment: AUGMENTATION };
    const one = await train(fresh, TRAIN, options);
    assert.deepEqual(bytesOf(await train(fresh, TRAIN, { ...options, threads: 2 })), bytesOf(one));
    assert.notDeepEqual(bytesOf(await train(fresh, TRAIN, { ...options, seed: 1 })), bytesOf(one));
  });

  test("goes on from a checkpoint as if nothing had been", async () => {
    const options = { ...USUAL, epochs: 3, augment: AUGMENTATION };
    const whole = await train(fresh, TRAIN, options);
    const end = new AbortController();
    const kept: Uint8Array[] = [];
    const ended = train(fresh, TRAIN, {
      ...options,
      signal: end.signal,
      onCheckpoint: (bytes) => void kept.push(bytes),
      onStep: (step) => step === 8 && end.abort(new Error("enough")),
    });
    await assert.rejects(ended, /enough/);
    const checkpoint = kept.at(-1) as Uint8Array;
    assert.deepEqual(bytesOf(await train(fresh, TRAIN, { ...options, checkpoint })), bytesOf(whole));
    for (const wrong of [checkpoint.subarray(0, 100), checkpoint.subarray(4), new Uint8Array(3)])
      await assert.rejects(train(fresh, TRAIN, { ...options, checkpoint: wrong }), invalid("INVALID_OPTION"));
    await assert.rejects(train(fresh, TRAIN, { ...options, epochs: 4, checkpoint }), invalid("INVALID_OPTION"));
  });

  test("leaves a checkpoint where it ends while the teacher is asked, before the first step and behind", async () => {
    const options = { ...USUAL, epochs: 2, teacher: trained };
    const whole = await train(fresh, TRAIN, options);
    for (const at of [0, 3]) {
      let checkpoint: Uint8Array | undefined;
      let asked = 0;
      // The signal is looked at by the loop and by the teacher, which has all samples of a copy at once.
      const aborts = () => asked++ >= at;
      const signal = {
        get aborted() {
          return aborts();
        },
        throwIfAborted() {
          if (aborts()) throw new Error("enough");
        },
      } as AbortSignal;
      const onCheckpoint = (bytes: Uint8Array) => {
        checkpoint = bytes;
      };
      await assert.rejects(train(fresh, TRAIN, { ...options, signal, onCheckpoint }), /enough/);
      const again = await train(fresh, TRAIN, { ...options, checkpoint: checkpoint as unknown as Uint8Array });
      assert.deepEqual(bytesOf(again), bytesOf(whole));
    }
  });

  test("puts normalization back without changing what is computed", async () => {
    const still = await train(trained, TRAIN, { ...USUAL, normalization: "restore", steps: 1, rate: 0, batch: 96 });
    const [from, to] = [await scoresOf(trained, TEST), await scoresOf(still, TEST)];
    const most = Math.max(...from.flatMap((row, i) => row.map((value, j) => Math.abs(value - (to[i]?.[j] ?? 0)))));
    // One step moves running statistics a tenth of the way to the batch's.
    assert.ok(most < 0.02, `${most}`);
  });

  test("keeps masked weights at 0, also where masks change", async () => {
    const { weight } = layersOf(trained)[2] as { readonly weight: TensorId };
    const count = constantOf(tensorOf(trained, weight)).length;
    const most = Uint8Array.from({ length: count }, (_, i) => Number(i % 8 !== 0));
    const fewer = Uint8Array.from({ length: count }, (_, i) => Number(i % 4 !== 0));
    const tuned = await train(trained, TRAIN, {
      ...USUAL,
      normalization: "restore",
      epochs: 4,
      rate: 0.003,
      masks: new Map([[weight, most]]),
      onStep: (step, _, { setMask }) => step === 3 && setMask(weight, fewer),
    });
    const weights = constantOf(tensorOf(tuned, weight));
    assert.deepEqual(
      Array.from(weights, (value) => Number(value !== 0)),
      [...fewer],
    );
    const found = await accuracy(tuned, TEST);
    assert.ok(found > 0.8, `${found}`);
  });

  test("rounds weights and activations while it trains", async () => {
    const weights = new Map(layersOf(trained).map(({ weight }) => [weight, 4] as const));
    const levels = { scale: 6 / 255, zeroPoint: -128, lo: -128, hi: 127 };
    const outputs = trained.nodes.filter(({ kind }) => kind === "depthwiseConv2d").flatMap(({ outputs }) => outputs);
    const activations = new Map(outputs.map((id) => [id, levels] as const));
    const losses: number[] = [];
    const options = { ...USUAL, normalization: "restore", epochs: 4, progressSteps: 6, rate: 0.003 } as const;
    await train(trained, TRAIN, {
      ...options,
      fakeQuant: { weights, activations },
      onProgress: ({ loss }) => losses.push(loss),
    });
    assert.ok((losses.at(-1) as number) < (losses[0] as number), losses.join(" "));
  });

  test("distils without labels, into a network by its name", async () => {
    const options = { student: "ds-cnn:0.5", batch: 16, epochs: 12, rate: 0.01, augment: {}, threads: 1 } as const;
    const student = await distil(trained, lines(96, 1, false), options);
    const found = await accuracy(student, TEST);
    assert.ok(found > 0.8, `${found}`);
  });

  test("tells progress, and measures validation data", async () => {
    const told: { readonly step: number; readonly validation?: number }[] = [];
    await train(fresh, TRAIN, {
      ...USUAL,
      epochs: 2,
      validation: TEST,
      progressSteps: 4,
      onProgress: (p) => told.push(p),
    });
    assert.deepEqual(
      told.map(({ step }) => step),
      [4, 6, 8, 12],
    );
    assert.deepEqual(
      told.map(({ validation }) => validation !== undefined),
      [false, true, false, true],
    );
  });

  test("refuses data that does not fit", async () => {
    await assert.rejects(train(fresh, lines(0, 1), USUAL), invalid("INVALID_INPUT"));
    await assert.rejects(train(fresh, lines(9, 1, false), USUAL), invalid("INVALID_INPUT"));
    const few = freshNetwork("ds-cnn:0.5", { ...FRESH, classes: 2 });
    await assert.rejects(train(few, TRAIN, USUAL), invalid("INVALID_INPUT"));
    const wider = freshNetwork("ds-cnn:0.5", { ...FRESH, shape: [1, 9, 9, 1] });
    await assert.rejects(train(wider, TRAIN, USUAL), invalid("INVALID_INPUT"));
    const lost: Dataset = {
      async *[Symbol.asyncIterator]() {
        yield { inputs: [new Float32Array(SIZE * SIZE).fill(Number.NaN)], label: 0 };
      },
    };
    await assert.rejects(train(fresh, lost, USUAL), invalid("INVALID_INPUT"));
    await assert.rejects(train(fresh, TRAIN, { ...USUAL, rate: 1e38, epochs: 3 }), invalid("INVALID_OPTION"));
    assert.throws(() => freshNetwork("ds-cnn:99", FRESH), invalid("INVALID_OPTION"));
    assert.throws(() => freshNetwork("constructor", FRESH), invalid("INVALID_OPTION"));
  });

  test("refuses weights of fewer bits, and a network of constants", async () => {
    for (const weights of ["float16", "int8", "int4"] as const) {
      const { graph } = await quantize(fresh, undefined, { weights });
      await assert.rejects(train(graph, TRAIN, USUAL), (error) => {
        assert.ok(error instanceof Pint8Error && error.code === "UNSUPPORTED", String(error));
        return /weights that are constants of float32/.test(error.message);
      });
    }
    const [, , ones = assert.fail()] = fresh.tensors;
    const constant = {
      ...fresh,
      tensors: [ones],
      nodes: [],
      inputs: [],
      outputs: [{ name: "y", tensor: 0 as TensorId }],
    };
    await assert.rejects(train(constant, TRAIN, USUAL), invalid("UNSUPPORTED"));
  });

  test("each turn holds one copy of every sample, as many as they were in each, and all turns all copies", async () => {
    const copies = 3;
    const goal = { objective: "classes", tensor: 0 as TensorId, grid: [], places: 1, width: CLASSES } as const;
    const read = (await storeOf(lines(6, 1), [[SIZE, SIZE, 1]], goal)).changed(AUGMENTATION, 0);
    const store = inTurns(read, copies);
    const pixels = (from: Store, sample: number, copy: number) => {
      const to = new Float32Array(SIZE * SIZE);
      from.write(sample, copy, 0, to);
      return to.join();
    };
    for (let sample = 0; sample < 6; sample++) {
      const turns = Array.from({ length: copies }, (_, turn) => pixels(store, sample, turn));
      const all = Array.from({ length: copies }, (_, copy) => pixels(read, sample, copy));
      assert.equal(new Set(all).size, copies);
      assert.deepEqual([...turns].sort(), [...all].sort());
      assert.equal(turns[(copies - (sample % copies)) % copies], all[0], "as it was in one of the turns");
    }
  });

  test("rates rise and fall; orders hold everything once", () => {
    const rates = [0, 4, 9, 10, 55, 99].map((step) => rateAt(step, 100, 1, 10));
    assert.deepEqual(rates.slice(0, 4), [0.1, 0.5, 1, 1]);
    assert.ok(Math.abs((rates[4] as number) - 0.5) < 1e-9 && (rates[5] as number) < 1e-3);
    assert.deepEqual(
      [...shuffled(50, randomOf(3))].sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    );
  });
});

const invalid = (code: string) => (error: unknown) => error instanceof Pint8Error && error.code === code;
