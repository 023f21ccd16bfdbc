/** Models with state: the reference's bytes at first, after three runs and after a reset, from saved plans and compiled modules too. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import { loadModule, loadPlan } from "../../bindings/public/index.ts";
import { sharedModel, skipShared } from "../formats/shared.ts";

const SHARED = new URL("../../../shared/", import.meta.url);
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, SHARED)));
const raw = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

describe("state", { skip: skipShared }, () => {
  for (const name of ["trained_lstm_int8", "keyword_scrambled"])
    for (const module of ["scalar", "simd"] as const)
      test(`${name}, ${module}`, async () => {
        const { hash } = await loadModule(module);
        const plan = planGraph(runPasses(importModel(sharedModel(name), {})), { module, moduleHash: hash });
        const session = await loadPlan(writePlan(plan));
        const input = bytesOf(`goldens/${name}.in.bin`);
        const one = bytesOf(`goldens/${name}.out0.bin`);
        const later = `goldens/${name}.invoke3.out.bin`;
        const three = existsSync(new URL(later, SHARED)) ? bytesOf(later) : one;
        const typed = plan.inputs[0]?.dtype === "int16" ? new Int16Array(input.buffer) : new Int8Array(input.buffer);
        const run = () => raw(Object.values(session.run([typed]))[0] as ArrayBufferView);

        const { wasm } = await compileModel(plan);
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
        const own = exports as unknown as Record<
          "input_ptr" | "output_ptr" | "invoke" | "reset",
          (i?: number) => number
        > & {
          readonly memory: WebAssembly.Memory;
        };
        const invoke = () => {
          new Uint8Array(own.memory.buffer).set(input, own.input_ptr(0));
          own.invoke();
          return new Uint8Array(own.memory.buffer.slice(own.output_ptr(0), own.output_ptr(0) + one.length));
        };
        for (let round = 0; round < 2; round++) {
          for (const each of [run, invoke]) {
            assert.deepEqual(each(), one, "first run");
            each();
            assert.deepEqual(each(), three, "third run");
          }
          session.reset();
          own.reset();
        }
        session.close();
      });
});
