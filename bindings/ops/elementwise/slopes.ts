import { rescale } from "../../primitives/requantize/fixedpoint.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";

/** Steps of y from x's steps a and the slope's b, by the quotients of scales, as the kernel computes them. */
export function slopedSteps(up: number, down: number): (a: number, b: number) => number {
  const [above, below] = [quantizeMultiplier(up), quantizeMultiplier(down)];
  return (a, b) => (a >= 0 ? rescale(a, above.multiplier, above.shift) : rescale(a * b, below.multiplier, below.shift));
}
