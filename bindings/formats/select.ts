/** Which importer reads a file, told by its first bytes. That of ONNX is given by whoever asks, for it may come later. */
import { ensure, guarded, Pint8Error } from "../errors.ts";
import type { Attributes, Graph } from "../graph.ts";
import type { TypedArray } from "../tensor.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { strangerOf } from "./strangers.ts";
import type { Customs } from "./tflite/customs.ts";
import { importTflite, isTflite } from "./tflite/index.ts";
import { type Outline, outlineTflite } from "./tflite/outline.ts";

export type { Outline, OutlinedOperator } from "./tflite/outline.ts";
export { isOnnx };

/** An operator of the user, as importers see it. */
export interface CustomOperatorTypes {
  readonly infer: Attributes["custom"]["infer"];
}

/** What importers take besides the bytes. */
export interface ImportOptions {
  /** Batch size for models whose inputs have batch size 1 or leave it open; 1 where absent. */
  readonly batch?: number | undefined;
  /** Shapes of inputs by name, for models that leave dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** TensorFlow Lite: the signature whose subgraph is the graph; the first subgraph where absent. */
  readonly signature?: string | undefined;
  /** TensorFlow Lite: the user's own operators, by the names that the model has for them. */
  readonly customOperators?: Readonly<Record<string, CustomOperatorTypes>> | undefined;
  /** ONNX: values of inputs by name that are known when planned: these become constants, and are no inputs any more. */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>> | undefined;
  /** ONNX: files with tensors that the model keeps outside, by the names that it gives them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** What reads a model file, at once or later. */
export type Importer = (bytes: Uint8Array, options: ImportOptions) => Graph | Promise<Graph>;

/** What stands in a model that cannot be read whole; undefined for formats that have no such view. */
export function outlineModel(bytes: Uint8Array, customs: Customs): Outline | undefined {
  return isTflite(bytes) ? outlineTflite(bytes, customs) : undefined;
}

/** A plain view: subclasses such as Node's Buffer have a `slice` that does not copy. */
export const viewOf = (bytes: Uint8Array) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What reads files that are no ordinary .tflite files, where it is at hand. */
export interface Readers {
  readonly onnx?: (bytes: Uint8Array, options: ImportOptions) => Graph;
  readonly customs?: Customs;
}

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
  if (read !== undefined) return guarded("INVALID_MODEL", "file", () => read(plain, options));
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
