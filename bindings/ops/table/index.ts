/** The rarer operators of this family, each by its kind; the others stand in `ordinary.ts`. */
export { l2Normalization } from "./l2Normalization.ts";
export { layerNorm } from "./layerNorm.ts";
export { localResponseNormalization } from "./localResponseNormalization.ts";
export { logSoftmax } from "./logSoftmax.ts";
