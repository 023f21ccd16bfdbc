import { callOnce, ifOperator, whileOperator } from "./control/branches.ts";
import { call, varHandle } from "./control/calls.ts";
import { custom } from "./control/custom.ts";
import { assignVariable, readVariable } from "./control/variables.ts";
import { depthwiseConv2d } from "./depthwise/depthwiseConv2d.ts";
import { abs } from "./elementwise/abs.ts";
import { add } from "./elementwise/add.ts";
import { addN } from "./elementwise/addN.ts";
import { atan2 } from "./elementwise/atan2.ts";
import { bitwise } from "./elementwise/bitwise.ts";
import { bitwiseXor } from "./elementwise/bitwiseXor.ts";
import { bucketize } from "./elementwise/bucketize.ts";
import { cast } from "./elementwise/cast.ts";
import { cbrt } from "./elementwise/cbrt.ts";
import { ceil } from "./elementwise/ceil.ts";
import { complexAbs } from "./elementwise/complexAbs.ts";
import { cos } from "./elementwise/cos.ts";
import { div } from "./elementwise/div.ts";
import { elu } from "./elementwise/elu.ts";
import { equal } from "./elementwise/equal.ts";
import { erf } from "./elementwise/erf.ts";
import { exp } from "./elementwise/exp.ts";
import { fakeQuant } from "./elementwise/fakeQuant.ts";
import { floor } from "./elementwise/floor.ts";
import { floorDiv } from "./elementwise/floorDiv.ts";
import { floorMod } from "./elementwise/floorMod.ts";
import { gelu } from "./elementwise/gelu.ts";
import { greater } from "./elementwise/greater.ts";
import { greaterEqual } from "./elementwise/greaterEqual.ts";
import { imag } from "./elementwise/imag.ts";
import { less } from "./elementwise/less.ts";
import { lessEqual } from "./elementwise/lessEqual.ts";
import { log } from "./elementwise/log.ts";
import { logicalAnd } from "./elementwise/logicalAnd.ts";
import { logicalNot } from "./elementwise/logicalNot.ts";
import { logicalOr } from "./elementwise/logicalOr.ts";
import { maximum } from "./elementwise/maximum.ts";
import { minimum } from "./elementwise/minimum.ts";
import { mul } from "./elementwise/mul.ts";
import { neg } from "./elementwise/neg.ts";
import { notEqual } from "./elementwise/notEqual.ts";
import { pow } from "./elementwise/pow.ts";
import { prelu } from "./elementwise/prelu.ts";
import { real } from "./elementwise/real.ts";
import { rightShift } from "./elementwise/rightShift.ts";
import { round } from "./elementwise/round.ts";
import { rsqrt } from "./elementwise/rsqrt.ts";
import { select } from "./elementwise/select.ts";
import { selectV2 } from "./elementwise/selectV2.ts";
import { sign } from "./elementwise/sign.ts";
import { sin } from "./elementwise/sin.ts";
import { sqrt } from "./elementwise/sqrt.ts";
import { square } from "./elementwise/square.ts";
import { squaredDifference } from "./elementwise/squaredDifference.ts";
import { sub } from "./elementwise/sub.ts";
import { trigonometric } from "./elementwise/trigonometric.ts";
import { batchToSpace } from "./move/batchToSpace.ts";
import { bitcast } from "./move/bitcast.ts";
import { broadcastArgs } from "./move/broadcastArgs.ts";
import { broadcastTo } from "./move/broadcastTo.ts";
import { concat } from "./move/concat.ts";
import { densify } from "./move/densify.ts";
import { depthToSpace } from "./move/depthToSpace.ts";
import { dilate } from "./move/dilate.ts";
import { dynamicUpdateSlice } from "./move/dynamicUpdateSlice.ts";
import { embeddingLookup } from "./move/embeddingLookup.ts";
import { expandDims } from "./move/expandDims.ts";
import { fill } from "./move/fill.ts";
import { gather } from "./move/gather.ts";
import { gatherNd } from "./move/gatherNd.ts";
import { hashtableLookup } from "./move/hashtableLookup.ts";
import { matrixDiag } from "./move/matrixDiag.ts";
import { matrixSetDiag } from "./move/matrixSetDiag.ts";
import { mirrorPad } from "./move/mirrorPad.ts";
import { nonZero } from "./move/nonZero.ts";
import { pack } from "./move/pack.ts";
import { pad } from "./move/pad.ts";
import { prefix } from "./move/prefix.ts";
import { range } from "./move/range.ts";
import { rank } from "./move/rank.ts";
import { reshape } from "./move/reshape.ts";
import { reverse } from "./move/reverse.ts";
import { reverseSequence } from "./move/reverseSequence.ts";
import { scatterNd } from "./move/scatterNd.ts";
import { scatterUpdate } from "./move/scatterUpdate.ts";
import { shape } from "./move/shape.ts";
import { slice } from "./move/slice.ts";
import { spaceToBatch } from "./move/spaceToBatch.ts";
import { spaceToDepth } from "./move/spaceToDepth.ts";
import { sparseToDense } from "./move/sparseToDense.ts";
import { split } from "./move/split.ts";
import { splitV } from "./move/splitV.ts";
import { squeeze } from "./move/squeeze.ts";
import { stridedSlice } from "./move/stridedSlice.ts";
import { tile } from "./move/tile.ts";
import { transpose } from "./move/transpose.ts";
import { unique } from "./move/unique.ts";
import { unpack } from "./move/unpack.ts";
import { where } from "./move/where.ts";
import { zerosLike } from "./move/zerosLike.ts";
import { averagePool2d } from "./pool/averagePool2d.ts";
import { l2Pool2d } from "./pool/l2Pool2d.ts";
import { maxPool2d } from "./pool/maxPool2d.ts";
import { maxPoolPlaces } from "./pool/maxPoolPlaces.ts";
import { maxUnpool } from "./pool/maxUnpool.ts";
import { mean } from "./pool/mean.ts";
import { reduceAll } from "./pool/reduceAll.ts";
import { reduceAny } from "./pool/reduceAny.ts";
import { reduceMax } from "./pool/reduceMax.ts";
import { reduceMin } from "./pool/reduceMin.ts";
import { reduceProd } from "./pool/reduceProd.ts";
import { sum } from "./pool/sum.ts";
import { batchMatMul } from "./product/batchMatMul.ts";
import { conv2d } from "./product/conv2d.ts";
import { conv3d } from "./product/conv3d.ts";
import { conv3dTranspose } from "./product/conv3dTranspose.ts";
import { fullyConnected } from "./product/fullyConnected.ts";
import { transposeConv } from "./product/transposeConv.ts";
import { transposeConvBias } from "./product/transposeConvBias.ts";
import { bidirectionalLstm } from "./recurrent/bidirectionalLstm.ts";
import { lstm } from "./recurrent/lstm.ts";
import { bidirectionalRnn, rnn } from "./recurrent/rnn.ts";
import { svdf } from "./recurrent/svdf.ts";
import { resizeBilinear } from "./resize/resizeBilinear.ts";
import { resizeNearestNeighbor } from "./resize/resizeNearestNeighbor.ts";
import { rfft2d } from "./signal/rfft2d.ts";
import { signalAutoScale } from "./signal/signalAutoScale.ts";
import { signalDelay } from "./signal/signalDelay.ts";
import { signalEnergy } from "./signal/signalEnergy.ts";
import { signalFilterBank } from "./signal/signalFilterBank.ts";
import { signalFramer } from "./signal/signalFramer.ts";
import { signalGain } from "./signal/signalGain.ts";
import { signalInverse } from "./signal/signalInverse.ts";
import { signalLog } from "./signal/signalLog.ts";
import { signalOverlapAdd } from "./signal/signalOverlapAdd.ts";
import { signalRoot } from "./signal/signalRoot.ts";
import { signalStacker } from "./signal/signalStacker.ts";
import { signalSubtraction } from "./signal/signalSubtraction.ts";
import { signalTransform } from "./signal/signalTransform.ts";
import { signalWindow } from "./signal/signalWindow.ts";
import { argMax } from "./sort/argMax.ts";
import { argMin } from "./sort/argMin.ts";
import { cumsum } from "./sort/cumsum.ts";
import { detectionPostProcess } from "./sort/detectionPostProcess.ts";
import { nonMaxSuppressionV4 } from "./sort/nonMaxSuppressionV4.ts";
import { nonMaxSuppressionV5 } from "./sort/nonMaxSuppressionV5.ts";
import { oneHot } from "./sort/oneHot.ts";
import { segmentSum } from "./sort/segmentSum.ts";
import { topK } from "./sort/topK.ts";
import { unsortedSegmentMax } from "./sort/unsortedSegmentMax.ts";
import { unsortedSegmentMin } from "./sort/unsortedSegmentMin.ts";
import { unsortedSegmentProd } from "./sort/unsortedSegmentProd.ts";
import { unsortedSegmentSum } from "./sort/unsortedSegmentSum.ts";
import { dequantize } from "./table/dequantize.ts";
import { hardSwish } from "./table/hardSwish.ts";
import { l2Normalization } from "./table/l2Normalization.ts";
import { leakyRelu } from "./table/leakyRelu.ts";
import { localResponseNormalization } from "./table/localResponseNormalization.ts";
import { logistic } from "./table/logistic.ts";
import { logSoftmax } from "./table/logSoftmax.ts";
import { lookup } from "./table/lookup.ts";
import { quantize } from "./table/quantize.ts";
import { relu } from "./table/relu.ts";
import { relu0To1 } from "./table/relu0To1.ts";
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
  nonZero,
  prefix,
  transposeConv,
  batchMatMul,
  add,
  sub,
  mul,
  averagePool2d,
  maxPool2d,
  maxPoolPlaces,
  maxUnpool,
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
  spaceToDepth,
  depthToSpace,
  embeddingLookup,
  hashtableLookup,
  gather,
  batchToSpace,
  spaceToBatch,
  stridedSlice,
  split,
  slice,
  sparseToDense,
  tile,
  shape,
  pack,
  unpack,
  unique,
  where,
  zerosLike,
  fill,
  range,
  mirrorPad,
  scatterUpdate,
  bitwise,
  erf,
  trigonometric,
  splitV,
  reverse,
  gatherNd,
  rank,
  reverseSequence,
  matrixDiag,
  matrixSetDiag,
  scatterNd,
  broadcastTo,
  broadcastArgs,
  dilate,
  dynamicUpdateSlice,
  bitcast,
  resizeBilinear,
  resizeNearestNeighbor,
  softmax,
  logistic,
  lookup,
  tanh,
  relu,
  relu6,
  reluN1To1,
  leakyRelu,
  hardSwish,
  quantize,
  dequantize,
  l2Pool2d,
  logSoftmax,
  l2Normalization,
  localResponseNormalization,
  argMax,
  argMin,
  topK,
  cumsum,
  oneHot,
  segmentSum,
  unsortedSegmentSum,
  unsortedSegmentProd,
  unsortedSegmentMax,
  unsortedSegmentMin,
  div,
  prelu,
  maximum,
  minimum,
  less,
  greater,
  greaterEqual,
  lessEqual,
  select,
  equal,
  notEqual,
  pow,
  logicalOr,
  logicalAnd,
  floorDiv,
  floorMod,
  squaredDifference,
  addN,
  selectV2,
  atan2,
  bitwiseXor,
  rightShift,
  call,
  callOnce,
  if: ifOperator,
  while: whileOperator,
  varHandle,
  readVariable,
  assignVariable,
  detectionPostProcess,
  nonMaxSuppressionV4,
  nonMaxSuppressionV5,
  floor,
  exp,
  cast,
  neg,
  sin,
  log,
  sqrt,
  rsqrt,
  fakeQuant,
  logicalNot,
  square,
  abs,
  cbrt,
  ceil,
  cos,
  elu,
  round,
  imag,
  real,
  complexAbs,
  bucketize,
  gelu,
  relu0To1,
  sign,
  signalAutoScale,
  signalDelay,
  signalEnergy,
  signalFilterBank,
  signalFramer,
  signalGain,
  signalInverse,
  signalLog,
  signalOverlapAdd,
  signalRoot,
  signalStacker,
  signalSubtraction,
  signalTransform,
  signalWindow,
  lstm,
  bidirectionalLstm,
  rnn,
  bidirectionalRnn,
  svdf,
  conv3d,
  conv3dTranspose,
  densify,
  transposeConvBias,
  rfft2d,
  custom,
};
