export { conv2d, gemm, gemv, sparseConv2d, spmm } from "./gemm";
export { dwconv } from "./dwconv";
export { requantize } from "./requantize-rows";
