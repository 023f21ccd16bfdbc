/** The file that an optimized graph becomes, by the ending of its name. */
import { ensure } from "../errors.ts";
import { writeOnnx } from "../formats/onnx/write/index.ts";
import { writeTflite } from "../formats/tflite/write/index.ts";
import type { Graph } from "../graph.ts";
import type { Streams } from "./streams.ts";

/** Refuses names of other endings, before any work is done. */
export function requireModelName(output: string): void {
  ensure(/\.(tflite|onnx)$/i.test(output), "INVALID_OPTION", () => ({
    where: "--output",
    expected: "a name that ends in .tflite or .onnx",
    received: output,
  }));
}

/** The bytes; `err` hears warnings; `from` is the file that the graph came from, where there is one. Errors: UNSUPPORTED for operators that the format lacks. */
export function modelFile(
  output: string,
  graph: Graph,
  err: Streams["err"],
  from?: Uint8Array,
  sparse: "never" | "smaller" = "never",
): Uint8Array {
  const onWarning = (message: string) => err(message.replace("pint8: ", "warning: "));
  return /\.onnx$/i.test(output)
    ? writeOnnx(graph, { onWarning })
    : writeTflite(graph, { ...(from && { from }), sparse, onWarning });
}
