/** The operators of this family, each by its kind. */
export { batchMatMul } from "./batchMatMul.ts";
export { conv2d } from "./conv2d.ts";
export { conv3d } from "./conv3d.ts";
export { conv3dTranspose } from "./conv3dTranspose.ts";
export { fullyConnected } from "./fullyConnected.ts";
export { transposeConv } from "./transposeConv.ts";
export { transposeConvBias } from "./transposeConvBias.ts";
