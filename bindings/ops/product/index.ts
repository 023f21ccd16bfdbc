/** The rarer operators of this family, each by its kind; the others stand in `ordinary.ts`. */
export { batchMatMul } from "./batchMatMul.ts";
export { conv3d } from "./conv3d.ts";
export { conv3dTranspose } from "./conv3dTranspose.ts";
export { products } from "./products.ts";
export { transposeConv } from "./transposeConv.ts";
export { transposeConvBias } from "./transposeConvBias.ts";
