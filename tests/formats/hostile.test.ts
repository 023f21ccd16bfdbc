/** Damaged files end in a graph or a Pint8Error, quickly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { sharedModel, sharedModels } from "./shared.ts";

const CUTS = 200;
const FLIPS = 2000;
/** Slowest import allowed, in milliseconds. */
const SLOWEST = 2000;
/** Seed of the damage; a failure names the position. */
const SEED = 20240607;

/** Models whose operators differ from each other; the digits and the single-operator ones add nothing here. */
const MODELS = sharedModels().filter((name) => !/^digits_(?!int8|res_int8)|seanet|float|fp32/.test(name));

for (const name of MODELS) {
  test(`${name}, cut at ${CUTS} places`, () => {
    const bytes = sharedModel(name);
    for (let cut = 0; cut < CUTS; cut++) {
      const length = Math.floor((bytes.length * cut) / CUTS);
      const error = outcome(bytes.subarray(0, length), `cut to ${length}`);
      assert.ok(error !== undefined || length > bytes.length / 2, `a graph from ${length} of ${bytes.length} bytes`);
    }
  });

  test(`${name}, ${FLIPS} random bytes flipped`, () => {
    const bytes = new Uint8Array(sharedModel(name));
    const random = generator(SEED);
    for (let flip = 0; flip < FLIPS; flip++) {
      // Every second flip hits the structure, which fills the last part and the start of a file, not the weights.
      const span = Math.min(bytes.length, 60_000);
      const at = flip % 2 === 0 ? random(bytes.length) : ((bytes.length - span / 2 + random(span)) % bytes.length) | 0;
      const old = bytes[at] as number;
      bytes[at] = old ^ (1 + random(255));
      outcome(bytes, `byte ${at} from ${old} to ${bytes[at]}`);
      bytes[at] = old;
    }
  });
}

/** The error code, `undefined` for a graph; fails for any other error and for slow imports. */
function outcome(bytes: Uint8Array, what: string): string | undefined {
  const start = performance.now();
  try {
    importModel(bytes, {});
    return undefined;
  } catch (error) {
    if (!(error instanceof Pint8Error)) throw new Error(`${what}: ${error}`, { cause: error });
    return error.code;
  } finally {
    const time = performance.now() - start;
    assert.ok(time < SLOWEST, `${what}: ${time} ms`);
  }
}

/** xorshift32: whole numbers below `limit`. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
