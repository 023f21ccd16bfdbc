/** The packed tarball in the engines besides Node, and in scripts that are no pages. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  chrome,
  closeBrowser,
  DIGITS,
  expected,
  HTML,
  ISOLATED,
  noWarning,
  POLICY,
  project,
  run,
  serve,
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
const classify = async () => {
  const model = await loadModel(new URL("digits_int8.tflite", location.href));
  const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  const scores = [...model.run([input])[model.outputs[0].name]];
  model.close();
  return Response.json(scores);
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
  (scores) => Object.assign(globalThis, { result: { scores } }),
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
        assert.deepEqual(result, { scores: await expected() });
      } finally {
        site.close();
      }
    });
});
