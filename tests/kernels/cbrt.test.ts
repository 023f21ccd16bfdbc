/** STABLEHLO_CBRT of int8 against the definition: the output whose cube is nearest, looked for among all 256, on every input. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { runnable } from "../support/kernels.ts";

const ALL = Int8Array.from({ length: 256 }, (_, i) => i - 128);

/** The q whose step holds the root: (q − zero − 1/2)³ ≤ real / scale³ ≤ (q − zero + 1/2)³, without a root being taken. */
function nearest(real: number, scale: number, zeroPoint: number): number {
  const target = real / scale ** 3;
  const fits = (q: number) => (q - zeroPoint - 0.5) ** 3 <= target && target <= (q - zeroPoint + 0.5) ** 3;
  if (target < (-128.5 - zeroPoint) ** 3) return -128;
  return ALL.find(fits) ?? 127;
}

for (const { name, skip } of await runnable())
  describe(`STABLEHLO_CBRT, ${name}`, { skip }, () => {
    for (const [xScale, xZero, yScale, yZero] of [
      [0.05, -3, 0.02, 5],
      [1, 0, 0.25, -100],
      [0.001, 127, 0.01, 0],
      [3.7, -128, 0.031, 90],
    ] as const)
      test(`scales ${xScale} and ${yScale}`, async () => {
        const model = buildTflite({
          tensors: [
            { name: "x", dtype: "int8", shape: [256], scale: [xScale], zeroPoint: [xZero] },
            { name: "y", dtype: "int8", shape: [256], scale: [yScale], zeroPoint: [yZero] },
          ],
          operators: [{ code: "STABLEHLO_CBRT", inputs: [0], outputs: [1] }],
          inputs: [0],
          outputs: [1],
        });
        const session = await loadModel(model, { module: name });
        const [sx, sy] = [Math.fround(xScale), Math.fround(yScale)];
        const expected = ALL.map((q) => nearest(sx * (q - xZero), sy, yZero));
        assert.deepEqual(session.run([ALL]).y, expected);
        session.close();
      });
  });
