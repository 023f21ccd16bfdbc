import { add } from "./add.ts";
import { averagePool2d } from "./averagePool2d.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { depthwiseConv2d } from "./depthwiseConv2d.ts";
import { dequantize } from "./dequantize.ts";
import { expandDims } from "./expandDims.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { hardSwish } from "./hardSwish.ts";
import { leakyRelu } from "./leakyRelu.ts";
import { logistic } from "./logistic.ts";
import { maxPool2d } from "./maxPool2d.ts";
import { mean } from "./mean.ts";
import { mul } from "./mul.ts";
import { pad } from "./pad.ts";
import { quantize } from "./quantize.ts";
import { relu } from "./relu.ts";
import { relu6 } from "./relu6.ts";
import { reluN1To1 } from "./reluN1To1.ts";
import { reshape } from "./reshape.ts";
import { resizeBilinear } from "./resizeBilinear.ts";
import { resizeNearestNeighbor } from "./resizeNearestNeighbor.ts";
import { softmax } from "./softmax.ts";
import { squeeze } from "./squeeze.ts";
import { sub } from "./sub.ts";
import { tanh } from "./tanh.ts";
import { transpose } from "./transpose.ts";
import type { Operators } from "./types.ts";

/** Every operator by its kind. */
export const operators: Operators = {
  conv2d,
  depthwiseConv2d,
  fullyConnected,
  add,
  sub,
  mul,
  averagePool2d,
  maxPool2d,
  mean,
  pad,
  concat,
  reshape,
  squeeze,
  expandDims,
  transpose,
  resizeBilinear,
  resizeNearestNeighbor,
  softmax,
  logistic,
  tanh,
  relu,
  relu6,
  reluN1To1,
  leakyRelu,
  hardSwish,
  quantize,
  dequantize,
};
