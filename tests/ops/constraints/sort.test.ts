/** Numbered constraints of the family sort: each breach is refused by its number. */
import { checkBroken, image, int8, ints, typed } from "./broken.ts";

checkBroken({
  argMax: {
    attributes: {},
    broken: [
      { number: "C1", why: "no axis", inputs: [image] },
      { number: "C2", why: "strings", inputs: [typed("string"), ints(0)], output: typed("int32"), code: "UNSUPPORTED" },
      { number: "C2", why: "an int8 output", inputs: [image, ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "two axes", inputs: [image, ints(0, 1)], output: typed("int32") },
      { number: "C4", why: "an axis beyond the rank", inputs: [image, ints(4)], output: typed("int32") },
      { number: "C5", why: "nothing along it", inputs: [int8([2, 0]), ints(1)], output: typed("int32") },
    ],
  },
  cumsum: {
    attributes: { exclusive: false, reverse: false },
    broken: [
      { number: "C1", why: "no axis", inputs: [typed("int32")] },
      { number: "C2", why: "int8", inputs: [image, ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "two axes", inputs: [typed("int32"), ints(0, 1)], output: typed("int32") },
      { number: "C4", why: "an axis beyond the rank", inputs: [typed("int32"), ints(1)], output: typed("int32") },
    ],
  },
  oneHot: {
    attributes: { axis: -1 },
    broken: [
      { number: "C1", why: "no values", inputs: [ints(0), ints(3)] },
      { number: "C2", why: "an index of int8", inputs: [image, ints(3), image, image], code: "UNSUPPORTED" },
      { number: "C2", why: "several values", inputs: [ints(0), ints(3), int8([2]), int8([1])] },
      { number: "C3", why: "two depths", inputs: [ints(0), ints(3, 4), int8([1]), int8([1])] },
      { number: "C4", why: "axis 2", inputs: [ints(0), ints(3), int8([1]), int8([1])], attributes: { axis: 2 } },
    ],
  },
  segmentSum: {
    attributes: {},
    broken: [
      { number: "C1", why: "no ids", inputs: [typed("int32")] },
      { number: "C2", why: "int8", inputs: [int8([4]), ints(0, 0, 1, 1)], code: "UNSUPPORTED" },
      { number: "C3", why: "too few ids", inputs: [typed("int32"), ints(0, 0)], output: typed("int32") },
      { number: "C4", why: "falling ids", inputs: [typed("int32"), ints(0, 2, 1, 3)], output: typed("int32") },
    ],
  },
  unsortedSegmentMax: {
    attributes: {},
    broken: [
      { number: "C1", why: "no number", inputs: [typed("int32"), ints(0, 0, 1, 1)] },
      {
        number: "C4",
        why: "−1 segments",
        inputs: [typed("int32"), ints(0, 0, 1, 1), ints(-1)],
        output: typed("int32"),
      },
    ],
  },
});
