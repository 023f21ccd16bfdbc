import assert from "node:assert/strict";
import { test } from "node:test";
import { relaxedSimd, simd, threads } from "wasm-feature-detect";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { loadPlan } from "../../bindings/public/runtime.ts";
import { hasInstructions } from "../../bindings/session/engine.ts";
import { instantiate } from "../../bindings/session/instantiate.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { type Progress, readSource } from "../../bindings/session/source.ts";
import { hasThreads } from "../../bindings/session/threads.ts";
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
  // a processor whose relaxed dot product saturates has no use of that module
  const runs = (await relaxedSimd()) && V8 >= 13 && (await loadModule("auto")).name === "relaxed";
  const names = runs ? MODULES : MODULES.filter((name) => name !== "relaxed");
  const loaded = await Promise.all(names.map((name) => loadModule(name)));
  for (const { module, hash } of loaded) {
    assert.deepEqual(WebAssembly.Module.imports(module), [{ module: "env", name: "memory", kind: "memory" }]);
    assert.match(hash, /^[0-9a-f]{64}$/);
  }
  assert.equal(new Set(loaded.map(({ hash }) => hash)).size, names.length);
});

test("unknown names, a stranger's module and one of another name are refused", async () => {
  await assert.rejects(loadModule("fast" as never), fails("INVALID_OPTION", /auto, scalar, simd, relaxed.*fast/));
  const { module } = await loadModule("scalar");
  assert.equal((await loadModule("auto", module)).name, "scalar");
  await assert.rejects(loadModule("simd", module), fails("MODULE_UNAVAILABLE", /simd\.wasm.*received scalar\.wasm/));
  await assert.rejects(
    loadModule("simd", new Uint8Array(8) as never),
    fails("INVALID_OPTION", /a WebAssembly\.Module/),
  );
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

test("sources: bytes, buffers, paths and URLs; what cannot be read is an IO error", async (t) => {
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
  await assert.rejects(readSource("http://localhost:1/"), fails("IO", /localhost.*fetch failed: bad port/));
  for (const [why, said] of [
    [new Error("getaddrinfo ENOTFOUND host"), /received fetch failed: getaddrinfo ENOTFOUND host/],
    [new AggregateError([]), /received fetch failed(?!:)/],
    [undefined, /received fetch failed(?!:)/],
  ] as const) {
    t.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("fetch failed", { cause: why })));
    await assert.rejects(readSource("http://host/"), fails("IO", said));
  }
});

test("sources: responses, blobs, streams and promises of them; everything else is refused by its type", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const stream = () => new Blob([bytes]).stream() as ReadableStream<Uint8Array>;
  const sources = [new Response(bytes), new Blob([bytes]), stream(), new Float32Array(bytes.slice(0, 0)), bytes.buffer];
  const read = await Promise.all(sources.map((source) => readSource(source)));
  assert.deepEqual(read, [bytes, bytes, bytes, new Uint8Array(0), bytes]);
  assert.deepEqual(await readSource(Promise.resolve(new Response(bytes))), bytes);
  for (const [source, received] of [
    [undefined, /undefined/],
    [null, /null/],
    [7, /received 7/],
    [{}, /received an object/],
    [[1, 2], /received Array/],
    [Promise.resolve(new Map()), /received Map/],
  ] as const)
    await assert.rejects(readSource(source as never), fails("INVALID_OPTION", received));
  const away = bytes.slice();
  structuredClone(away.buffer, { transfer: [away.buffer] });
  for (const source of [away, away.buffer])
    await assert.rejects(readSource(source), fails("INVALID_OPTION", /transferred away/));
  await assert.rejects(readSource(new Response("", { status: 404 })), fails("IO", /HTTP status 404/));
  const used = new Response(bytes);
  await used.arrayBuffer();
  await assert.rejects(readSource(used), fails("IO", /read already/));
});

test("reading tells how far it is, and ends where a signal says so", async () => {
  const told: Progress[] = [];
  const onProgress = (progress: Progress) => told.push(progress);
  await readSource(new Response(new Uint8Array(100_000), { headers: { "content-length": "100000" } }), { onProgress });
  assert.deepEqual(told.at(-1), { loaded: 100_000, total: 100_000 });
  const signal = AbortSignal.abort(new RangeError("enough"));
  await assert.rejects(readSource(new Uint8Array(1), { signal }), /enough/);
  const stop = new AbortController();
  const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(10)) });
  const reading = readSource(endless, { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(reading, { name: "AbortError" });
});

test("a file that cannot be had says what was asked for, what came, and what to do", async () => {
  const data = (text: string) => `data:text/html,${encodeURIComponent(text)}`;
  const load = (wasmUrl: (file: string) => string) => loadModule("scalar", undefined, "core", wasmUrl);
  await assert.rejects(
    load(() => data("<!DOCTYPE html><p>not here")),
    fails("MODULE_UNAVAILABLE", /file scalar\.wasm: .*received an HTML page.*pint8\/inline/),
  );
  await assert.rejects(
    load((file) => `/nowhere/${file}`),
    fails("MODULE_UNAVAILABLE", /\/nowhere\/scalar\.wasm.*ENOENT.*Copy node_modules\/pint8\/wasm/),
  );
  await assert.rejects(
    load((file) => `/_next/${file}`),
    fails("MODULE_UNAVAILABLE", /serverExternalPackages: \["pint8"\]/),
  );
  await assert.rejects(
    load((file) => `http://localhost:1/node_modules/${file}`),
    fails("MODULE_UNAVAILABLE", /optimizeDeps: \{ exclude: \["pint8"\] \}/),
  );
});

for (const [where, said] of [
  ["a page's policy", "WebAssembly.compile(): violates the following Content Security policy directive"],
  ["an edge worker", "WebAssembly.compile(): Wasm code generation disallowed by embedder"],
])
  test(`where ${where} forbids compiling, the error says what to do`, async (t) => {
    t.mock.method(WebAssembly, "compile", () => Promise.reject(new WebAssembly.CompileError(said)));
    const url = "data:application/wasm;base64,AGFzbQEAAAA=";
    await assert.rejects(
      loadModule("scalar", undefined, "core", () => url),
      fails("MODULE_UNAVAILABLE", /a policy that forbids it.*'wasm-unsafe-eval'.*import pint8\/wasm\/simd\.wasm/),
    );
  });

test("the probes agree with wasm-feature-detect; compiled modules are shared", async () => {
  assert.equal(hasInstructions("simd"), await simd());
  assert.equal(hasInstructions("relaxed"), await relaxedSimd());
  assert.equal(hasThreads(), await threads());
  const [one, other] = await Promise.all([loadModule("scalar"), loadModule("scalar")]);
  assert.equal(one.module, other.module);
});
