/** Layers of two models whose channels differ in size alone, as a quantizer leaves them: compared by their own size. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { inferTypes } from "../../bindings/passes/infer.ts";
import { buildNetwork } from "./support/networks.ts";

const samples = [0, 1, 2, 3].map((i) => ({
  inputs: [Float32Array.from({ length: 4 }, (_, k) => (k === i ? 1 : 0.25 * k))],
}));

describe("compared layers", () => {
  test("channels inside that have another size are compared by their own, outputs as they are", async () => {
    const data = datasetOf(samples);
    const network = (grown: number, noise: number) => {
      const to = buildNetwork([1, 4]);
      const factors = to.floats(grown, 1, grown / 2, 1 + noise);
      const inner = to.node("mul", [to.input, factors], { activation: "none" });
      return inferTypes(to.graph(to.node("div", [inner, factors], { activation: "none" })), operators);
    };
    const layersOf = async (grown: number, noise: number) =>
      (await evaluate(network(grown, noise), data, { against: network(1, 0) })).layers ?? [];
    const [inner, end] = await layersOf(6, 0);
    assert.ok((inner?.snr ?? 0) > 100 && (end?.snr ?? 0) > 100);
    // One channel of four, a twentieth larger
    const [near] = await layersOf(1, 0.05);
    assert.ok(Math.abs((near?.snr ?? 0) - 29) < 0.1, `${near?.snr} dB`);
  });
});
