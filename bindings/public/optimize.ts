/**
 * Makes networks small: quantizes, prunes, distils and evaluates them, judged by the engine that runs them:
 * `pint8/optimize`. Nothing here touches a file system: it runs in a browser's worker too.
 *
 * @module
 */
export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export { type WriteOnnxOptions, writeOnnx } from "../formats/onnx/write/index.ts";
export { type WriteTfliteOptions, writeTflite } from "../formats/tflite/write/index.ts";
export { arrayDataset, type DataPort, type Known, type Preparation, type Rows } from "../optimize/data/arrays.ts";
export { ahead, type Batch, batches, datasetOf, slice } from "../optimize/data/batches.ts";
export { readCsv, type Table } from "../optimize/data/csv.ts";
export { type ExampleFile, filesDataset, type PictureDecoder } from "../optimize/data/files.ts";
export { readIdx } from "../optimize/data/idx.ts";
export { readNpy, readNpz } from "../optimize/data/npy.ts";
export { parquetDataset } from "../optimize/data/parquet.ts";
export type { Dataset, Sample } from "../optimize/data/types.ts";
export { readWav, type Sound } from "../optimize/data/wav.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "../optimize/evaluate/evaluate.ts";
export type { Classes, Compared, LayerError, Model, ModelFigures, Nearness } from "../optimize/evaluate/figures.ts";
export { type NodeMeasure, nodeData } from "../optimize/evaluate/nodeData.ts";
export { reportHtml } from "../optimize/evaluate/report.ts";
export type { Progress, Step } from "../optimize/progress.ts";
export type { Pattern, PruneOptions } from "../optimize/prune/options.ts";
export { type PrunedLayer, type PruneResult, prune } from "../optimize/prune/prune.ts";
export type {
  ActivationType,
  Bound,
  BoundName,
  BoundReport,
  LayerReport,
  LayerSetting,
  OutputReport,
  QuantizeOptions,
  Rounding,
  WeightType,
} from "../optimize/quantize/options.ts";
export { type QuantizeResult, quantize } from "../optimize/quantize/quantize.ts";
export { readRecipe, writeRecipe } from "../optimize/quantize/recipe.ts";
export { freshNetwork } from "../optimize/train/architectures/index.ts";
export { AUGMENTATION, type Augmentation } from "../optimize/train/augment.ts";
export { type DistilOptions, distil, freshFor } from "../optimize/train/distil.ts";
export type { Levels, LossWeights, Objective } from "../optimize/train/kinds.ts";
export type { Changes, Progress as TrainProgress, TrainOptions } from "../optimize/train/options.ts";
export { train } from "../optimize/train/train.ts";
