/** FlexMaxPool3D and FlexAvgPool3D, as converters leave them to TensorFlow: against loops over the windows, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildTflite } from "../build-tflite.ts";

const text = (value: string): readonly number[] => [...new TextEncoder().encode(value)];
const varint = (value: number): readonly number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
const field = (number: number, bytes: readonly number[]) => [8 * number + 2, ...varint(bytes.length), ...bytes];
/** An entry of NodeDef's attributes. */
const attr = (name: string, value: readonly number[]) => field(5, [...field(1, text(name)), ...field(2, value)]);
const ints = (name: string, values: readonly number[]) => attr(name, field(1, field(3, values.flatMap(varint))));
/** The same not packed, as protobuf's readers take it too. */
const loose = (name: string, values: readonly number[]) =>
  attr(
    name,
    field(
      1,
      values.flatMap((value) => [8 * 3, ...varint(value)]),
    ),
  );

/** A FlexBuffers list of the operator's name and its NodeDef, as the converter writes it. */
function flexList(op: string, node: readonly number[]): Uint8Array {
  const bytes = [op.length, ...text(op), 0, node.length & 255, node.length >> 8, ...node, 0];
  const [first, second] = [1, op.length + 4];
  const list = bytes.length + (bytes.length & 1) + 2;
  while (bytes.length < list) bytes.push(2); // the list's own length of two bytes ends here
  bytes[list - 1] = 0;
  const far = (from: number, at: number) => [(at - from) & 255, (at - from) >> 8];
  // two texts, the lengths of the first of one byte and of the second of two; the root is two bytes before
  return Uint8Array.from([...bytes, ...far(first, list), ...far(second, list + 2), 0x14, 0x15, 6, 0, 0x29, 2]);
}

/** The options that the converter writes. */
function flexOptions(
  op: string,
  ksize: readonly number[],
  strides: readonly number[],
  padding: string,
  format = "NDHWC",
) {
  const attrs = [ints("ksize", ksize), ints("strides", strides), attr("padding", field(2, text(padding)))];
  const def = [...field(1, text("pool")), ...field(2, text(op)), ...attrs.flat()];
  return flexList(op, [...def, ...attr("data_format", field(2, text(format))), ...attr("T", [0x30, 1])]);
}

const SHAPE = [1, 5, 6, 4, 3] as const;

function model(op: string, outputs: readonly number[], customOptions: Uint8Array, shape: readonly number[] = SHAPE) {
  return buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape },
      { name: "y", dtype: "float32", shape: outputs },
    ],
    operators: [{ code: "CUSTOM", custom: `Flex${op}`, inputs: [0], outputs: [1], customOptions }],
    inputs: [0],
    outputs: [1],
  });
}

/** What TensorFlow's poolings give: padding is not counted. */
function reference(op: string, x: Float32Array, filter: readonly number[], stride: readonly number[], same: boolean) {
  const [, , , , channels] = SHAPE;
  const sizes = SHAPE.slice(1, 4);
  const out = sizes.map((n, d) => {
    const [f, s] = [filter[d] as number, stride[d] as number];
    return same ? Math.ceil(n / s) : Math.floor((n - f) / s) + 1;
  });
  const before = sizes.map((n, d) => {
    const missing = ((out[d] as number) - 1) * (stride[d] as number) + (filter[d] as number) - n;
    return same ? Math.max(0, missing) >> 1 : 0;
  });
  const places = (d: number, o: number) =>
    Array.from({ length: filter[d] as number }, (_, i) => o * (stride[d] as number) - (before[d] as number) + i).filter(
      (at) => at >= 0 && at < (sizes[d] as number),
    );
  const [D, H, W] = out as [number, number, number];
  const y: number[] = [];
  for (let d = 0; d < D; d++)
    for (let h = 0; h < H; h++)
      for (let w = 0; w < W; w++)
        for (let c = 0; c < channels; c++) {
          const values = places(0, d).flatMap((i) =>
            places(1, h).flatMap((j) =>
              places(2, w).map((k) => x[((i * SHAPE[2] + j) * SHAPE[3] + k) * channels + c] as number),
            ),
          );
          y.push(op === "MaxPool3D" ? Math.max(...values) : values.reduce((a, b) => a + b) / values.length);
        }
  return { y, shape: [1, ...out, channels] };
}

