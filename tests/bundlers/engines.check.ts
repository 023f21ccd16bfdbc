/** The packed tarball in the engines besides Node, and in scripts that are no pages. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  checkResult,
  chrome,
  closeBrowser,
  copyFiles,
  DIGITS,
  expected,
  firefox,
  HTML,
  ISOLATED,
  NEGATE,
  noWarning,
  PAGE,
  POLICY,
  project,
  run,
  serve,
  served,
  tool,
  visit,
} from "./support.ts";

const PROGRAM = `import { loadModel } from "pint8";
import { loadModel as inline } from "pint8/inline";
const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
for (const load of [loadModel, inline]) {
  const model = await load("digits_int8.tflite");
  console.log(model.run([input])[model.outputs[0].name].join());
  model.close();
}
`;

async function checkProgram(folder: string, command: string, ...args: readonly string[]): Promise<void> {
  cpSync(DIGITS, join(folder, "digits_int8.tflite"));
  const scores = (await expected()).join();
  assert.equal(run(folder, command, ...args), `${scores}\n${scores}\n`);
}

test("Deno", async () => {
  const folder = project("deno", ["deno"], { "program.mjs": PROGRAM });
  await checkProgram(
    folder,
    join(folder, "node_modules/.bin/deno"),
    "run",
    "--allow-all",
    "--node-modules-dir=manual",
    "program.mjs",
  );
});

test("Bun", async () => {
  const folder = project("bun", ["bun"], { "program.mjs": PROGRAM });
  await checkProgram(folder, join(folder, "node_modules/.bin/bun"), "run", "program.mjs");
});

/** Answers a request for `/scores`. */
const SERVICE = `import { loadModel } from "pint8";
${NEGATE}
const classify = async () => {
  const model = await loadModel(new URL("digits_int8.tflite", location.href));
  const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  const scores = [...model.run([input])[model.outputs[0].name]];
  model.close();
  return Response.json({ scores, negated: await negate([1, 2, 3]) });
};
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.url.endsWith("/scores"))
    event.respondWith(classify().catch((error) => Response.json({ error: error.message + error.hint })));
});
`;
const CLIENT = `navigator.serviceWorker.register("sw.js", { type: "module" });
const ready = navigator.serviceWorker.controller
  ? Promise.resolve()
  : new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
ready.then(() => fetch("scores")).then((response) => response.json()).then(
  (result) => Object.assign(globalThis, { result }),
  (error) => Object.assign(globalThis, { result: { error: String(error) } }),
);
`;

describe("scripts that are no pages", { skip: chrome === undefined && "no Chromium here", concurrency: 1 }, () => {
  after(closeBrowser);

  for (const entry of ["pint8", "pint8/inline"])
    test(`a service worker with ${entry}`, async () => {
      const folder = project("esbuild", ["esbuild"], { "sw.js": SERVICE.replace('"pint8"', `"${entry}"`) });
      noWarning(tool(folder, "esbuild", "sw.js", "--bundle", "--format=esm", "--minify", "--outdir=dist/a/b"));
      const dist = join(folder, "dist");
      cpSync(join(folder, "node_modules/pint8/wasm"), join(dist, "wasm"), { recursive: true });
      cpSync(DIGITS, join(dist, "a/b/digits_int8.tflite"));
      writeFileSync(join(dist, "a/b/index.html"), HTML("client.js"));
      writeFileSync(join(dist, "a/b/client.js"), CLIENT);
      const site = await serve(dist, { ...ISOLATED, "Content-Security-Policy": POLICY });
      try {
        const { result } = await visit(`${site.url}a/b/`);
        assert.deepEqual(result, { scores: await expected(), negated: [-1, -2, -3] });
      } finally {
        site.close();
      }
    });
});

for (const version of process.platform === "linux" ? [20, 22, 24] : [])
  test(`Node ${version}`, async () => {
    const package_ = `node-linux-${process.arch}`;
    const folder = project(`node${version}`, [`${package_}@${version}`], { "program.mjs": PROGRAM });
    await checkProgram(folder, join(folder, "node_modules", package_, "bin/node"), "program.mjs");
  });

/** Answers every request; the wasm is imported, since bytes are not compiled there. */
const EDGE = `import { loadModel } from "pint8";
import wasm from "pint8/wasm/simd.wasm";
import bytes from "./digits_int8.tflite";

export default {
  async fetch() {
    const model = await loadModel(new Uint8Array(bytes), { wasm });
    const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
    const scores = [...model.run([input])[model.outputs[0].name]];
    model.close();
    return Response.json(scores);
  },
};
`;
const CAPNP = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .edge)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const edge :Workerd.Worker = (
  modules = [
    (name = "dist/edge.js", esModule = embed "dist/edge.js"),
    (name = "dist/simd.wasm", wasm = embed "node_modules/pint8/wasm/simd.wasm"),
    (name = "dist/digits_int8.tflite", data = embed "digits_int8.tflite"),
  ],
  compatibilityDate = "2026-01-01",
);
`;

test("workerd: the kernels imported as a module, the model as data", async () => {
  const files = { "edge.js": EDGE, "workerd.capnp": CAPNP };
  const folder = project("workerd", ["workerd", "esbuild"], files);
  cpSync(DIGITS, join(folder, "digits_int8.tflite"));
  const bundle = ["edge.js", "--bundle", "--format=esm", "--outdir=dist", "--external:*.wasm", "--external:*.tflite"];
  noWarning(tool(folder, "esbuild", ...bundle, "--external:node:*", "--alias:pint8/wasm/simd.wasm=./simd.wasm"));
  await served(folder, ["workerd", "serve", "workerd.capnp", "--control-fd=1"], /"port":(\d+)/, async (url) => {
    assert.deepEqual(await (await fetch(url)).json(), await expected());
  });
});

/** The page itself says what came of it: nothing but the browser is needed. */
const TELLING = `${PAGE}
const told = setInterval(() => {
  if (globalThis.result === undefined) return;
  clearInterval(told);
  fetch("/result", { method: "POST", body: JSON.stringify(globalThis.result) });
}, 50);
`;

test("Firefox", { skip: firefox === undefined && "no Firefox here", timeout: 120_000 }, async () => {
  const folder = project("esbuild", ["esbuild"], { "page.js": TELLING });
  noWarning(tool(folder, "esbuild", "page.js", "--bundle", "--format=esm", "--outdir=dist/app/js"));
  copyFiles(folder);
  cpSync(DIGITS, join(folder, "dist/digits_int8.tflite"));
  const site = await serve(join(folder, "dist"), { ...ISOLATED, "Content-Security-Policy": POLICY });
  const profile = mkdtempSync(join(tmpdir(), "pint8-firefox-"));
  const child = spawn(String(firefox), ["--headless", "--no-remote", "--profile", profile, site.url], {
    env: { ...process.env, HOME: profile },
    stdio: "ignore",
  });
  try {
    await checkResult(await site.told);
  } finally {
    const gone = once(child, "exit");
    child.kill();
    await gone;
    site.close();
    rmSync(profile, { recursive: true, force: true });
  }
});
