/** Which importer reads a file, told by its first bytes. That of ONNX is given by whoever asks, for it may come later. */
import { ensure, guarded, Pint8Error } from "../errors.ts";
import { refuseOptions } from "../given.ts";
import type { Graph } from "../graph.ts";
import type { ImportOptions } from "./importing.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { strangerOf } from "./strangers.ts";
import type { Customs } from "./tflite/customs.ts";
import { openFile, rootTable } from "./tflite/flatbuffer.ts";
import { importTflite, isTflite, needsCustoms, readSignatures } from "./tflite/index.ts";
import { type Outline, outlineTflite } from "./tflite/outline.ts";

export type { Outline, OutlinedOperator } from "./tflite/outline.ts";
export { isOnnx };

/** What stands in a model that cannot be read whole; undefined for formats that have no such view. */
export function outlineModel(bytes: Uint8Array, customs: Customs, signature?: string): Outline | undefined {
  return isTflite(bytes) ? outlineTflite(bytes, customs, signature) : undefined;
}

/** Names of the signatures that a model has, of which `signature` chooses one. Errors: INVALID_MODEL. */
export const signaturesOf = (bytes: Uint8Array): readonly string[] =>
  isTflite(bytes) ? readSignatures(rootTable(openFile(bytes))).map(({ key }) => key) : [];

/** Whether a file is a .tflite file of ordinary operators: nothing but tensors of its graph has bytes that are the file's. */
export const isOrdinary = (bytes: Uint8Array) => isTflite(bytes) && !needsCustoms(bytes);

/** A plain view: subclasses such as Node's Buffer have a `slice` that does not copy. */
export const viewOf = (bytes: Uint8Array) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What reads files that are no ordinary .tflite files, where it is at hand. */
export interface Readers {
  readonly onnx?: (bytes: Uint8Array, options: ImportOptions) => Graph;
  readonly customs?: Customs;
}

/** Options that mean nothing to the other format. A program may hand its operators to every model. */
const [ONNX, TFLITE] = ["none: .onnx files alone have it", "none: .tflite files alone have it"];
const OF_ONNX = { constants: ONNX, externalData: ONNX };
const OF_TFLITE = { signature: TFLITE };

/** The graph of a .tflite file, or of an .onnx file. */
export function importBy({ onnx, customs }: Readers, bytes: Uint8Array, options: ImportOptions): Graph {
  ensure(ArrayBuffer.isView(bytes), "INVALID_OPTION", () => ({
    where: "importModel",
    expected: "a Uint8Array of the file's bytes",
    received: typeof bytes,
    hint: "loadModel takes paths, URLs and responses, too.",
  }));
  const plain = viewOf(bytes);
  const tflite = (file: Uint8Array) => importTflite(file, { ...options, customs });
  const read = isTflite(plain) ? tflite : isOnnx(plain) ? onnx : undefined;
  if (read !== undefined) {
    refuseOptions(options, read === tflite ? OF_ONNX : OF_TFLITE, "Leave it out for files of the other format.");
    return guarded("INVALID_MODEL", "file", () => read(plain, options));
  }
  const stranger = strangerOf(plain);
  const start = plain.length < 8 ? `${plain.length} bytes` : `bytes ${hex(plain.subarray(0, 8))}`;
  throw new Pint8Error("INVALID_MODEL", {
    where: "file",
    expected: 'a .tflite file (identifier "TFL3" at byte 4) or an .onnx file',
    received: stranger?.name ?? start,
    hint: stranger?.hint ?? "Check that the path or URL leads to the model itself and that the download is complete.",
  });
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
