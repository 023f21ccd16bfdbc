/** Real pictures: where movenet sees the joints, what deeplab takes for a bird, and what the legacy uint8 networks name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { dequantize, loadModel } from "../../bindings/public/index.ts";
import type { Session } from "../../bindings/session/session.ts";
import { sharedModel, skipShared } from "../formats/shared.ts";

const SHARED = new URL("../../../shared/", import.meta.url);
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, SHARED)));
const textOf = (path: string): string => readFileSync(new URL(path, SHARED), "utf8");

/** A picture of bytes, red first, rows from the top. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** BMP of 24 bits without compression. */
function bitmap(file: Uint8Array): Picture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [start, width, signed] = [view.getUint32(10, true), view.getInt32(18, true), view.getInt32(22, true)];
  assert.equal(view.getUint16(28, true), 24);
  const height = Math.abs(signed);
  const stride = Math.ceil((width * 3) / 4) * 4;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        data[(y * width + x) * 3 + c] = file[
          start + (signed > 0 ? height - 1 - y : y) * stride + x * 3 + 2 - c
        ] as number;
  return { width, height, data };
}

/** Bilinear, centres of pixels aligned. */
function resized({ width, height, data }: Picture, w: number, h: number): Uint8Array {
  const to = new Uint8Array(w * h * 3);
  const places = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const at = Math.min(Math.max(((i + 0.5) * from) / count - 0.5, 0), from - 1);
      const low = Math.floor(at);
      return { low, high: Math.min(low + 1, from - 1), part: at - low };
    });
  const columns = places(width, w);
  for (const [y, row] of places(height, h).entries())
    for (const [x, column] of columns.entries())
      for (let c = 0; c < 3; c++) {
        const pixel = (r: number, k: number) => data[(r * width + k) * 3 + c] as number;
        const line = (r: number) => pixel(r, column.low) * (1 - column.part) + pixel(r, column.high) * column.part;
        to[(y * w + x) * 3 + c] = Math.round(line(row.low) * (1 - row.part) + line(row.high) * row.part);
      }
  return to;
}

/** The first output for a picture, as real numbers. */
function look(session: Session, picture: Picture): Float32Array {
  const [input] = session.inputs;
  assert.ok(input);
  const [, height = 0, width = 0] = input.shape;
  const pixels = resized(picture, width, height);
  const values = input.dtype === "int8" ? Int8Array.from(pixels, (byte) => byte - 128) : pixels;
  const outputs = session.run({ [input.name]: values }) as Record<string, Uint8Array>;
  const [output] = session.outputs;
  assert.ok(output);
  const raw = outputs[output.name] as Uint8Array;
  return output.scale === 0 ? Float32Array.from(raw, Number) : dequantize(output, raw);
}

const open = async (name: string): Promise<Session> =>
  (await loadModel(sharedModel(name), { module: "simd" })) as Session;
const best = (values: Float32Array) => values.reduce((at, value, i) => (value > (values[at] as number) ? i : at), 0);

describe("pictures", { skip: skipShared }, () => {
  test("movenet: every joint within 0.03 of the reference", async () => {
    const joints = look(await open("movenet_single_pose_lightning_ptq"), bitmap(bytesOf("inputs/squat.bmp")));
    const lines = textOf("inputs/movenet_single_pose_lightning_ptq_reference.csv").trim().split("\n").slice(1);
    assert.equal(lines.length, 17);
    for (const [i, line] of lines.entries()) {
      const [, , joint = -1, , x = 0, y = 0] = line.split(",").map(Number);
      assert.equal(joint, i);
      assert.ok(Math.abs((joints[i * 3] as number) - y) < 0.03, `joint ${i}: y ${joints[i * 3]}, not ${y}`);
      assert.ok(Math.abs((joints[i * 3 + 1] as number) - x) < 0.03, `joint ${i}: x ${joints[i * 3 + 1]}, not ${x}`);
    }
  });

  test("deeplab: a bird", async () => {
    const session = await open("deeplabv3_mnv2_dm05_pascal_quant");
    const labels = textOf("inputs/pascal_voc_segmentation_labels.txt").trim().split("\n");
    const map = look(session, bitmap(bytesOf("inputs/bird_segmentation.bmp")));
    const [output] = session.outputs;
    const depth = output?.shape[3] ?? 1;
    const counts = new Map<string, number>();
    for (let i = 0; i < map.length; i += depth) {
      const label = labels[depth === 1 ? (map[i] as number) : best(map.subarray(i, i + depth))] ?? "?";
      counts.set(label.trim(), (counts.get(label.trim()) ?? 0) + depth / map.length);
    }
    const known = [...counts].sort((a, b) => b[1] - a[1]).map(([label]) => label);
    assert.ok(
      known.slice(0, 2).some((label) => /bird/.test(label)),
      JSON.stringify([...counts]),
    );
    assert.ok((counts.get("bird") ?? 0) > 0.05, JSON.stringify([...counts]));
  });

  // The smallest takes a uniform for a gown, as the reference does with the same bytes.
  for (const [name, rank] of [
    ["mobilenet_v2_1.0_224_quant", 1],
    ["tf2_mobilenet_v2_1.0_224_ptq", 1],
    ["mobilenet_v1_0.25_128_quant", 5],
  ] as const)
    test(`${name} names the pictures`, async () => {
      const session = await open(name);
      const labels = textOf("inputs/imagenet_labels.txt").trim().split("\n");
      for (const [file, expected] of [
        ["cat.bmp", /cat|tabby|lynx/i],
        ["sunflower.bmp", /daisy|sunflower/i],
        ["grace_hopper.bmp", /uniform|suit|bow tie/i],
      ] as const) {
        const scores = look(session, bitmap(bytesOf(`inputs/${file}`)));
        const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
        const names = order.slice(0, rank).map((at) => labels[at + (labels.length - scores.length)] ?? "?");
        assert.match(names.join("; "), expected, file);
      }
    });
});
