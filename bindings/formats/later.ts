/** Model files → Graph; who loads .tflite files alone never loads the importer of .onnx files. */
import { Pint8Error, textOf } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { type ImportOptions, importBy, viewOf } from "./select.ts";

/** `importModel`, which loads the importer of .onnx files when it meets one. Errors: those of `importModel`; IO where it cannot be loaded. */
export async function importLater(bytes: Uint8Array, options: ImportOptions): Promise<Graph> {
  const onnx = isOnnx(viewOf(bytes)) ? await loadOnnx() : undefined;
  return importBy(onnx?.importOnnx, bytes, options);
}

async function loadOnnx(): Promise<typeof import("./onnx/index.ts")> {
  try {
    return await import("./onnx/index.ts");
  } catch (cause) {
    throw new Pint8Error(
      "IO",
      {
        where: "the importer of .onnx files",
        expected: "a script that is loaded when one is met",
        received: textOf(cause),
        hint: 'Where no script is imported at run time, as in service workers, import loadModel from "pint8/inline".',
      },
      { cause },
    );
  }
}
