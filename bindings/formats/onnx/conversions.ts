/** Every operator of ONNX that pint8 converts: names of the default domain, others with their domain before them. */
import type { Conversions } from "./convert.ts";
import { ATTENTION } from "./ops/attention.ts";
import { CASTS } from "./ops/cast.ts";
import { CONTROL } from "./ops/control.ts";
import { CONVOLUTIONS } from "./ops/conv.ts";
import { DEQUANTIZED } from "./ops/dequantized.ts";
import { dynamics } from "./ops/dynamic.ts";
import { EINSUM } from "./ops/einsum.ts";
import { EMBEDDINGS } from "./ops/embed.ts";
import { FOUND } from "./ops/found.ts";
import { FUNCTIONS } from "./ops/functions.ts";
import { FUSED } from "./ops/fused.ts";
import { GEOMETRY } from "./ops/geometry.ts";
import { INTEGERS } from "./ops/integers.ts";
import { LOSSES } from "./ops/losses.ts";
import { PRODUCTS } from "./ops/matmul.ts";
import { MOVES } from "./ops/move.ts";
import { NORMALIZATIONS } from "./ops/normalize.ts";
import { PADS } from "./ops/pad.ts";
import { QLINEAR } from "./ops/qlinear.ts";
import { QUANTIZATIONS } from "./ops/quantize.ts";
import { RECURRENT } from "./ops/recurrent.ts";
import { REDUCTIONS } from "./ops/reduce.ts";
import { RESIZES } from "./ops/resize.ts";
import { ROTARY } from "./ops/rotary.ts";
import { SAMPLES } from "./ops/sample.ts";
import { scaledOperators } from "./ops/scaled.ts";
import { SELECTIONS } from "./ops/select.ts";
import { SEQUENCES } from "./ops/sequence.ts";
import { SHAPES } from "./ops/shape.ts";
import { SIGNALS } from "./ops/signal.ts";
import { SLICES } from "./ops/slice.ts";
import { TRANSPOSED } from "./ops/transposed.ts";
import { ELEMENTWISE } from "./ops/unary.ts";
import { UNIQUE } from "./ops/unique.ts";

export const CONVERSIONS: Conversions = dynamics({
  ...CONVOLUTIONS,
  ...PRODUCTS,
  ...MOVES,
  ...INTEGERS,
  ...NORMALIZATIONS,
  ...QUANTIZATIONS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
  ...ELEMENTWISE,
  ...FUNCTIONS,
  ...CASTS,
  ...EINSUM,
  ...SAMPLES,
  ...ATTENTION,
  ...DEQUANTIZED,
  ...EMBEDDINGS,
  ...QLINEAR,
  ...CONTROL,
  ...RECURRENT,
  ...FUSED,
  ...TRANSPOSED,
  ...SELECTIONS,
  ...FOUND,
  ...UNIQUE,
  ...SEQUENCES,
  ...SIGNALS,
  ...GEOMETRY,
  ...ROTARY,
  ...PADS,
  ...SLICES,
  ...LOSSES,
  ...scaledOperators(CONVOLUTIONS),
});
