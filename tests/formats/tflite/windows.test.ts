/** STABLEHLO_REDUCE_WINDOW and REDUCE_WINDOW against loops over windows as they are written down. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { type Random, random, runnable } from "../../support/kernels.ts";
import { buildTflite, type TensorSpec } from "../build-tflite.ts";
import { count, placeOf } from "./places.ts";

const REDUCERS = {
  ADD: (a: number, b: number) => Math.fround(a + b),
  MUL: (a: number, b: number) => Math.fround(a * b),
  MINIMUM: Math.min,
  MAXIMUM: Math.max,
} as const;
type Reducer = keyof typeof REDUCERS;
const IDLE = { ADD: 0, MUL: 1, MINIMUM: Infinity, MAXIMUM: -Infinity };
/** ReduceWindowFunction by name. */
const NUMBERS = { ADD: 1, MUL: 2, MINIMUM: 3, MAXIMUM: 4 };

interface Windows {
  readonly reducer: Reducer;
  readonly start: number;
  readonly shape: readonly number[];
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly base: readonly number[];
  readonly padding: readonly number[];
}

/** Sizes of the output. */
const sizes = ({ shape, window, stride, dilation, base, padding }: Windows) =>
  shape.map((size, d) => {
    const [before, after] = [padding[2 * d], padding[2 * d + 1]] as [number, number];
    const length = (size - 1) * (base[d] as number) + 1 + before + after;
    return Math.floor((length - ((window[d] as number) - 1) * (dilation[d] as number) - 1) / (stride[d] as number)) + 1;
  });

/** The element at a place of the padded, dilated input; the start where there is none. */
function at({ shape, base, padding, start }: Windows, x: Float32Array, place: readonly number[]): number {
  let index = 0;
  for (const [d, size] of shape.entries()) {
    const inside = (place[d] as number) - (padding[2 * d] as number);
    if (inside < 0 || inside % (base[d] as number) !== 0 || inside / (base[d] as number) >= size) return start;
    index = index * size + inside / (base[d] as number);
  }
  return x[index] as number;
}

function reference(of: Windows, x: Float32Array): Float32Array {
  const shape = sizes(of);
  return Float32Array.from({ length: count(shape) }, (_, i) => {
    const first = placeOf(i, shape).map((p, d) => p * (of.stride[d] as number));
    let value = of.start;
    for (let k = 0; k < count(of.window); k++) {
      const place = placeOf(k, of.window).map((p, d) => (first[d] as number) + p * (of.dilation[d] as number));
      value = REDUCERS[of.reducer](value, at(of, x, place));
    }
    return value;
  });
}

const float = (name: string, shape: readonly number[]): TensorSpec => ({ name, dtype: "float32", shape });
const longs = (name: string, values: readonly number[]): TensorSpec => ({
  ...{ name, dtype: "int64", shape: [values.length] },
  data: BigInt64Array.from(values, BigInt),
});

/** STABLEHLO_REDUCE_WINDOW, whose body is a subgraph. */
function stablehlo(
  of: Windows,
  body: string = `STABLEHLO_${of.reducer === "MUL" ? "MULTIPLY" : of.reducer}`,
): Uint8Array {
  const fields = [of.window, of.stride, of.base, of.dilation, of.padding].map((int64s) => ({ int64s }));
  return buildTflite({
    tensors: [float("x", of.shape), { ...float("start", []), data: Float32Array.of(of.start) }, float("y", sizes(of))],
    operators: [
      {
        ...{ code: "STABLEHLO_REDUCE_WINDOW", inputs: [0, 1], outputs: [2] },
        options: { type: -13, fields: { ...fields, 5: { int32: 1 } } },
      },
    ],
    ...{ inputs: [0], outputs: [2] },
    subgraphs: [
      {
        tensors: [float("a", []), float("b", []), float("c", [])],
        operators: [{ code: body, inputs: [0, 1], outputs: [2] }],
        ...{ inputs: [0, 1], outputs: [2] },
      },
    ],
  });
}

