/** Inputs and outputs as a caller meets them, the same from every entry point that runs models. */
export { dequantize, type Quantized, quantize, type Score, topK } from "./quantize.ts";
export type {
  AnyModel,
  ArrayOf,
  InputArray,
  Inputs,
  ModelTypes,
  NumberArray,
  Outputs,
  TensorInfo,
} from "./types.ts";
