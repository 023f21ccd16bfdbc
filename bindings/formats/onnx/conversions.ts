/** The operators of ordinary networks: names of the default domain, others with their domain before them. */
import type { Conversions } from "./convert.ts";
import { ARITHMETIC } from "./ops/arithmetic.ts";
import { CONVOLUTIONS } from "./ops/conv.ts";
import { DYNAMIC } from "./ops/dynamic.ts";
import { PRODUCTS } from "./ops/matmul.ts";
import { MOVES } from "./ops/move.ts";
import { PADS } from "./ops/pad.ts";
import { QUANTIZATIONS } from "./ops/quantize.ts";
import { REDUCTIONS } from "./ops/reduce.ts";
import { SCALED } from "./ops/scaled.ts";
import { SHAPES } from "./ops/shape.ts";
import { SOFTMAX } from "./ops/softmax.ts";
import { ELEMENTWISE } from "./ops/unary.ts";

export const ORDINARY: Conversions = {
  ...CONVOLUTIONS,
  ...PRODUCTS,
  ...MOVES,
  ...QUANTIZATIONS,
  ...REDUCTIONS,
  ...SHAPES,
  ...SOFTMAX,
  ...ELEMENTWISE,
  ...ARITHMETIC,
  ...DYNAMIC,
  ...PADS,
  ...SCALED,
};
