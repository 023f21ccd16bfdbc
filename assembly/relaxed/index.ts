export { conv2d, gemm } from "./gemm";
export { dwconv, gemv } from "../simd/index";
