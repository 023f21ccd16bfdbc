/** Means of what training tells between two reports. */
import type { Progress } from "./options.ts";

/** Counts steps of `total`; of scores of classes, or of other outputs. */
export function createMeter(total: number, classes: boolean) {
  const begun = performance.now();
  let [count, loss, hits, samples, places] = [0, 0, 0, 0, 0];
  let since = begun;
  let done = 0;
  return {
    add(
      result: { readonly loss: number; readonly hits: number; readonly rows: number },
      batch: number,
      labels: Int32Array,
    ) {
      count++;
      done++;
      loss += result.loss;
      hits += result.hits;
      samples += batch;
      if (!classes) places += result.rows;
      else for (const label of labels) if (label >= 0) places++;
    },
    take(step: number, epoch: number): Progress {
      const now = performance.now();
      const progress = {
        step,
        steps: total,
        epoch,
        loss: loss / count,
        accuracy: classes ? hits / places : Number.NaN,
        error: classes ? Number.NaN : hits / places,
        samplesPerSecond: (samples * 1000) / Math.max(now - since, 1e-3),
        secondsLeft: (((now - begun) / done) * (total - step)) / 1000,
      };
      [count, loss, hits, samples, places] = [0, 0, 0, 0, 0];
      since = now;
      return progress;
    },
  };
}
