import { depthwiseConv2d } from "./depthwise/depthwiseConv2d.ts";
import { add } from "./elementwise/add.ts";
import { mul } from "./elementwise/mul.ts";
import { sub } from "./elementwise/sub.ts";
import { concat } from "./move/concat.ts";
import { expandDims } from "./move/expandDims.ts";
import { pack } from "./move/pack.ts";
import { pad } from "./move/pad.ts";
import { reshape } from "./move/reshape.ts";
import { shape } from "./move/shape.ts";
import { slice } from "./move/slice.ts";
import { split } from "./move/split.ts";
import { squeeze } from "./move/squeeze.ts";
import { stridedSlice } from "./move/stridedSlice.ts";
import { transpose } from "./move/transpose.ts";
import { averagePool2d } from "./pool/averagePool2d.ts";
import { maxPool2d } from "./pool/maxPool2d.ts";
import { mean } from "./pool/mean.ts";
import { conv2d } from "./product/conv2d.ts";
import { fullyConnected } from "./product/fullyConnected.ts";
import { resizeBilinear } from "./resize/resizeBilinear.ts";
import { resizeNearestNeighbor } from "./resize/resizeNearestNeighbor.ts";
import { dequantize } from "./table/dequantize.ts";
import { hardSwish } from "./table/hardSwish.ts";
import { leakyRelu } from "./table/leakyRelu.ts";
import { logistic } from "./table/logistic.ts";
import { lookup } from "./table/lookup.ts";
import { quantize } from "./table/quantize.ts";
import { relu } from "./table/relu.ts";
import { relu0To1 } from "./table/relu0To1.ts";
import { relu6 } from "./table/relu6.ts";
import { reluN1To1 } from "./table/reluN1To1.ts";
import { softmax } from "./table/softmax.ts";
import { tanh } from "./table/tanh.ts";

/** The operators of ordinary networks for pictures and sounds, by their kinds: who loads one needs no others. */
export const ordinary = {
  add,
  averagePool2d,
  concat,
  conv2d,
  depthwiseConv2d,
  dequantize,
  expandDims,
  fullyConnected,
  hardSwish,
  leakyRelu,
  logistic,
  lookup,
  maxPool2d,
  mean,
  mul,
  pack,
  pad,
  quantize,
  relu,
  relu0To1,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  shape,
  slice,
  softmax,
  split,
  squeeze,
  stridedSlice,
  sub,
  tanh,
  transpose,
};
