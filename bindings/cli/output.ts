/** The file that an optimized graph becomes, by the ending of its name. */
import { ensure, Pint8Error } from "../errors.ts";
import { writeOnnx } from "../formats/onnx/write/index.ts";
import { writeTflite } from "../formats/tflite/write/index.ts";
import type { Graph } from "../graph.ts";
import { runPasses } from "../public/index.ts";
import type { Streams } from "./streams.ts";

/** Refuses names of other endings, before any work is done. */
export function requireModelName(output: string): void {
  ensure(/\.(tflite|onnx)$/i.test(output), "INVALID_OPTION", () => ({
    where: "--output",
    expected: "a name that ends in .tflite or .onnx",
    received: output,
  }));
}

const isOnnx = (output: string) => /\.onnx$/i.test(output);

/** What a graph came from, where it was a file, and how it is written. */
interface Written {
  readonly from?: Uint8Array;
  readonly signature?: string | undefined;
  readonly encode?: "sparse" | "dense" | undefined;
  /** Graphs of its other signatures. */
  readonly others?: { readonly [signature: string]: Graph };
}

/**
 * Refuses graphs with operators that the format of the output lacks, before any work is done. Shapes that a file leaves out are known when types are
 * inferred, which is part of the work. Errors: UNSUPPORTED.
 */
export function requireWritable(output: string, graph: Graph): void {
  try {
    modelFile(output, graph, () => {});
  } catch (error) {
    if (!(error instanceof Pint8Error) || error.code !== "INVALID_GRAPH") throw error;
    modelFile(output, runPasses(graph, { only: ["foldConstants"] }), () => {});
  }
}

/** The bytes; `err` hears warnings. Errors: UNSUPPORTED for operators that the format lacks. */
export function modelFile(
  output: string,
  graph: Graph,
  err: Streams["err"],
  { from, signature, encode, others }: Written = {},
): Uint8Array {
  const onWarning = (message: string) => err(message.replace("pint8: ", "warning: "));
  if (isOnnx(output)) return writeOnnx(graph, { onWarning });
  return writeTflite(graph, {
    ...(from && { from, reading: { signature }, ...(others && { others }) }),
    sparse: encode === "sparse" ? "smaller" : "never",
    onWarning,
  });
}
