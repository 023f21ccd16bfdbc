/** Model files → Graph, with the importers of all formats at hand. */
import { guarded } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { operators } from "../ops/index.ts";
import type { ImportOptions } from "./importing.ts";
import { externalNames, importOnnx } from "./onnx/index.ts";
import { rare } from "./onnx/rare.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { importBy, signaturesOf as signatureNames } from "./select.ts";
import { customs } from "./tflite/customs.ts";

/** Names of the signatures that a model has. Errors: INVALID_MODEL. */
export const signaturesOf: (bytes: Uint8Array) => readonly string[] = signatureNames;

/** Names of the files that a model keeps tensors in, which `externalData` gives by these names. */
export function externalFiles(bytes: Uint8Array): readonly string[] {
  return isOnnx(bytes) ? guarded("INVALID_MODEL", "file", () => externalNames(bytes)) : [];
}

/**
 * Reads a model file. Everything in it is checked but what operators demand of their tensors, which `infer` checks.
 * Constants of the graph may be views of `bytes`, at any alignment: leave the bytes unchanged while the graph is used.
 *
 * Errors: INVALID_MODEL, INVALID_GRAPH, UNSUPPORTED (all unknown operators in one message), INVALID_OPTION (batch),
 * OUT_OF_MEMORY (a tensor of 4 GiB or more).
 */
export function importModel(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  return importBy({ onnx: (onnx, given) => importOnnx(onnx, given, operators, rare), customs }, bytes, options ?? {});
}
