/** Sound to features to words: the audio preprocessor's bytes, and what micro_speech hears, 20 ms at a time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import type { Session } from "../../bindings/session/session.ts";
import { sharedModel, skipShared } from "../formats/shared.ts";

const SHARED = new URL("../../../shared/", import.meta.url);
const WORDS = ["silence", "unknown", "yes", "no"];
/** Samples of a frame and between two, at 16 kHz: 30 and 20 ms. */
const [FRAME, STEP] = [480, 320];
const [FRAMES, FEATURES] = [49, 40];

const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, SHARED)));
const open = async (name: string, module: "scalar" | "simd"): Promise<Session> =>
  (await loadModel(sharedModel(name), { module })) as Session;
const first = (outputs: object): ArrayBufferView => Object.values(outputs)[0] as ArrayBufferView;
const raw = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** The samples of a WAV file of 16 bits: what follows its `data`. */
function samplesOf(wav: Uint8Array): Int16Array {
  const at = Buffer.from(wav).indexOf("data");
  const bytes = new DataView(wav.buffer, wav.byteOffset).getUint32(at + 4, true);
  return new Int16Array(wav.slice(at + 8, at + 8 + bytes).buffer);
}

describe("sound", { skip: skipShared }, () => {
  for (const module of ["scalar", "simd"] as const) {
    for (const name of ["audio_preprocessor_int8", "audio_preprocessor_float"])
      test(`${name}, ${module}: the reference's bytes at first, after three runs, and again after reset`, async () => {
        const session = await open(name, module);
        const input = new Int16Array(bytesOf(`goldens/${name}.in.bin`).buffer, 0, FRAME);
        const [one, three] = [bytesOf(`goldens/${name}.out0.bin`), bytesOf(`goldens/${name}.invoke3.out.bin`)];
        for (let round = 0; round < 2; round++) {
          assert.deepEqual(raw(first(session.run([input]))), one);
          session.run([input]);
          assert.deepEqual(raw(first(session.run([input]))), three);
          session.reset();
        }
        session.close();
      });

    for (const word of ["yes", "no", "silence"])
      test(`"${word}", ${module}`, async () => {
        const preprocessor = await open("audio_preprocessor_int8", module);
        const speech = await open("micro_speech_quantized", module);
        const samples = samplesOf(bytesOf(`inputs/${word}_1000ms.wav`));
        const features = new Int8Array(FRAMES * FEATURES);
        for (let i = 0; i < FRAMES; i++) {
          const frame = samples.slice(i * STEP, i * STEP + FRAME);
          features.set(first(preprocessor.run([frame])) as Int8Array, i * FEATURES);
        }
        const scores = first(speech.run([features])) as Int8Array;
        assert.equal(WORDS[scores.indexOf(Math.max(...scores))], word);
        preprocessor.close();
        speech.close();
      });
  }
});
