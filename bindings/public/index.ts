/**
 * Imports quantized networks, plans them for this engine and runs them.
 *
 * ```ts
 * import { loadModel } from "pint8";
 *
 * const model = await loadModel("digits.tflite");
 * const { name, shape } = model.inputs[0];
 * const scores = model.run({ [name]: new Int8Array(784) });
 * model.close();
 * ```
 *
 * @module
 */
export {
  importModel,
  PASS_NAMES,
  type PassName,
  type PassOptions,
  type PlanOptions,
  planGraph,
  runPasses,
} from "../whole.ts";
export * from "./models.ts";
