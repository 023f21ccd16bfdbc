/** Standalone modules give the reference's bytes, by their own loaders; they are shaped as the contract says. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import createWabt from "wabt";
import { importModel } from "../../bindings/formats/index.ts";
import { operators } from "../../bindings/ops/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { assignStorage } from "../../bindings/plan/storage.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { type TypedArray, typedCopy } from "../../bindings/tensor.ts";
import { CASES, difference, join, modules, skipShared } from "../models/cases.ts";
import { peakBytes } from "../support/peak.ts";
import { compileAll, type Files, instantiate, loadFiles, type Model, temporaryFolder } from "./compiled.ts";

const RUNNABLE = new Set((await modules()).filter(({ skip }) => !skip).map(({ name }) => name));

describe("standalone modules of the reference's models", { skip: skipShared }, () => {
  if (skipShared) return;
  const jobs = MODULES.filter((name) => RUNNABLE.has(name)).flatMap((module) =>
    CASES.map(({ name, model }) => ({ name: `${name}-${module}`, bytes: model(), options: { module } })),
  );
  const files = compileAll(temporaryFolder(), jobs);
  const fileOf = (name: string): Files => files.find((file) => file.name === name) ?? assert.fail(name);

  for (const module of MODULES)
    for (const { name, runs } of CASES)
      test(`${name}, ${module}`, { skip: RUNNABLE.has(module) ? false : "this engine does not run it" }, async () => {
        const model = await loadFiles(fileOf(`${name}-${module}`));
        for (const { input, output } of runs()) {
          const results = model.run(split(model, input));
          assert.equal(difference(join(results), output), "");
        }
      });

  test("no imports, table, start or growth; scalar is MVP and sign extension", async () => {
    const wabt = await createWabt();
    const off = {
      mutable_globals: false,
      sat_float_to_int: false,
      simd: false,
      multi_value: false,
    };
    for (const { name, wasm } of files) {
      if (name.endsWith("relaxed")) continue; // this wabt does not know it
      const simd = name.endsWith("simd");
      // Whatever has vectors has conversions that saturate, and fills of memory.
      const later = { simd, sat_float_to_int: simd, bulk_memory: simd };
      const features = { ...off, ...later, reference_types: false, sign_extension: true };
      const module = wabt.readWasm(wasm, features);
      module.validate();
      const text = module.toText({});
      assert.doesNotMatch(text, /\((import|table|start|elem)\b|memory\.grow|call_indirect/, name);
      module.destroy();
    }
  });

  test("exports are the contract's, memory is what is needed in whole pages", () => {
    for (const file of files.filter(({ name }) => !name.endsWith("relaxed"))) {
      const exports = instantiate(file);
      assert.deepEqual(Object.keys(exports).sort(), [
        "__data_end",
        "__heap_base",
        "input_bytes",
        "input_ptr",
        "invoke",
        "memory",
        "output_bytes",
        "output_ptr",
        "reset",
      ]);
      const [end, base] = [exports.__data_end.value, exports.__heap_base.value];
      assert.ok(end <= base && end % 16 === 0 && base % 16 === 0, `${end} ${base}`);
      assert.equal(exports.memory.buffer.byteLength, Math.ceil(base / 65536) * 65536);
      assert.equal(exports.memory.buffer.byteLength, file.report.memoryBytes);
      assert.throws(() => exports.memory.grow(1), RangeError);
      assert.equal(exports.reset(), 0);
      for (const i of [1, -1, 2 ** 31]) assert.equal(exports.input_ptr(i) + exports.input_bytes(i), 0, `input ${i}`);
    }
  });

  test("the arena is within a tenth of the largest set of live tensors", () => {
    for (const { name, model } of CASES) {
      const peak = peakBytes(assignStorage(runPasses(importModel(model(), {})), operators).blocks);
      const { arenaBytes } = fileOf(`${name}-scalar`).report;
      assert.ok(arenaBytes <= peak * 1.1, `${name}: ${arenaBytes} for ${peak}`);
    }
  });

  test("sizes stay within their limits", () => {
    const limits = { kws_ref_model: [12, 128], ad01_int8: [5, 448], vww_96_int8: [12, 448] } as const;
    for (const [name, [code, memory]] of Object.entries(limits)) {
      const { codeBytes, memoryBytes } = fileOf(`${name}-scalar`).report;
      assert.ok(codeBytes <= code * 1024, `${name}: ${codeBytes} bytes of code`);
      assert.ok(memoryBytes <= memory * 1024, `${name}: ${memoryBytes} bytes of memory`);
    }
  });
});

/** Raw input bytes as the typed arrays that `run` takes. */
function split({ inputs }: Model, bytes: Uint8Array): TypedArray[] {
  let offset = 0;
  return inputs.map(({ dtype, shape }) => {
    const width = dtype === "float32" ? 4 : 1;
    const size = shape.reduce((all, n) => all * n, width);
    offset += size;
    return typedCopy(dtype as "int8", bytes.subarray(offset - size, offset));
  });
}