/** REDUCE_WINDOW, which has its windows as inputs. */
const builtin = (of: Windows, reducer = NUMBERS[of.reducer]): Uint8Array =>
  buildTflite({
    tensors: [
      float("x", of.shape),
      { ...float("start", []), data: Float32Array.of(of.start) },
      ...[longs("window", of.window), longs("stride", of.stride), longs("dilation", of.dilation)],
      float(
        "y",
        sizes(of).map((size) => Math.max(1, size)),
      ),
    ],
    operators: [
      {
        ...{ code: "REDUCE_WINDOW", inputs: [0, 1, 2, 3, 4], outputs: [5] },
        options: { type: -20, fields: { 0: { int32: reducer } } },
      },
    ],
    ...{ inputs: [0], outputs: [5] },
  });

/** Windows that fit at least once. */
function drawn(draw: Random, plain: boolean): Windows {
  for (;;) {
    const shape = Array.from({ length: draw.int(1, 5) }, () => draw.int(1, 6));
    const list = (most: number) => shape.map(() => (draw.int(0, 1) ? draw.int(1, most) : 1));
    const reducer = draw.pick(Object.keys(REDUCERS) as Reducer[]);
    const of = {
      ...{ reducer, start: draw.int(0, 2) ? IDLE[reducer] : 2, shape },
      ...{ window: list(3), stride: list(3), dilation: list(2) },
      base: plain ? shape.map(() => 1) : list(2),
      padding: shape.flatMap(() => (plain ? [0, 0] : [draw.int(0, 2), draw.int(0, 1)])),
    };
    if (sizes(of).every((size) => size > 0)) return of;
  }
}

const CASE: Windows = {
  ...{ reducer: "MAXIMUM", start: -Infinity, shape: [1, 2, 4, 4, 4], window: [1, 1, 2, 2, 2], stride: [1, 1, 2, 2, 2] },
  ...{ dilation: [1, 1, 1, 1, 1], base: [1, 1, 1, 1, 1], padding: new Array<number>(10).fill(0) },
};

for (const { name, skip } of await runnable())
  describe(`windows under an operator, ${name}`, { skip }, () => {
    for (const [kind, build] of [["STABLEHLO_REDUCE_WINDOW", stablehlo] as const, ["REDUCE_WINDOW", builtin] as const])
      test(`${kind}, random windows`, async () => {
        const draw = random(51);
        for (let i = 0; i < 25; i++) {
          const of = drawn(draw, kind === "REDUCE_WINDOW");
          const x = Float32Array.from({ length: count(of.shape) }, () => draw.int(-8, 8) / 4);
          const session = await loadModel(build(of), { module: name });
          const { y } = session.run([x]);
          session.close();
          const expected = reference(of, x);
          const isNear = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-5 * Math.min(Math.abs(b), 3e38);
          for (const [k, value] of expected.entries())
            assert.ok(isNear(Number(y?.[k]), value), `${y?.[k]} for ${value}: ${JSON.stringify(of)}`);
        }
      });
  });

test("what is no window is refused", async () => {
  await assert.rejects(loadModel(stablehlo({ ...CASE, window: [1, 1, 2] })), /5 numbers from 1/);
  await assert.rejects(loadModel(stablehlo({ ...CASE, stride: [1, 1, 0, 2, 2] })), /5 numbers from 1/);
  await assert.rejects(loadModel(stablehlo({ ...CASE, padding: [0, 0] })), /5 pairs/);
  await assert.rejects(loadModel(stablehlo({ ...CASE, padding: [0, 0, 0, 0, -1, 0, 0, 0, 0, 0] })), /paddings from 0/);
  await assert.rejects(loadModel(stablehlo({ ...CASE, window: [1, 1, 5, 1, 1] })), /windows of 5 in dimension 2/);
  const large = { ...CASE, window: [1, 1, 2000, 1, 1], padding: [0, 0, 0, 0, 3000, 0, 0, 0, 0, 0] };
  await assert.rejects(loadModel(stablehlo(large)), /at most 1024 elements/);
  await assert.rejects(loadModel(stablehlo(CASE, "SQUARED_DIFFERENCE")), /received squaredDifference/);
  await assert.rejects(loadModel(builtin(CASE, 0)), /received function 0/);
});
