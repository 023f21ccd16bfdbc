/**
 * `npm run bench:page -- FOLDER...`: a fresh page from its request to the first result, for the built trees in these folders, in
 * turns in one Chromium. Nothing looks in: debuggers make every request keep where in the script it came from, which parses
 * the script anew. Every page has addresses of its own, and nothing is kept, so that each is read and compiled anew.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { Command } from "commander";
import { build } from "esbuild";
import { wholeFrom } from "../bindings/cli/options.ts";
import { quantile } from "./measure.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHROMES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"];
/** Pages of each tree that are not counted: the browser itself starts. */
const WARM_UP = 2;
const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };

const command = new Command("bench:page")
  .argument("[folder...]", "built trees; ratios are to the first", [ROOT])
  .option("--model <path>", "a .tflite model", join(ROOT, "models/digits/digits_int8.tflite"))
  .option("--pages <n>", "of each tree", wholeFrom(1, 10_000), 20)
  .option("--seconds <n>", "after which it ends in any case", wholeFrom(1, 10_000), 300)
  .parse();
const options = command.opts<{ readonly model: string; readonly pages: number; readonly seconds: number }>();
const folders = (command.processedArgs[0] as readonly string[]).map((folder) => resolve(folder));

/** The README's lines; the page that follows comes with the answer to what this one took. */
const script = (folder: string) => `import { loadModel } from ${JSON.stringify(join(folder, "dist/lib/index.js"))};
const starts = performance.now();
const model = await loadModel(location.origin + "/model");
const [{ dtype, shape }] = model.inputs;
const type = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array }[dtype] ?? Float32Array;
model.run([new type(shape.reduce((a, b) => a * b, 1))]);
const ends = performance.now();
location.href = await (await fetch("/took?" + starts + "&" + ends)).text();`;

/** What esbuild makes of it, by names of files, compressed as servers do. */
async function bundled(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    stdin: { contents: script(folder), resolveDir: ROOT, loader: "js" },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    entryNames: "app",
    outdir: "/js/app",
    write: false,
    logLevel: "error",
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [path.split("/").at(-1) as string, brotliCompressSync(contents)]),
  );
}

interface Took {
  /** Milliseconds from the request of the page until its script starts, and until it has its first result. */
  readonly starts: number;
  readonly ends: number;
}

async function measure(chrome: string): Promise<readonly (readonly Took[])[]> {
  const scripts = await Promise.all(folders.map(bundled));
  const took = folders.map((): Took[] => []);
  const model = readFileSync(options.model);
  const kernels = new Map<string, Uint8Array>();
  /** wasm/ of a tree, beside which the package looks for it. */
  const kernel = (tree: number, name: string) => {
    const path = join(folders[tree] as string, "wasm", name);
    if (!kernels.has(path) && existsSync(path)) kernels.set(path, brotliCompressSync(readFileSync(path)));
    return kernels.get(path);
  };
  const last = (options.pages + WARM_UP) * folders.length;
  let turn = 0;
  let end = () => {};
  const ended = new Promise<void>((ending) => {
    end = ending;
  });
  /** Forwards and backwards in turns: a page that follows another tree's may be slower for it. */
  const treeOf = () => {
    const at = turn % folders.length;
    return Math.floor(turn / folders.length) % 2 === 0 ? at : folders.length - 1 - at;
  };
  const next = () => `/${turn}/${treeOf()}/js/index.html`;
  const server = createServer(({ url = "" }, response) => {
    response.setHeader("Cache-Control", "no-store");
    if (url.startsWith("/took?")) {
      const [starts = 0, ends = 0] = url.slice(6).split("&").map(Number);
      if (turn >= WARM_UP * folders.length) took[treeOf()]?.push({ starts, ends });
      turn++;
      if (turn >= last) end();
      return response.end(turn >= last ? "about:blank" : next());
    }
    if (url === "/model") return response.end(model);
    const [, , tree, ...path] = url.split("/");
    const name = path.at(-1) as string;
    response.setHeader("Content-Type", TYPES[name.split(".").at(-1) as string] ?? "text/plain");
    if (name === "index.html")
      return response.end(
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="app/app.js"></script>',
      );
    const found = name.endsWith(".wasm") ? kernel(Number(tree), name) : scripts[Number(tree)]?.get(name);
    if (found === undefined) return response.writeHead(404).end();
    response.setHeader("Content-Encoding", "br");
    return response.end(found);
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const profile = mkdtempSync(join(tmpdir(), "pint8-page-"));
  const browser = spawn(chrome, [...FLAGS, `--user-data-dir=${profile}`, origin + next()], {
    stdio: "ignore",
    detached: true,
  });
  const late = setTimeout(end, 1000 * options.seconds);
  await ended;
  clearTimeout(late);
  // The browser is several processes, which write to its profile until the last is gone.
  if (browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
  server.closeAllConnections();
  server.close();
  await new Promise((exited) => browser.once("exit", exited));
  rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  return took;
}

const chrome = CHROMES.find((path) => existsSync(path));
if (chrome === undefined) throw new Error(`no Chromium: ${CHROMES.join(", ")}`);
const took = await measure(chrome);
const of = (pages: readonly Took[], share: number, what: (page: Took) => number) => quantile(pages.map(what), share);
const columns = ["script starts", "first result", "minimum", "ratio", "of neighbours", "of minima"];
console.log(`${"".padEnd(40)} pages ${columns.map((column) => column.padStart(14)).join("")}`);
for (const [tree, pages] of took.entries()) {
  const first = took[0] as readonly Took[];
  if (pages.length === 0) throw new Error(`${folders[tree]}: no page had a result`);
  const [median, least] = [0.5, 0].map((share) => of(pages, share, ({ ends }) => ends)) as [number, number];
  const ofNeighbours = pages.map(({ ends }, i) => ends / (first[i] as Took).ends);
  const cells = [
    of(pages, 0.5, ({ starts }) => starts).toFixed(1),
    median.toFixed(1),
    least.toFixed(1),
    (median / of(first, 0.5, ({ ends }) => ends)).toFixed(2),
    quantile(ofNeighbours, 0.5).toFixed(2),
    (least / of(first, 0, ({ ends }) => ends)).toFixed(2),
  ];
  const row = cells.map((cell) => cell.padStart(14)).join("");
  console.log(`${(folders[tree] as string).slice(-40).padEnd(40)} ${String(pages.length).padStart(5)} ${row}`);
}
process.exit();