for (const op of ["MaxPool3D", "AvgPool3D"])
  test(`Flex${op}: windows over depth, height and width, as TensorFlow places them`, async () => {
    const x = Float32Array.from({ length: 360 }, (_, i) => Math.sin(i * 1.7) * 3 - 1);
    for (const [filter, stride, padding] of [
      [[2, 2, 2], [2, 2, 2], "VALID"],
      [[3, 2, 3], [2, 1, 2], "SAME"],
      [[1, 3, 2], [1, 2, 1], "VALID"],
      [[2, 3, 1], [1, 1, 1], "SAME"],
    ] as const) {
      const { y, shape } = reference(op, x, filter, stride, padding === "SAME");
      const bytes = model(op, shape, flexOptions(op, [1, ...filter, 1], [1, ...stride, 1], padding));
      for (const module of ["scalar", "simd"] as const) {
        const session = await loadModel(bytes, { module });
        const got = session.run([x]).y as Float32Array;
        assert.deepEqual(session.outputs[0]?.shape, shape);
        for (const [i, value] of y.entries()) assert.ok(Math.abs(value - (got[i] as number)) < 1e-6, `${i}: ${value}`);
        session.close();
      }
    }
  });

test("Flex pools: windows and steps above 127, attributes in any order, lists that are not packed, names inside of names", async () => {
  const [wide, steps] = [
    [1, 1, 200, 300, 1],
    [1, 1, 150, 129, 1],
  ] as const;
  const shape = [1, 1, 350, 429, 1];
  const x = Float32Array.from({ length: 350 * 429 }, (_, i) => Math.sin(i * 1.7) * 3 - 1);
  const y = [0, 150].flatMap((top) =>
    [0, 129].map((left) => {
      let most = Number.NEGATIVE_INFINITY;
      for (let i = top; i < top + 200; i++)
        for (let j = left; j < left + 300; j++) most = Math.max(most, x[i * 429 + j] as number);
      return most;
    }),
  );
  const padding = attr("padding", field(2, text("VALID")));
  const named = field(1, text("strides\u0012ksize\u0012padding SAME NCDHW")); // the operator's own name
  const orders = [
    [...named, ...ints("ksize", wide), ...ints("strides", steps), ...padding],
    [...padding, ...loose("strides", steps), ...attr("T", [0x30, 1]), ...ints("ksize", wide), ...named],
    // unknown fields of each wire type
    [
      0x78,
      1,
      0x79,
      ...Array(8).fill(7),
      0x7d,
      1,
      2,
      3,
      4,
      ...loose("ksize", wide),
      ...padding,
      ...ints("strides", steps),
    ],
  ];
  for (const node of orders) {
    const bytes = model("MaxPool3D", [1, 1, 2, 2, 1], flexList("MaxPool3D", node), shape);
    const session = await loadModel(bytes, { module: "simd" });
    assert.deepEqual([...(session.run([x]).y as Float32Array)], y);
    session.close();
  }
  const far = flexList("MaxPool3D", [...ints("ksize", [1, 2 ** 31, 1, 1, 1]), ...ints("strides", steps), ...padding]);
  await assert.rejects(loadModel(model("MaxPool3D", [1, 1, 2, 2, 1], far, shape)), /undefined by 1,150,129/);
  const most = flexList("MaxPool3D", [
    ...[...ints("ksize", [1, 2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1, 1]), ...ints("strides", [1, 1, 1, 1, 1])],
    ...attr("padding", field(2, text("SAME"))),
  ]);
  await assert.rejects(
    loadModel(model("MaxPool3D", shape, most, shape), { module: "simd" }).then((session) => session.run([x])),
    Pint8Error,
  );
});

test("FlexMaxPool3D: other layouts and damaged options are refused", async () => {
  const whole = flexOptions("MaxPool3D", [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID");
  const refused = (options: Uint8Array, message: RegExp, shape?: readonly number[]) =>
    assert.rejects(loadModel(model("MaxPool3D", [1, 2, 3, 2, 3], options, shape), { module: "scalar" }), message);
  await refused(flexOptions("MaxPool3D", [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID", "NCDHW"), /undefined by undefined/);
  await refused(flexOptions("MaxPool3D", [1, 2, 2, 2, 2], [1, 2, 2, 2, 1], "VALID"), /undefined by 2,2,2/);
  await refused(flexOptions("MaxPool3D", [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "EXPLICIT"), /padding undefined/);
  await refused(flexOptions("MaxPool3D", [1, 7, 2, 2, 1], [1, 2, 2, 2, 1], "VALID"), /a filter that fits/);
  await refused(whole, /depth, height, width/, [5, 6, 4, 3]);
  for (let i = 0; i < whole.length; i++)
    for (const options of [
      whole.subarray(0, i),
      whole.subarray(i),
      Uint8Array.from(whole, (byte, j) => (j === i ? 255 : byte)),
    ])
      try {
        (await loadModel(model("MaxPool3D", [1, 2, 3, 2, 3], options), { module: "scalar" })).close();
      } catch (error) {
        assert.ok(error instanceof Pint8Error, `${i}: ${error}`);
      }
});
