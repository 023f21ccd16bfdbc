/** Recurrent layers of int8 weights between floats, on numbers that are none: the same in every module, and no trap. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";

const ZOO = new URL("../../../shared/zoo/tflite/", import.meta.url);
const names = existsSync(ZOO)
  ? readdirSync(ZOO).filter((name) => /^(bi)?(lstm|rnn|svdf).*hybrid.*\.tflite$/.test(name))
  : [];

describe("hybrid layers of infinities and NaN", { skip: names.length === 0 && "no ../shared/zoo" }, () => {
  for (const name of names)
    test(name, async () => {
      for (const odd of [Number.POSITIVE_INFINITY, Number.NaN, 3e38]) {
        const results = [];
        for (const module of ["scalar", "simd"] as const) {
          const model = await loadModel(new Uint8Array(readFileSync(new URL(name, ZOO))), { module });
          const inputs = model.inputs.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5));
          for (const input of inputs) input[0] = odd;
          results.push(Object.values(model.run(inputs)));
          model.close();
        }
        assert.deepEqual(results[0], results[1], `${odd}`);
      }
    });
});
