export { conv2d, gemm } from "./gemm";
export { gemv } from "./gemv";
export { dwconv } from "./dwconv";
