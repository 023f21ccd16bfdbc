/** Numbered constraints of the family signal: each breach is refused by its number. */
import { checkBroken, image, ints, typed } from "./broken.ts";

checkBroken({
  signalWindow: {
    attributes: { shift: 12 },
    broken: [
      { number: "C1", why: "no window", inputs: [typed("int16")], output: typed("int16") },
      { number: "C2", why: "int8", inputs: [image, image], code: "UNSUPPORTED" },
      {
        number: "C3",
        why: "a shift of 32",
        inputs: [typed("int16"), typed("int16")],
        output: typed("int16"),
        attributes: { shift: 32 },
      },
      { number: "C4", why: "a short window", inputs: [typed("int16"), typed("int16", [3])], output: typed("int16") },
    ],
  },
  signalTransform: {
    attributes: { length: 8 },
    broken: [
      { number: "C1", why: "no input", inputs: [], output: typed("int16") },
      { number: "C2", why: "int8", inputs: [image], code: "UNSUPPORTED" },
      { number: "C3", why: "length 2", inputs: [typed("int16")], output: typed("int16"), attributes: { length: 2 } },
      { number: "C4", why: "length 12", inputs: [typed("int16")], output: typed("int16"), attributes: { length: 12 } },
      { number: "C4", why: "rows beyond it", inputs: [typed("int16", [9])], output: typed("int16") },
    ],
  },
  signalEnergy: {
    attributes: { first: 0, last: 2 },
    broken: [
      { number: "C2", why: "int16 out", inputs: [typed("int16")], output: typed("int16"), code: "UNSUPPORTED" },
      { number: "C3", why: "a range beyond", inputs: [typed("int16", [2])], output: typed("uint32") },
      { number: "C4", why: "half a pair", inputs: [typed("int16", [3])], output: typed("uint32") },
    ],
  },
  signalGain: {
    attributes: { shift: 6 },
    broken: [
      {
        number: "C5",
        why: "few gains",
        inputs: [typed("uint32"), typed("uint32"), typed("int16", [124])],
        output: typed("uint32"),
      },
    ],
  },
  rfft2d: {
    attributes: {},
    broken: [
      { number: "C1", why: "no sizes", inputs: [typed("float32", [4, 4])], output: typed("complex64") },
      { number: "C2", why: "int8", inputs: [image, ints(4, 4)], output: typed("complex64"), code: "UNSUPPORTED" },
      { number: "C3", why: "one dimension", inputs: [typed("float32"), ints(4, 4)], output: typed("complex64") },
      { number: "C4", why: "6 by 4", inputs: [typed("float32", [4, 4]), ints(6, 4)], output: typed("complex64") },
    ],
  },
});
