/** Kernels that are the same in every module, of MVP and sign extension only where there is no SIMD. */
export { add } from "./add";
export { copy } from "./copy";
export { lookup } from "./lookup";
export { mean } from "./mean";
export { mul } from "./mul";
export { pad } from "./pad";
export { permute } from "./permute";
export { averagePool, maxPool } from "./pool";
export { dequantize, quantize } from "./quantize";
export { resizeBilinear, resizeNearest } from "./resize";
export { softmax } from "./softmax";
