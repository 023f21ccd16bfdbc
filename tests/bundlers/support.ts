/**
 * Projects of users: a tool from npm in a cache folder, the packed tarball, a page, a build, and Chromium. The cache is
 * `$PINT8_CACHE`, or `pint8-bundlers` among the user's caches; nothing is installed into the project.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { buildOnnx } from "../formats/build-onnx.ts";
import { chrome } from "../support/chrome.ts";
import { POLICY, serve } from "./serve.ts";

export { chrome, POLICY, serve };

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE =
  process.env.PINT8_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pint8-bundlers");
export const DIGITS = join(ROOT, "models/digits/digits_int8.tflite");
export const firefox = ["/usr/bin/firefox", "/usr/bin/firefox-esr"].find((path) => existsSync(path));

/** The tarball as `npm publish` would send it. */
export function tarball(): string {
  const path = join(CACHE, "pint8-0.1.0.tgz");
  mkdirSync(CACHE, { recursive: true });
  if (process.env.PINT8_PACKED !== "yes") {
    execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", CACHE], { cwd: ROOT });
    process.env.PINT8_PACKED = "yes";
  }
  return path;
}

/** What of a project stays from run to run. */
const KEPT = ["node_modules", "package.json", "package-lock.json", "installed.json"];

/** A folder with these packages from npm, installed once, and pint8 from its tarball, every time. */
export function project(name: string, packages: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = join(CACHE, name);
  const manifest = JSON.stringify({ private: true, type: "module", packages });
  const known = join(folder, "installed.json");
  if (!existsSync(known) || readFileSync(known, "utf8") !== manifest) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    if (packages.length > 0) run(folder, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...packages);
    writeFileSync(known, manifest);
  }
  const installed = join(folder, "node_modules/pint8");
  for (const gone of readdirSync(folder).filter((file) => !KEPT.includes(file)))
    rmSync(join(folder, gone), { recursive: true, force: true });
  rmSync(join(folder, "node_modules/.vite"), { recursive: true, force: true });
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball(), "-C", installed, "--strip-components=1"]);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

/** Runs a program to its end; returns what it printed, and fails with that where it failed. */
export function run(cwd: string, command: string, ...args: readonly string[]): string {
  const { FORCE_COLOR: _color, NODE_OPTIONS: _options, ...inherited } = process.env;
  const env = { ...inherited, CI: "1", NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", env, timeout: 400_000 });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${error ?? ""}${stdout}${stderr}`);
  return stdout + stderr;
}

/** A program of `node_modules/.bin`. */
export const tool = (folder: string, name: string, ...args: readonly string[]): string =>
  run(folder, join(folder, "node_modules/.bin", name), ...args);

/** A server of a tool, from when its words match `port`, whose group is the port, until the work is done. */
export async function served(
  folder: string,
  args: readonly string[],
  port: RegExp,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const [name = "", ...rest] = args;
  const env = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };
  const child = spawn(join(folder, "node_modules/.bin", name), rest, { cwd: folder, env, detached: true });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (data: Buffer) => {
        said += data;
        const found = port.exec(said);
        if (found !== null) resolve(`http://127.0.0.1:${found[1]}/`);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("exit", () => reject(new Error(said)));
      setTimeout(() => reject(new Error(`silent for a minute: ${said}`)), 60_000).unref();
    });
    // Some say where they are before they answer.
    for (let tries = 0; tries < 100 && !(await answers(url)); tries++) await new Promise((go) => setTimeout(go, 100));
    await work(url);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid);
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** What a page says of itself as `globalThis.result`. */
export interface Result {
  readonly error?: string;
  readonly module: string;
  readonly threads: number;
  readonly scores: readonly number[];
  readonly remote?: readonly number[];
  readonly negated?: readonly number[];
  readonly warnings: readonly string[];
}

const SMALL = buildOnnx({
  nodes: [
    { operator: "Neg", inputs: ["x"], outputs: ["n"] },
    { operator: "Tile", inputs: ["n", "once"], outputs: ["y"] },
  ],
  inputs: [{ name: "x", type: 1, dims: [3] }],
  outputs: [{ name: "y", type: 1, dims: [3] }],
  initializers: [{ name: "once", type: 7, dims: [1], values: [1] }],
});

/** Negates three numbers, by a model in ONNX, whose importer comes when it is asked for, and then its rarer part. */
export const NEGATE = `const negate = async (numbers) => {
  const model = await loadModel(Uint8Array.of(${SMALL.join()}));
  const { y } = model.run({ x: Float32Array.from(numbers) });
  model.close();
  return [...y];
};
`;

