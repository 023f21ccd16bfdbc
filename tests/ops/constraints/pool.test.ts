/** Numbered constraints of the family pool: each breach is refused by its number. */
import { tensor } from "../../support/kernels.ts";
import { checkBroken, image, int8, ints, POOL, pool, typed } from "./broken.ts";

checkBroken({
  averagePool2d: { attributes: pool, broken: POOL },
  maxPool2d: { attributes: pool, broken: POOL },
  mean: {
    attributes: { keepDims: true },
    broken: [
      { number: "C1", why: "no axes", inputs: [image] },
      { number: "C2", why: "float32 to int8", inputs: [typed("float32"), ints(0)], code: "UNSUPPORTED" },
      { number: "C2", why: "strings", inputs: [typed("string"), ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "scale 0", inputs: [int8([4], { scale: 0, zeroPoint: 0 }), ints(0)] },
      { number: "C4", why: "computed axes", inputs: [image, tensor("int32", [1])], code: "UNSUPPORTED" },
      { number: "C5", why: "an axis beyond the rank", inputs: [image, ints(4)] },
      { number: "C6", why: "too many to add", inputs: [int8([2 ** 24]), ints(0)], code: "UNSUPPORTED" },
    ],
  },
  l2Pool2d: {
    attributes: pool,
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "int8", inputs: [image], code: "UNSUPPORTED" },
      { number: "C4", why: "three dimensions", inputs: [typed("float32", [4, 4, 2])], output: typed("float32") },
    ],
  },
});
