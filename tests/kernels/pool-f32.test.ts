/** AVERAGE_POOL_2D of float32: sums row by row in float32, the same bytes for any number of channels in every module. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { checkOperator, random, subjects, tensor } from "../support/kernels.ts";

const HEIGHT = 5;
const WIDTH = 7;

/** Means of all windows of 4 by 5, stride 1. */
function means(x: Float32Array, channels: number): Float32Array {
  const y: number[] = [];
  for (let i = 0; i <= HEIGHT - 4; i++)
    for (let j = 0; j <= WIDTH - 5; j++)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let u = 0; u < 4; u++)
          for (let v = 0; v < 5; v++) sum = Math.fround(sum + (x[((i + u) * WIDTH + j + v) * channels + c] as number));
        y.push(Math.fround(sum / 20));
      }
  return Float32Array.from(y);
}

for (const subject of await subjects())
  describe(`AVERAGE_POOL_2D of float32, ${subject.name}`, { skip: subject.skip }, () => {
    for (const channels of [1, 3, 4, 7, 16, 20, 24, 39])
      test(`${channels} channels`, () => {
        const draw = random(channels);
        const x = Float32Array.from({ length: HEIGHT * WIDTH * channels }, () => draw.int(-99999, 99999) / 777);
        const example = {
          attributes: { filter: [4, 5], stride: [1, 1], padding: "valid", activation: "none" } as const,
          inputs: [tensor("float32", [1, HEIGHT, WIDTH, channels])],
          values: [x],
          output: tensor("float32", []),
        };
        checkOperator(subject, operators.averagePool2d, example, means(x, channels));
      });
  });
