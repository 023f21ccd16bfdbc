export { copy } from "./copy";
export { add, mul } from "./elementwise";
export { lookup } from "./lookup";
export { mean } from "./mean";
export { averagePool, maxPool } from "./pool";
export { conv2d, gemm, sparseConv2d, spmm } from "./gemm";
export { gemv } from "./gemv";
export { dwconv } from "./dwconv";
export { requantize } from "./requantize-rows";
