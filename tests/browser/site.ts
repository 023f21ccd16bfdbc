/** A site with the package in it, arranged as the README says, on this machine only. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = new URL("../../", import.meta.url);
const path = (file: string) => fileURLToPath(new URL(file, ROOT));

/** No evaluation of text; compiling wasm is what `wasm-unsafe-eval` allows. */
const POLICY = "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>pint8</title><script type="module" src="app/js/page.js"></script>';

export interface SiteOptions {
  /** With the headers that give a page SharedArrayBuffer. */
  readonly isolated: boolean;
  /** Whether `worker.js` stands beside the page's script; true when absent. */
  readonly worker?: boolean;
}

interface Site {
  readonly url: string;
  close(): void;
}

/** The page and the worker that every site has but where a test says otherwise. */
const SCRIPTS = { page: "tests/browser/page.ts", worker: "dist/lib/worker.js" };

/** The bundles of these files by name, with the built package. */
export async function bundles(
  files: Readonly<Record<string, string>> = SCRIPTS,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path(file)])),
    outdir: path("app/js"),
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    write: false,
    // It warns of imports without names in a package without side effects: inside node_modules it does not.
    logLevel: "error",
  });
  return new Map(outputFiles.map((file) => [basename(file.path), file.contents]));
}

/** Serves `/site/`: below a folder, so that a URL that climbs too far is not found. */
export async function openSite(scripts: ReadonlyMap<string, Uint8Array>, options: SiteOptions): Promise<Site> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const content = await contentOf(pathname, scripts, options).catch(() => undefined);
    const type = TYPES[pathname.endsWith("/") ? "html" : (pathname.split(".").pop() ?? "")];
    response.writeHead(content === undefined ? 404 : 200, {
      "Content-Type": type ?? "application/octet-stream",
      "Content-Security-Policy": POLICY,
      ...(options.isolated ? ISOLATION : {}),
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/site/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function contentOf(
  pathname: string,
  scripts: ReadonlyMap<string, Uint8Array>,
  { worker = true }: SiteOptions,
): Promise<string | Uint8Array | undefined> {
  const name = basename(pathname);
  switch (pathname) {
    case "/site/":
      return PAGE;
    case "/site/models/digits_int8.tflite":
      return readFile(path("models/digits/digits_int8.tflite"));
    case `/site/app/js/${name}`:
      return name === "worker.js" && !worker ? undefined : scripts.get(name);
    case `/site/wasm/${name}`:
      return readFile(path(`wasm/${name}`));
    default:
      return undefined;
  }
}
