import assert from "node:assert/strict";
import { test } from "node:test";
import { relaxedSimd, simd } from "wasm-feature-detect";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { loadPlan } from "../../bindings/public/runtime.ts";
import { instantiate } from "../../bindings/session/instantiate.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { readSource } from "../../bindings/session/source.ts";
import { network, planOf } from "./networks.ts";

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(`${error.message} ${error.hint}`);

const V8 = Number.parseFloat(process.versions.v8);

test("auto takes the fastest that this engine runs correctly", async () => {
  const { name, module } = await loadModule("auto");
  const kernels = await instantiate(module, new WebAssembly.Memory({ initial: 1 }));
  if (name === "relaxed") assert.ok([1, 2].includes(kernels.dotProduct()));
  else assert.equal(name, (await simd()) ? "simd" : "scalar");
  if (V8 < 13) assert.notEqual(name, "relaxed", "the baseline compiler of V8 11.3 computes it wrong");
});

test(
  "a module that this engine lacks is an error that says what to do",
  { skip: V8 < 13 ? false : "relaxed runs here" },
  () => assert.rejects(loadModule("relaxed"), fails("MODULE_UNAVAILABLE", /module relaxed: .*Use module "auto"/)),
);

test("modules import nothing but memory, and tell themselves apart by their hash", async () => {
  const names = (await relaxedSimd()) && V8 >= 13 ? MODULES : MODULES.filter((name) => name !== "relaxed");
  const loaded = await Promise.all(names.map((name) => loadModule(name)));
  for (const { module, hash } of loaded) {
    assert.deepEqual(WebAssembly.Module.imports(module), [{ module: "env", name: "memory", kind: "memory" }]);
    assert.match(hash, /^[0-9a-f]{64}$/);
  }
  assert.equal(new Set(loaded.map(({ hash }) => hash)).size, names.length);
});

test("unknown names, a nameless module and a stranger's module are refused", async () => {
  await assert.rejects(loadModule("fast" as never), fails("INVALID_OPTION", /auto, scalar, simd, relaxed.*fast/));
  const { module } = await loadModule("scalar");
  await assert.rejects(loadModule("auto", module), fails("INVALID_OPTION", /the name of the module/));
  const stranger = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  await assert.rejects(loadModule("simd", stranger), fails("MODULE_UNAVAILABLE", /pint8 built it/));
  await assert.rejects(loadModule("relaxed", stranger), fails("MODULE_UNAVAILABLE", /relaxed/));
});

test("a module compiled elsewhere runs a plan without any file being read", async () => {
  const { name, module } = await loadModule("auto");
  const plan = await planOf(network());
  const session = await loadPlan(writePlan(plan), { wasm: module });
  assert.equal(session.module, name);
  assert.equal(Object.keys(session.run([new Int8Array(12), new Int8Array(12)])).length, 2);
});

test("sources: bytes, buffers, paths and URLs; what cannot be read is an IO error", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.deepEqual(await readSource(bytes), bytes);
  assert.deepEqual(await readSource(Buffer.from(bytes).subarray(1)), bytes.subarray(1));
  assert.deepEqual(await readSource(bytes.buffer), bytes);
  assert.deepEqual(await readSource("data:application/octet-stream;base64,AQID"), bytes);
  const self = await readSource(new URL(import.meta.url));
  assert.deepEqual(await readSource(import.meta.url), self);
  assert.deepEqual(await readSource(new URL(import.meta.url).pathname), self);
  await assert.rejects(readSource("/no/such/file"), fails("IO", /\/no\/such\/file.*ENOENT/));
  await assert.rejects(readSource(new URL("file:///no/such/file")), fails("IO", /ENOENT/));
  await assert.rejects(readSource("http://localhost:1/"), fails("IO", /localhost/));
});
