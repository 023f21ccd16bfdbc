/** Sizes beyond the bound that a plan has for them: an error of every way to run it, wherever they are, and never a result. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileModel } from "../../bindings/public/compile.ts";
import { loadModule, Pint8Error, planGraph, readPlan, runPasses, writePlan } from "../../bindings/public/index.ts";
import { Session } from "../../bindings/session/session.ts";
import type { TypedArray } from "../../bindings/tensor.ts";
import { graph, node } from "../passes/graphs.ts";
import { CASES, SUM, vector } from "./bounds.ts";

/** Engines and processors whose relaxed dot product is not exact have no such module. */
const hasRelaxed = await loadModule("relaxed").then(
  () => true,
  (error) => !(error instanceof Pint8Error && error.code === "MODULE_UNAVAILABLE"),
);
const MODULES = hasRelaxed ? (["scalar", "simd", "relaxed"] as const) : (["scalar", "simd"] as const);
const isOver = (error: unknown) =>
  error instanceof Pint8Error &&
  error.code === "OUT_OF_MEMORY" &&
  /^node .*: expected at most \d+, received \d+/.test(error.message);

for (const [name, [network, cases]] of Object.entries(CASES))
  describe(`data beyond a bound: ${name}`, () => {
    for (const module of MODULES) {
      const opened = async (saved: "saved" | "", threads = 1) => {
        const kernels = await loadModule(module, undefined, "full");
        const plan = planGraph(runPasses(network), { module, moduleHash: kernels.hash });
        return Session.open(saved === "" ? plan : readPlan(writePlan(plan)), kernels, { threads });
      };
      for (const [how, saved, threads] of [
        ["", "", 1],
        [", two threads", "", 2],
        [", a saved plan", "saved", 1],
      ] as const)
        test(`${module}${how}`, { skip: module === "scalar" && threads > 1 ? "one thread" : false }, async () => {
          const session = await opened(saved, threads);
          for (const options of [{}, { outputs: "views" }] as const)
            for (const [inputs, result] of cases) {
              if (result === "over") assert.throws(() => session.run(inputs, options), isOver);
              else
                assert.deepEqual(
                  Object.values(session.run(inputs, options)).map(([y]) => y),
                  [result],
                );
            }
          session.close();
        });

      test(`${module}, compiled: invoke() returns 1`, async (t) => {
        const kernels = await loadModule(module, undefined, "full");
        const plan = planGraph(runPasses(network), { module, moduleHash: kernels.hash });
        if (plan.outputs.some(({ lengthAddress }) => lengthAddress !== undefined)) return t.skip("its length is open");
        const { wasm, header, js } = await compileModel(plan, { name: "m" });
        const { exports } = (await WebAssembly.instantiate(await WebAssembly.compile(wasm))) as unknown as {
          readonly exports: {
            readonly memory: WebAssembly.Memory;
            readonly invoke: () => number;
            readonly input_ptr: (i: number) => number;
            readonly output_ptr: (i: number) => number;
          };
        };
        assert.match(header, /it returns 0, or 1 where/);
        const { instantiate } = (await import(`data:text/javascript,${encodeURIComponent(js)}`)) as {
          readonly instantiate: (module: WebAssembly.Module) => { run(inputs: readonly TypedArray[]): object };
        };
        const loaded = instantiate(await WebAssembly.compile(wasm));
        for (const [inputs, result] of cases) {
          for (const [i, value] of inputs.entries())
            new Uint8Array(exports.memory.buffer).set(new Uint8Array(value.buffer), exports.input_ptr(i));
          assert.equal(exports.invoke(), result === "over" ? 1 : 0);
          if (result === "over") assert.throws(() => loaded.run(inputs), /more than there is room for/);
          else loaded.run(inputs);
          if (result === "over") continue;
          const [{ dtype } = { dtype: "" }] = plan.outputs;
          const View = dtype === "float32" ? Float32Array : Int32Array;
          assert.equal(new View(exports.memory.buffer, exports.output_ptr(0), 1)[0], result);
        }
      });
    }
  });

test("plans of which nothing has a bound keep none", async () => {
  const { hash } = await loadModule("simd", undefined, "full");
  const where = graph(
    [{ name: "x", dtype: "bool", shape: [6] }, { name: "places", dtype: "int64", shape: [6, 1] }, vector("size", 2)],
    [node("where", [0], [1], {}), node("shape", [1], [2], { dtype: "int32" })],
    [0],
    [2],
  );
  for (const [network, count] of [
    [where, 0],
    [SUM, 1],
  ] as const) {
    const { steps } = planGraph(runPasses(network), { module: "simd", moduleHash: hash });
    assert.equal(steps.filter(({ note }) => note.startsWith("at most ")).length, count);
  }
});
