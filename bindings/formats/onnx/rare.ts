/** What few models need: all operators but those of ordinary networks, and forms of these. It is loaded when a model has one. */
import { aligned } from "./aligned.ts";
import type { Rare } from "./convert.ts";
import { inlineFunctions } from "./functions.ts";
import { fuseGelu } from "./gelu.ts";
import { slopedOf } from "./integer/sloped.ts";
import { DISTANCES } from "./ml/distances.ts";
import { ENCODERS } from "./ml/encoder.ts";
import { FEATURES } from "./ml/features.ts";
import { LINEAR_MODELS } from "./ml/linear.ts";
import { SUPPORT_VECTORS } from "./ml/svm.ts";
import { TREES } from "./ml/trees.ts";
import { openOf } from "./open.ts";
import { ATTENTION } from "./ops/attention.ts";
import { SCANS } from "./ops/batchedScan.ts";
import { normalizedProduct } from "./ops/batchNormalization.ts";
import { CHOICES } from "./ops/choices.ts";
import { quantizationAny } from "./ops/computed.ts";
import { padContinued } from "./ops/continued.ts";
import { CONTROL } from "./ops/control.ts";
import { CURVES } from "./ops/curves.ts";
import { DEFORMED } from "./ops/deform.ts";
import { DEQUANTIZED } from "./ops/dequantized.ts";
import { DRAWN } from "./ops/drawn.ts";
import { DYNAMIC_PRODUCTS } from "./ops/dynamicProducts.ts";
import { EINSUM } from "./ops/einsum.ts";
import { EMBEDDINGS } from "./ops/embed.ts";
import { EXTREMES } from "./ops/extremes.ts";
import { FAKE_QUANTIZED } from "./ops/fakeQuantized.ts";
import { castToFew, FEWS } from "./ops/few.ts";
import { FOUND } from "./ops/found.ts";
import { FUNCTIONS } from "./ops/functions.ts";
import { FUSED } from "./ops/fused.ts";
import { GEOMETRY } from "./ops/geometry.ts";
import { GROUPED } from "./ops/grouped.ts";
import { scalesAny } from "./ops/integers.ts";
import { LINEAR } from "./ops/linear.ts";
import { LOSSES } from "./ops/losses.ts";
import { NEWEST } from "./ops/newest.ts";
import { computedNormalization, NORMALIZATIONS } from "./ops/normalize.ts";
import { OPENED } from "./ops/opened.ts";
import { QLINEAR } from "./ops/qlinear.ts";
import { RECURRENT } from "./ops/recurrent.ts";
import { RARE_REDUCTIONS, reductionOpen } from "./ops/reductions.ts";
import { REGIONS } from "./ops/regions.ts";
import { RESIZES } from "./ops/resizeBytes.ts";
import { ROTARY } from "./ops/rotary.ts";
import { SAMPLES } from "./ops/sample.ts";
import { RARELY_SCALED } from "./ops/scaledRarely.ts";
import { SELECTIONS } from "./ops/select.ts";
import { SEQUENCES } from "./ops/sequence.ts";
import { SIGNALS } from "./ops/signal.ts";
import { sliceFrom } from "./ops/slice.ts";
import { SPREADS } from "./ops/spread.ts";
import { TRANSPOSED } from "./ops/transposed.ts";
import { UNIQUE } from "./ops/unique.ts";
import { arithmeticUnsigned } from "./ops/unsigned.ts";
import { convVolume } from "./ops/volumes.ts";
import { whole, wholeProduct } from "./ops/wholes.ts";
import { maxima, means } from "./ops/windows.ts";

export const rare: Rare = {
  conversions: {
    ...ATTENTION,
    ...CHOICES,
    ...CONTROL,
    ...CURVES,
    ...DEFORMED,
    ...DEQUANTIZED,
    ...DISTANCES,
    ...DRAWN,
    ...DYNAMIC_PRODUCTS,
    ...EINSUM,
    ...EMBEDDINGS,
    ...ENCODERS,
    ...EXTREMES,
    ...FAKE_QUANTIZED,
    ...FEATURES,
    ...FEWS,
    ...FOUND,
    ...FUNCTIONS,
    ...FUSED,
    ...GEOMETRY,
    ...GROUPED,
    ...LINEAR,
    ...LINEAR_MODELS,
    ...LOSSES,
    ...NEWEST,
    ...NORMALIZATIONS,
    ...QLINEAR,
    ...RARE_REDUCTIONS,
    ...RARELY_SCALED,
    ...RECURRENT,
    ...REGIONS,
    ...RESIZES,
    ...ROTARY,
    ...SAMPLES,
    ...SCANS,
    ...SELECTIONS,
    ...SEQUENCES,
    ...SIGNALS,
    ...SPREADS,
    ...SUPPORT_VECTORS,
    ...TRANSPOSED,
    ...TREES,
    ...UNIQUE,
  },
  forms: {
    "cast to few bits": castToFew,
    "computed normalization": computedNormalization,
    "computed quantization": quantizationAny,
    "computed scales": scalesAny,
    "computed slice": sliceFrom,
    "continued padding": padContinued,
    maxima,
    means,
    "normalized product": normalizedProduct,
    "open reduction": reductionOpen,
    "sums of integers": scalesAny,
    "unsigned arithmetic": arithmeticUnsigned,
    volume: convVolume,
    "whole product": wholeProduct,
    "whole relu": whole("relu"),
  },
  aligned,
  openOf,
  opened: OPENED,
  inlineFunctions,
  fuseGelu,
  slopedOf,
};
