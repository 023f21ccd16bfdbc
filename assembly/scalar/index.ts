export { conv2d, gemm, sparseConv2d, spmm } from "./gemm";
export { gemv, gemvWide } from "./gemv";
export { dwconv } from "./dwconv";
export { dwconv3x3 } from "./dwconv3x3";
export { requantize } from "./requantize-rows";
