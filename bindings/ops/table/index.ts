/** The operators of this family, each by its kind. */
export { dequantize } from "./dequantize.ts";
export { hardSwish } from "./hardSwish.ts";
export { l2Normalization } from "./l2Normalization.ts";
export { layerNorm } from "./layerNorm.ts";
export { leakyRelu } from "./leakyRelu.ts";
export { localResponseNormalization } from "./localResponseNormalization.ts";
export { logistic } from "./logistic.ts";
export { logSoftmax } from "./logSoftmax.ts";
export { lookup } from "./lookup.ts";
export { quantize } from "./quantize.ts";
export { relu } from "./relu.ts";
export { relu0To1 } from "./relu0To1.ts";
export { relu6 } from "./relu6.ts";
export { reluN1To1 } from "./reluN1To1.ts";
export { softmax } from "./softmax.ts";
export { tanh } from "./tanh.ts";
