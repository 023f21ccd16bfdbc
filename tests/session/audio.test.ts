/**
 * AudioSpectrogram and Mfcc: what BUILTIN_REF 2.21 gives, spectra by the definition of Fourier's transform, saved plans, rates that are too
 * low, what is refused.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { loadModel, loadModule, loadPlan } from "../../bindings/public/index.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { refusedModel } from "../formats/refused.ts";
import { flexMap } from "../formats/tflite/flex.ts";

const [SAMPLES, WINDOW, STEP] = [1000, 200, 77];
const [FRAMES, BINS] = [11, 129];
const SPECTROGRAM = { window_size: WINDOW, stride: STEP, magnitude_squared: 0 };
const MFCC = {
  upper_frequency_limit: 3000,
  lower_frequency_limit: 100,
  filterbank_channel_count: 23,
  dct_coefficient_count: 23,
};

function model(spectrogram: Record<string, number> = SPECTROGRAM, mfcc: Record<string, number> = MFCC, channels = 1) {
  const custom = (name: string, options: Record<string, number>, inputs: number[], outputs: number[]) => ({
    code: "CUSTOM" as const,
    custom: name,
    customOptions: flexMap(options),
    inputs,
    outputs,
  });
  return buildTflite({
    tensors: [
      { name: "samples", dtype: "float32", shape: [SAMPLES, channels] },
      { name: "rate", dtype: "int32", shape: [] },
      { name: "powers", dtype: "float32", shape: [1, FRAMES, BINS] },
      { name: "features", dtype: "float32", shape: [1, FRAMES, mfcc.dct_coefficient_count as number] },
    ],
    operators: [custom("AudioSpectrogram", spectrogram, [0], [2]), custom("Mfcc", mfcc, [2, 1], [3])],
    inputs: [0, 1],
    outputs: [2, 3],
  });
}

const samples = Float32Array.from({ length: SAMPLES }, (_, i) => (((i * 37) % 101) - 50) / 64);

/** |Σ hann·x·e^(−2πi·bin·t/256)|². */
function power(frame: number, bin: number): number {
  const sum = [0, 0] as [number, number];
  for (let t = 0; t < WINDOW; t++) {
    const value = (samples[frame * STEP + t] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * t) / WINDOW));
    sum[0] += value * Math.cos((2 * Math.PI * bin * t) / 256);
    sum[1] += value * Math.sin((2 * Math.PI * bin * t) / 256);
  }
  return sum[0] ** 2 + sum[1] ** 2;
}

const near = (a: number | undefined, b: number, most: number) =>
  assert.ok(Math.abs((a as number) - b) <= most, `${a} for ${b}`);

test("the reference's numbers, from a model and from a saved plan", async () => {
  const { name, hash } = await loadModule("simd");
  const plan = writePlan(planGraph(runPasses(importModel(model(), {})), { module: name, moduleHash: hash }));
  for (const session of [await loadModel(model(), { module: "scalar" }), await loadPlan(plan)]) {
    const { powers, features } = session.run([samples, Int32Array.of(8000)]) as Record<string, Float32Array>;
    const [p, f] = [powers?.slice(10 * BINS), features?.slice(10 * 23)];
    for (const [i, value] of [0.761441171, 1.56890547, 3.53386712, 5.05309391, 3.31610632, 0.215941444].entries())
      near(p?.[40 + i], value, 1e-6);
    for (const [i, value] of [
      9.39537907, -2.36033654, -0.120866418, -0.514386415, -0.0916606188, 0.107342571,
    ].entries())
      near(f?.[i], value, 1e-6);
    session.close();
  }
});

test("powers and their roots by the definition; features of rates below twice the limit are zeros", async () => {
  for (const squared of [0, 1]) {
    const session = await loadModel(model({ ...SPECTROGRAM, magnitude_squared: squared }), { module: "simd" });
    const { powers, features } = session.run([samples, Int32Array.of(5000)]) as Record<string, Float32Array>;
    for (const frame of [0, 5])
      for (const bin of [0, 1, 47, 128]) {
        const expected = power(frame, bin);
        near(powers?.[frame * BINS + bin], squared ? expected : Math.sqrt(expected), 1e-4 * Math.max(1, expected));
      }
    assert.ok(features?.every((value) => value === 0));
    session.close();
  }
});

test("what it refuses", async () => {
  await refusedModel(model({ ...SPECTROGRAM, window_size: 1 }), "INVALID_MODEL", /"window_size" from 2 to 65536/);
  await refusedModel(model({ window_size: 200 }), "INVALID_MODEL", /"stride" from 1/);
  await refusedModel(
    model(SPECTROGRAM, { ...MFCC, lower_frequency_limit: 3000 }),
    "INVALID_MODEL",
    /a lower limit below/,
  );
  await refusedModel(
    model(SPECTROGRAM, { ...MFCC, dct_coefficient_count: 24 }),
    "INVALID_MODEL",
    /no more coefficients/,
  );
  await refusedModel(model(SPECTROGRAM, MFCC, 2), "UNSUPPORTED", /float32 \[n, 1\]/);
});
