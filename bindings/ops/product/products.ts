import { lowerDepthwiseConv2dF32 } from "../depthwise/depthwiseConv2dF32.ts";
import { lowerDepthwiseConv2dWide } from "../depthwise/depthwiseConv2dWide.ts";
import type { Products } from "../types.ts";
import { lowerConv2dF32 } from "./conv2dF32.ts";
import { lowerConv2dWide } from "./conv2dWide.ts";
import { lowerFullyConnectedBlocks } from "./fullyConnectedBlocks.ts";
import { lowerFullyConnectedF32 } from "./fullyConnectedF32.ts";
import { lowerFullyConnectedWide } from "./fullyConnectedWide.ts";

/** Products of 16 bits, of weights with zero points, of floats. */
export const products: Products = {
  conv2d: { wide: lowerConv2dWide, f32: lowerConv2dF32 },
  depthwiseConv2d: { wide: lowerDepthwiseConv2dWide, f32: lowerDepthwiseConv2dF32 },
  fullyConnected: { wide: lowerFullyConnectedWide, f32: lowerFullyConnectedF32, blocks: lowerFullyConnectedBlocks },
};