/** The page of all projects: two threads, the same model by `pint8/worker`, one in ONNX, and what came of them. */
export const PAGE = `import { loadModel, topK } from "pint8";
import { loadModel as loadRemote } from "pint8/worker";

${NEGATE}
const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);

async function main() {
  const warnings = [];
  const model = await loadModel(new URL("digits_int8.tflite", document.baseURI), {
    threads: 2,
    onWarning: (message) => warnings.push(message),
    ...globalThis.options,
  });
  for (let polls = 0; model.threads < 2 && warnings.length === 0 && polls < 1000; polls++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const { module, threads } = model;
  const scores = [...model.run([input])[model.outputs[0].name]];
  topK(scores);
  model.close();
  const other = await loadRemote(fetch(new URL("digits_int8.tflite", document.baseURI)), globalThis.options);
  const remote = [...(await other.run([input]))[other.outputs[0].name]];
  other.close();
  const negated = await negate([1, 2, 3]);
  return { module, threads, scores, remote, negated, warnings };
}

main().then(
  (result) => Object.assign(globalThis, { result }),
  (error) => Object.assign(globalThis, { result: { error: error.code + " " + error.message + " | " + error.hint } }),
);
`;

export const HTML = (script: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>pint8</title><link rel="icon" href="data:,"><div id="app"></div><script type="module" src="${script}"></script></html>\n`;

/** What that page must say, by Node. */
export async function expected(): Promise<readonly number[]> {
  const { loadModel } = await import("../../bindings/public/index.ts");
  const model = await loadModel(DIGITS);
  const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  const scores = [...(model.run([input])[model.outputs[0].name] ?? assert.fail())];
  model.close();
  return scores;
}

export const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

let browser: Promise<Browser> | undefined;
const FLAGS =
  "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Opens a page and waits for what it says of itself, and for what the browser complains about. */
export async function visit(url: string): Promise<{ readonly result: Result; readonly complaints: readonly string[] }> {
  browser ??= chromium.launch({ executablePath: chrome as string, args: FLAGS.split(" ") });
  const context = await (await browser).newContext();
  const complaints: string[] = [];
  try {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(url);
    // Polled from here: a strict page evaluates no text that it is asked to.
    let result: Result | undefined;
    for (const end = Date.now() + 60_000; result === undefined; await page.waitForTimeout(50)) {
      result = (await page.evaluate("globalThis.result")) as Result | undefined;
      assert.ok(Date.now() < end, `no result: ${complaints.join("\n")}`);
    }
    return { result, complaints };
  } finally {
    await context.close();
  }
}

/** A built folder in Chromium: two threads, the bytes of Node, no complaint; under a policy that evaluates no text. */
export async function checkSite(folder: string, path = "", policy = POLICY): Promise<void> {
  cpSync(DIGITS, join(folder, "digits_int8.tflite"));
  const site = await serve(folder, { ...ISOLATED, "Content-Security-Policy": policy });
  try {
    await checkPage(site.url + path);
  } finally {
    site.close();
  }
}

export async function checkPage(url: string): Promise<void> {
  const { result, complaints } = await visit(url);
  await checkResult(result, complaints.join("\n"));
  assert.deepEqual(complaints, []);
}

/** Two threads, the bytes of Node. */
export async function checkResult(result: Result, complaints = ""): Promise<void> {
  assert.equal(result.error, undefined, complaints);
  const scores = await expected();
  const { threads, remote, negated, warnings } = result;
  assert.deepEqual(
    { scores: result.scores, threads, remote, negated, warnings },
    { scores, threads: 2, remote: scores, negated: [-1, -2, -3], warnings: [] },
  );
}

/** Fails where a tool warned. */
export function noWarning(log: string): void {
  const lines = log.split("\n").filter((line) => /\bwarn(ing)?s?\b/i.test(line) && !/\b0 warnings?\b/i.test(line));
  assert.deepEqual(lines, [], log);
}

/** For tools that move scripts and leave everything else: what the README says to copy. */
export function copyFiles(folder: string): void {
  const from = join(folder, "node_modules/pint8");
  cpSync(join(from, "wasm"), join(folder, "dist/wasm"), { recursive: true });
  for (const name of ["worker.js", "service.js"])
    cpSync(join(from, "dist/lib", name), join(folder, "dist/app/js", name));
  writeFileSync(join(folder, "dist/index.html"), HTML("app/js/page.js"));
}
