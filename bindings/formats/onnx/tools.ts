/** What conversions are given of ordinary operators. */
import { hybrid, matrixOf } from "./ops/dynamicWeights.ts";
import { product } from "./ops/matmul.ts";
import { dequantized, knownQuantization, quantizedValue, setQuantized } from "./quantized.ts";

export const TOOLS = { product, knownQuantization, dequantized, quantizedValue, setQuantized, matrixOf, hybrid };
export type Tools = typeof TOOLS;
