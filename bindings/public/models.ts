/** Loading, planning and inspecting models: what `pint8` is on every engine. */
import { importLater } from "../formats/later.ts";
import { type InspectOptions, inspectBy } from "../inspect.ts";
import type { Inspection } from "../inspection.ts";
import { type LoadOptions, loadBy, type PlanModelOptions, planBy } from "../load.ts";
import type { Session } from "../session/session.ts";
import type { Source } from "../session/source.ts";
import type { AnyModel, ModelTypes } from "../values/types.ts";

export type { ImportOptions } from "../formats/importing.ts";
export type {
  Activation,
  AnyNode,
  Attributes,
  Graph,
  Node,
  OpKind,
  Padding,
  Port,
  TensorId,
} from "../graph.ts";
export type { InspectOptions } from "../inspect.ts";
export type { Inspection, OperatorReport, TensorReport, Totals } from "../inspection.ts";
export type { Limits } from "../limits.ts";
export type { CustomOperator, LoadOptions, PlanModelOptions } from "../load.ts";
export type { CustomInfer, CustomTensor } from "../ops/control/custom.ts";
export { loadPacker } from "../packer/index.ts";
export { writePlan } from "../plan/file.ts";
export type { Optimize } from "../primitives/modules.ts";
export type { Packer } from "../primitives/requantize/types.ts";
export type { Quantization, Tensor, TensorType } from "../tensor.ts";
export { type ImageOptions, imageInput } from "../values/image.ts";
export type { Fit } from "../values/picture.ts";
export type { PixelData } from "../values/pixels.ts";
export * from "./runtime.ts";

/**
 * A session of a .tflite model or of a saved plan, told apart by their first bytes. A plan was made for one module and
 * batch; asking for another is an error.
 *
 * Errors: IO where the source cannot be read; INVALID_MODEL, INVALID_GRAPH, UNSUPPORTED for what cannot be run;
 * INVALID_PLAN; MODULE_UNAVAILABLE; OUT_OF_MEMORY; INVALID_OPTION; the signal's reason.
 */
export function loadModel<M extends ModelTypes = AnyModel>(source: Source, options?: LoadOptions): Promise<Session<M>> {
  return loadBy<M>(importLater, source, options);
}

/**
 * The plan of a model as a file, for `loadPlan` and `loadModel`. A plan belongs to one module and one build of it: cache it by
 * a hash of the model, the options, and pint8's version. For engines that are not known beforehand plan for `"simd"`, which
 * every current one runs.
 *
 * Errors: those of `loadModel`; INVALID_OPTION for a source that is a plan already.
 */
export function planModel(source: Source, options?: PlanModelOptions): Promise<Uint8Array> {
  return planBy(importLater, source, options);
}

/**
 * What a model or plan is made of, and what this engine makes of it. A plan no longer has operators: its kernel calls are
 * reported, without tensors.
 *
 * A .tflite model that cannot run is reported as it stands in the file, with all operators and a `refusal` for each that
 * stands in the way; its totals know of no memory.
 *
 * Errors: those of `loadModel`, where not even the file can be read.
 */
export function inspectModel(source: Source, options?: InspectOptions): Promise<Inspection> {
  return inspectBy(importLater, source, options);
}
