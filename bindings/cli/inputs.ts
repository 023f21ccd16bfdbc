import { extname } from "node:path";
import { ensure, type Pint8Error } from "../errors.ts";
import { foreign, invalid } from "../optimize/data/bytes.ts";
import { isNpy } from "../optimize/data/npyHeader.ts";
import { byteLength, type TypedArray, typedCopy } from "../tensor.ts";
import { defaultScaling, imageShape, preparePicture, type Scaling, scalingText } from "../values/image.ts";
import { type Port, portText } from "../values/port.ts";
import { readBytes } from "./files.ts";
import { npyInput } from "./npy.ts";
import { requirePixelUnits } from "./options.ts";
import { decodePicture, pictureFormat } from "./picture/decode.ts";

/** How pictures are scaled where the command line says so. */
export interface PictureOptions {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** The values of all inputs from one file each, in input order; `say` is told how each picture was prepared. */
export async function readInputs(
  ports: readonly Port[],
  paths: readonly string[],
  options: PictureOptions,
  say: (message: string) => void,
): Promise<readonly TypedArray[]> {
  ensure(paths.length === ports.length, "INVALID_OPTION", () => ({
    where: "--input",
    expected: `${ports.length} ${ports.length === 1 ? "file" : "files"}, one for each of ${ports.map(portText).join(", ")}`,
    received: `${paths.length}`,
  }));
  const values: TypedArray[] = [];
  for (const [i, port] of ports.entries()) values.push(await readInput(port, paths[i] as string, options, say));
  return values;
}

async function readInput(
  port: Port,
  path: string,
  { mean, std }: PictureOptions,
  say: (message: string) => void,
): Promise<TypedArray> {
  const bytes = readBytes(path);
  const extension = extname(path).toLowerCase();
  if (extension === ".bin") return rawInput(port, bytes, path);
  if (isNpy(bytes)) return npyInput(port, bytes, path);
  const format = pictureFormat(bytes);
  if (format === undefined) throw unknownFile(path, extension, bytes);
  imageShape(port);
  const picture = await decodePicture(format, bytes, path);
  requirePixelUnits(mean, std);
  const scaling: Scaling = mean || std ? { kind: "real", mean: mean ?? [0], std: std ?? [1] } : defaultScaling(port);
  const value = preparePicture(picture, port, scaling);
  say(`${path}: ${format} ${picture.width}x${picture.height} for ${portText(port)}, ${scalingText(scaling)}`);
  return value;
}

function rawInput(port: Port, bytes: Uint8Array, path: string): TypedArray {
  const expected = byteLength(port);
  ensure(bytes.length === expected, "INVALID_INPUT", () => ({
    where: path,
    expected: `${expected} bytes for input ${portText(port)}`,
    received: `${bytes.length} bytes`,
  }));
  return typedCopy(port.dtype, bytes);
}

function unknownFile(path: string, extension: string, bytes: Uint8Array): Pint8Error {
  const expected = "a .bin file of raw bytes, a .npy array, or a PNG, JPEG or BMP picture";
  if (![".wav", ".mp3", ".flac", ".ogg"].includes(extension))
    return foreign(path, expected, bytes, "Raw bytes of a tensor need the ending .bin.");
  const hint = "Compute the features that the model takes and give them as a .bin file.";
  return invalid(path, expected, `a sound file (${extension})`, hint);
}
