/** Functions of float32 with an exponential in their middle, which vectors take through scratch. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UNARY_F32, UNARY_SCRATCH } from "../../bindings/primitives/elementwise/forms.ts";
import { paramBytes } from "../../bindings/primitives/params.ts";
import { kernelsOf, type Subject, subjects } from "../support/kernels.ts";

type Form = keyof typeof UNARY_SCRATCH;

/** Both sides of what the functions are made of, and where they end. */
const ENDS = [0, -0, 0.625, -0.625, 0.9218, 0.9219, 1e-45, -1e-38, 3e38, -3e38, 88.73, -104, Infinity, -Infinity];
const NUMBERS = Float32Array.from({ length: 1100 }, (_, i) => ENDS[i % 29] ?? (i - 550) / (i % 2 ? 37 : 300));
const COUNTS = [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 511, 512, 513, 515, 1025];

/** What a module makes of the first numbers, which stand at the end of memory; in place, or from elsewhere. */
function outputsOf({ module }: Subject, form: Form, count: number, inPlace: boolean): Float32Array {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const y = memory.buffer.byteLength - count * 4;
  const [block, scratch, x] = [1024, 2048, inPlace ? y : 8192];
  const call = { x, y, count, form: UNARY_F32[form], lo: 0, hi: 0, scratch, scratchStride: 0 };
  new Uint8Array(memory.buffer).set(paramBytes("UnaryF32", call), block);
  new Float32Array(memory.buffer, x, count).set(NUMBERS.subarray(0, count));
  kernelsOf(module as WebAssembly.Module, memory)("unaryF32")(block, 0, 1);
  const beyond = new Uint8Array(memory.buffer, scratch + (UNARY_SCRATCH[form] as number), 64);
  assert.ok(
    beyond.every((byte) => byte === 0),
    "bytes behind its scratch",
  );
  return new Float32Array(memory.buffer.slice(y));
}

const all = await subjects();

for (const subject of all)
  describe(`functions around exponentials, ${subject.name}`, { skip: subject.skip }, () => {
    for (const form of Object.keys(UNARY_SCRATCH) as Form[])
      test(`${form}: any count, in place too, the bytes of the first module`, () => {
        const whole = outputsOf(all[0] as Subject, form, NUMBERS.length, false);
        for (const count of COUNTS)
          for (const inPlace of [false, true])
            assert.deepEqual(outputsOf(subject, form, count, inPlace), whole.subarray(0, count), `${count} numbers`);
      });
  });
