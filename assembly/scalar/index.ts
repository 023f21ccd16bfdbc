export { conv2d, gemm, gemv } from "./gemm";
export { dwconv } from "./dwconv";
