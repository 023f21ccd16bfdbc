/** DIV of int16 with scales, against outputs of TensorFlow 2.21's BUILTIN_REF. */
import { test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { checkOperator, subjects, tensor } from "../support/kernels.ts";

const A = Int16Array.of(28847, 25796, 16921, -22026, 5699, 20691, -31849, -18841, 1372, 27833, 23950, -30185);
const B = Int16Array.of(-24813, -29252, -5076, 11967, -6843, 3896, 1176, 12471, 19381, 31856, 4859, 15549);
const Y = Int16Array.of(-3039, -2306, -8715, -4812, -2177, 13885, -32768, -3950, 185, 2284, 12886, -5075);
const affine = (scale: number) => ({ scale: [Math.fround(scale)], zeroPoint: [0], axis: 0 });

for (const subject of await subjects())
  test(`DIV, int16 with scales, ${subject.name}`, { skip: subject.skip }, () => {
    const typed = (scale: number) => ({ ...tensor("int16", [A.length]), quantization: affine(scale) });
    checkOperator(
      subject,
      operators.div,
      {
        attributes: { activation: "none" },
        inputs: [typed(0.0002), typed(0.00017)],
        values: [A, B],
        output: typed(0.00045),
      },
      Y,
    );
  });
