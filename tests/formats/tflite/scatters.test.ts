/** STABLEHLO_SCATTER against its definition: every element of the updates goes to one place. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { type Random, random } from "../../support/kernels.ts";
import { buildTflite, type TensorSpec } from "../build-tflite.ts";
import { count, placeOf } from "./places.ts";

const BODIES = {
  ADD: (a: number, b: number) => Math.fround(a + b),
  STABLEHLO_MULTIPLY: (a: number, b: number) => Math.fround(a * b),
  MINIMUM: Math.min,
  STABLEHLO_MAXIMUM: Math.max,
  set: (_: number, b: number) => b,
} as const;

interface Scatter {
  readonly body: keyof typeof BODIES;
  readonly shape: readonly number[];
  readonly indices: readonly number[];
  readonly updates: readonly number[];
  readonly windows: readonly number[];
  readonly inserted: readonly number[];
  readonly indexed: readonly number[];
  readonly vector: number;
  readonly long: 32 | 64;
}

/** The element at a position. */
const indexOf = (place: readonly number[], shape: readonly number[]) =>
  place.reduce((i, p, d) => i * (shape[d] ?? 1) + p, 0);

function reference(of: Scatter, x: Float32Array, indices: readonly number[], updates: Float32Array): Float32Array {
  const y = x.slice();
  const depth = of.indexed.length;
  const kept = of.shape.map((_, d) => d).filter((d) => !of.inserted.includes(d));
  for (const [i, update] of updates.entries()) {
    const place = placeOf(i, of.updates);
    const outer = place.filter((_, d) => !of.windows.includes(d));
    const target = of.shape.map(() => 0);
    for (let k = 0; k < depth; k++) {
      const tuple = [
        ...outer.slice(0, of.vector),
        ...(of.vector < of.indices.length ? [k] : []),
        ...outer.slice(of.vector),
      ];
      target[of.indexed[k] as number] = indices[indexOf(tuple, of.indices)] as number;
    }
    for (const [k, d] of kept.entries()) target[d] = (target[d] as number) + (place[of.windows[k] as number] as number);
    if (target.some((p, d) => p < 0 || p >= (of.shape[d] as number))) continue;
    const at = indexOf(target, of.shape);
    y[at] = BODIES[of.body](y[at] as number, update);
  }
  return y;
}

const float = (name: string, shape: readonly number[]): TensorSpec => ({ name, dtype: "float32", shape });

function file(of: Scatter, body: string = of.body): Uint8Array {
  const int64s = (values: readonly number[]) => ({ int64s: values });
  return buildTflite({
    tensors: [
      float("x", of.shape),
      { name: "at", dtype: of.long === 32 ? "int32" : "int64", shape: of.indices },
      ...[float("updates", of.updates), float("y", of.shape)],
    ],
    operators: [
      {
        ...{ code: "STABLEHLO_SCATTER", inputs: [0, 1, 2], outputs: [3] },
        options: {
          type: -7,
          fields: {
            ...{ 1: int64s(of.windows), 2: int64s(of.inserted), 3: int64s(of.indexed) },
            ...{ 4: { int32: of.vector }, 6: { int32: 1 } },
          },
        },
      },
    ],
    ...{ inputs: [0, 1, 2], outputs: [3] },
    subgraphs: [
      {
        tensors: [float("a", []), float("b", []), float("c", [])],
        operators: body === "set" ? [] : [{ code: body, inputs: [0, 1], outputs: [2] }],
        ...{ inputs: [0, 1], outputs: [body === "set" ? 1 : 2] },
      },
    ],
  });
}

/** Dimensions in any order, some of them indexed; whole windows of the others, or windows of any size. */
function drawn(draw: Random, whole: boolean): Scatter {
  const shape = Array.from({ length: draw.int(1, 4) }, () => draw.int(1, 5));
  const order = shape.map((_, d) => d).sort(() => draw.int(0, 1) - 0.5);
  const indexed = order.slice(0, draw.int(1, shape.length));
  const inserted = [...indexed].sort().filter(() => whole || draw.int(0, 1) === 1);
  const kept = shape.map((_, d) => d).filter((d) => !inserted.includes(d));
  const sizes = kept.map((d) => (whole ? (shape[d] as number) : draw.int(1, shape[d] as number)));
  const outer = Array.from({ length: draw.int(0, 2) }, () => draw.int(1, 3));
  // where windows stand among the dimensions of updates: in order, anywhere
  const slots = [...sizes.map(() => true), ...outer.map(() => false)].sort(() => draw.int(0, 1) - 0.5);
  const windows = slots.flatMap((isWindow, d) => (isWindow ? [d] : []));
  const [left, right] = [[...sizes], [...outer]];
  const updates = slots.map((isWindow) => (isWindow ? left : right).shift() as number);
  const isPlain = indexed.length === 1 && draw.int(0, 1) === 1;
  const vector = isPlain ? outer.length : draw.int(0, outer.length);
  const indices = isPlain ? outer : [...outer.slice(0, vector), indexed.length, ...outer.slice(vector)];
  const body = draw.pick(Object.keys(BODIES) as (keyof typeof BODIES)[]);
  return { body, shape, indices, updates, windows, inserted, indexed, vector, long: draw.pick([32, 64]) };
}

describe("STABLEHLO_SCATTER", () => {
  for (const whole of [true, false])
    test(whole ? "rows" : "windows", async () => {
      for (let seed = 0; seed < 60; seed++) {
        const draw = random(seed);
        const of = drawn(draw, whole);
        const reals = (shape: readonly number[]) =>
          Float32Array.from({ length: count(shape) }, () => draw.int(-8, 8) / 4);
        const [x, updates] = [reals(of.shape), reals(of.updates)];
        // places that meet are set in no order that counts
        const isSet = of.body === "set";
        const at = Array.from({ length: count(of.indices) }, () => draw.int(-1, 4));
        if (isSet && count(of.updates) !== count(of.windows.map((d) => of.updates[d] as number))) continue;
        const model = await loadModel(file(of), { module: "simd" });
        const { y } = model.run([
          x,
          of.long === 32 ? Int32Array.from(at) : BigInt64Array.from(at, BigInt),
          updates,
        ]) as {
          readonly y: Float32Array;
        };
        model.close();
        assert.deepEqual(y, reference(of, x, at, updates), JSON.stringify({ seed, of, at }));
      }
    });

  test("other bodies are refused", async () => {
    const of = drawn(random(1), true);
    await assert.rejects(loadModel(file(of, "DIV"), { module: "simd" }), {
      code: "UNSUPPORTED",
      message: /received div/,
    });
  });
});
