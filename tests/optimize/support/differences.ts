/** Gradients of a training step beside differences of its loss. */
import type { Batch, Trainer } from "../../../bindings/optimize/train/trainer.ts";

/** The largest difference between gradients and differences, relative to the largest gradient of the array that they are of. */
export function worst({ arrays, layout, step }: Trainer, data: Batch): number {
  const loss = () => step(data, 0, 1).loss;
  loss();
  const gradients = arrays.gradients.slice();
  let most = 0;
  for (const { role, offset, floats } of layout.slots) {
    if (role === "running") continue;
    const own = gradients.subarray(offset, offset + floats);
    const size = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-2);
    for (let i = 0; i < floats; i += Math.max(Math.floor(floats / 9), 1)) {
      const at = offset + i;
      const weight = arrays.weights[at] as number;
      const difference = (reach: number) => {
        arrays.weights[at] = weight + reach;
        const above = loss();
        arrays.weights[at] = weight - reach;
        const below = loss();
        arrays.weights[at] = weight;
        return (above - below) / (2 * reach);
      };
      // Two distances, so that the error of third order goes; shorter ones where a clamp's edge lies between.
      const errors = [0.016, 0.004, 0.001, 0.0003].map((reach) => {
        const exact = (4 * difference(reach) - difference(2 * reach)) / 3;
        return Math.abs(exact - (own[i] as number)) / size;
      });
      most = Math.max(most, Math.min(...errors));
    }
  }
  return most;
}
