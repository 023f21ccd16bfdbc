/** `pint8/optimize` in a worker of a page: the same files as in Node; and nothing of it where networks only run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { chrome } from "../support/chrome.ts";
import { bundles, openSite } from "./site.ts";
import { makeSmall } from "./small.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const PAGE = `globalThis.made = new Promise((resolve, reject) => {
  const worker = new Worker(new URL("small.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});`;

/** What the page has of its worker; bytes come out of a page as lists. */
type InPage = typeof globalThis & { readonly made: Promise<{ files: Uint8Array[]; top1: number; error?: string }> };

test("a worker makes the files that Node makes", {
  skip: chrome === undefined && "no Chromium",
  timeout: 120_000,
}, async () => {
  const expected = await makeSmall();
  assert.ok(expected.top1 >= 0.5, `${expected.top1}`);
  const scripts = await bundles({ small: "tests/browser/small.ts" });
  const site = await openSite(new Map([...scripts, ["page.js", new TextEncoder().encode(PAGE)]]), { isolated: false });
  const browser = await chromium.launch({ executablePath: chrome as string, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(site.url);
    const { files, top1, error } = await page.evaluate(async () => {
      const { files = [], ...rest } = await (globalThis as InPage).made;
      return { ...rest, files: files.map((file) => [...file]) };
    });
    assert.deepEqual({ error, errors }, { error: undefined, errors: [] });
    assert.equal(top1, expected.top1);
    for (const [i, file] of expected.files.entries()) assert.deepEqual(files[i], [...file], `file ${i}`);
  } finally {
    await browser.close();
    site.close();
  }
});

test("who only runs networks gets nothing of it", async () => {
  const { metafile } = await build({
    stdin: { contents: 'export { loadModel } from "./bindings/public/index.ts";', resolveDir: ROOT },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    external: ["node:*"],
    outdir: `${ROOT}/app`,
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.some((path) => path.includes("bindings/load.ts")));
  assert.deepEqual(
    inputs.filter((path) => /bindings\/optimize|bindings\/cli|formats\/\w+\/write|hyparquet|fflate/.test(path)),
    [],
  );
});
