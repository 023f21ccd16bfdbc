import { ensure } from "../../errors.ts";
import type { TypedArray } from "../../tensor.ts";
import { type Port, portText } from "../port.ts";
import { grey, type Picture, resize } from "./picture.ts";

/** What a picture's pixels of 0..255 become: as they are, or real numbers `(pixel − mean) / std` per channel. */
export type Scaling =
  | { readonly kind: "raw" }
  | { readonly kind: "real"; readonly mean: readonly number[]; readonly std: readonly number[] };

const UNIT: Scaling = { kind: "real", mean: [0], std: [255] };
const SIGNED: Scaling = { kind: "real", mean: [127.5], std: [127.5] };

/** Bounds of the element types that a picture can become. */
const BOUNDS = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  float32: [-Infinity, Infinity],
} as const;
type PictureType = keyof typeof BOUNDS;

/**
 * The scaling where none was asked for: raw pixels for uint8 inputs and for int8 inputs of scale 1 or 1/255 and zero
 * point −128; otherwise 0..1, or −1..1 where the input's range reaches as far below zero.
 */
export function defaultScaling(port: Port): Scaling {
  const { dtype, scale, zeroPoint } = port;
  if (dtype === "uint8") return { kind: "raw" };
  if (dtype === "int8" && zeroPoint === -128 && (near(scale, 1) || near(scale, 1 / 255))) return { kind: "raw" };
  if (dtype === "float32" || scale === 0) return UNIT;
  const [low] = BOUNDS[dtype as PictureType];
  return scale * (low - zeroPoint) < -0.5 ? SIGNED : UNIT;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-4 * b;
}

/** How a scaling reads in a message. */
export function scalingText(scaling: Scaling): string {
  if (scaling.kind === "raw") return "raw pixels";
  if (scaling === UNIT) return "pixels scaled to 0..1";
  if (scaling === SIGNED) return "pixels scaled to -1..1";
  return `(pixel - ${scaling.mean.join(",")}) / ${scaling.std.join(",")}`;
}

/**
 * Makes a picture the value of an input `[1,H,W,C]` or `[H,W,C]` of 1 (grey) or 3 (red, green, blue) channels: resizes,
 * takes luma for one channel, scales, and quantizes by the input's own scale and zero point.
 */
export function preparePicture(picture: Picture, port: Port, scaling: Scaling): TypedArray {
  const { height, width, channels } = imageShape(port);
  const resized = resize(picture, width, height);
  const pixels = channels === 1 ? grey(resized) : resized.data;
  const store = storage(port, pixels.length);
  if (scaling.kind === "raw") {
    const offset = port.dtype === "int8" ? -128 : 0;
    for (const [i, pixel] of pixels.entries()) store[i] = Math.floor(pixel + 0.5) + offset;
    return store;
  }
  const mean = perChannel(scaling.mean, channels, "--mean");
  const std = perChannel(scaling.std, channels, "--std");
  for (const [i, pixel] of pixels.entries())
    store[i] = quantize((pixel - (mean[i % channels] as number)) / (std[i % channels] as number), port);
  return store;
}

/** Height, width and channels of an image input; an error where the input has another form. */
export function imageShape(port: Port): { height: number; width: number; channels: 1 | 3 } {
  const sizes = port.shape.length === 4 && port.shape[0] === 1 ? port.shape.slice(1) : port.shape;
  const [height = 0, width = 0, channels] = sizes;
  ensure(
    sizes.length === 3 && (channels === 1 || channels === 3) && height * width > 1 && port.dtype in BOUNDS,
    "INVALID_INPUT",
    () => ({
      where: `input ${portText(port)}`,
      expected: "an image input [1,height,width,1 or 3] of int8, uint8, int16 or float32 for a picture",
      received: `${port.dtype} [${port.shape.join(",")}]`,
      hint: "Give this input its raw bytes in a .bin file.",
    }),
  );
  return { height, width, channels };
}

function storage(port: Port, length: number): TypedArray {
  switch (port.dtype as PictureType) {
    case "int8":
      return new Int8Array(length);
    case "uint8":
      return new Uint8Array(length);
    case "int16":
      return new Int16Array(length);
    case "float32":
      return new Float32Array(length);
  }
}

function perChannel(values: readonly number[], channels: number, option: string): readonly number[] {
  ensure(values.length === 1 || values.length === channels, "INVALID_OPTION", () => ({
    where: option,
    expected: channels === 1 ? "one number" : `one number, or one for each of ${channels} channels`,
    received: `${values.length} numbers`,
  }));
  return values.length === channels ? values : Array.from({ length: channels }, () => values[0] as number);
}

/**
 * `floor(real/scale + zeroPoint + 1/2)`, saturated. Ties go up, and what is within 1e-4 of a tie is one: stored scales are
 * float32, and 2/255 for −1..1 puts every pixel on a tie, which must give `pixel − 128`.
 */
function quantize(real: number, { dtype, scale, zeroPoint }: Port): number {
  if (dtype === "float32") return real;
  const [low, high] = BOUNDS[dtype as PictureType];
  const q = Math.floor((scale === 0 ? real : real / scale) + zeroPoint + 0.5 + 1e-4);
  return Math.min(Math.max(q, low), high);
}
