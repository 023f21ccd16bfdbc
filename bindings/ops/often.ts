import { cast } from "./elementwise/cast.ts";
import { div } from "./elementwise/div.ts";
import { maximum } from "./elementwise/maximum.ts";
import { minimum } from "./elementwise/minimum.ts";
import { pow } from "./elementwise/pow.ts";
import { prelu } from "./elementwise/prelu.ts";
import { sqrt } from "./elementwise/sqrt.ts";
import { liteRounding } from "./liteRounding.ts";
import { gather } from "./move/gather.ts";
import { batchMatMul } from "./product/batchMatMul.ts";
import { products } from "./product/products.ts";
import { transposeConv } from "./product/transposeConv.ts";

/** Those of the rarer operators that most networks of floats do with, products of rarer types, and what these are rounded by. */
export const often = {
  batchMatMul,
  cast,
  div,
  gather,
  liteRounding,
  maximum,
  minimum,
  pow,
  prelu,
  products,
  sqrt,
  transposeConv,
};
