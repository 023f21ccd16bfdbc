export { conv2d, gemm, gemv, gemvWide, sparseConv2d, spmm } from "./gemm";
export { dwconv } from "./dwconv";
export { requantize } from "./requantize-rows";
