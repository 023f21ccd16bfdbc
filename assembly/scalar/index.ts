export { conv2d, gemm, gemv, gemvWide, sparseConv2d, spmm } from "./gemm";
export { dwconv } from "./dwconv";
export { dwconv3x3 } from "./dwconv3x3";
export { requantize } from "./requantize-rows";
