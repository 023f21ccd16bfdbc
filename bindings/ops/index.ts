import { depthwiseConv2d } from "./depthwise/depthwiseConv2d.ts";
import { add } from "./elementwise/add.ts";
import { mul } from "./elementwise/mul.ts";
import { sub } from "./elementwise/sub.ts";
import { concat } from "./move/concat.ts";
import { expandDims } from "./move/expandDims.ts";
import { pad } from "./move/pad.ts";
import { reshape } from "./move/reshape.ts";
import { squeeze } from "./move/squeeze.ts";
import { transpose } from "./move/transpose.ts";
import { averagePool2d } from "./pool/averagePool2d.ts";
import { maxPool2d } from "./pool/maxPool2d.ts";
import { mean } from "./pool/mean.ts";
import { reduceAll } from "./pool/reduceAll.ts";
import { reduceAny } from "./pool/reduceAny.ts";
import { reduceMax } from "./pool/reduceMax.ts";
import { reduceMin } from "./pool/reduceMin.ts";
import { reduceProd } from "./pool/reduceProd.ts";
import { sum } from "./pool/sum.ts";
import { conv2d } from "./product/conv2d.ts";
import { fullyConnected } from "./product/fullyConnected.ts";
import { resizeBilinear } from "./resize/resizeBilinear.ts";
import { resizeNearestNeighbor } from "./resize/resizeNearestNeighbor.ts";
import { dequantize } from "./table/dequantize.ts";
import { hardSwish } from "./table/hardSwish.ts";
import { leakyRelu } from "./table/leakyRelu.ts";
import { logistic } from "./table/logistic.ts";
import { quantize } from "./table/quantize.ts";
import { relu } from "./table/relu.ts";
import { relu6 } from "./table/relu6.ts";
import { reluN1To1 } from "./table/reluN1To1.ts";
import { softmax } from "./table/softmax.ts";
import { tanh } from "./table/tanh.ts";
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
  sum,
  reduceProd,
  reduceMax,
  reduceMin,
  reduceAny,
  reduceAll,
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
