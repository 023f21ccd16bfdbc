/** Every bundler with its defaults builds a page from the packed tarball, without a warning, and the page runs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  checkPage,
  checkSite,
  chrome,
  closeBrowser,
  copyFiles,
  DIGITS,
  HTML,
  ISOLATED,
  noWarning,
  PAGE,
  POLICY,
  project,
  ROOT,
  served,
  tool,
} from "./support.ts";

/** webpack and Rspack take one. */
const PACK =
  'export default { mode: "production", entry: "./page.js", output: { filename: "page.js" }, performance: { hints: false } };\n';

/** What the page of the bundlers says of esbuild. */
const ESBUILD = /```sh\n(npx esbuild [\s\S]*?)```/.exec(readFileSync(join(ROOT, "docs/BUNDLERS.md"), "utf8"))?.[1];

describe("a page from the tarball", { skip: chrome === undefined && "no Chromium here", concurrency: 1 }, () => {
  after(closeBrowser);

  for (const major of [5, 7, 8])
    test(`Vite ${major}: build with its defaults`, async () => {
      const files = { "index.html": HTML("/page.js"), "page.js": PAGE };
      const folder = project(`vite${major}`, [`vite@${major}`], files);
      noWarning(tool(folder, "vite", "build"));
      await checkSite(join(folder, "dist"));
    });

  test("Vite 7: development, with the line that the documentation names", async () => {
    const config = `export default { optimizeDeps: { exclude: ["pint8"] }, server: { headers: ${JSON.stringify(ISOLATED)} } };\n`;
    const files = { "index.html": HTML("/page.js"), "page.js": PAGE, "dev.config.js": config };
    const folder = project("vite7", ["vite@7"], files);
    mkdirSync(join(folder, "public"), { recursive: true });
    cpSync(DIGITS, join(folder, "public/digits_int8.tflite"));
    await served(folder, ["vite", "--config", "dev.config.js", "--host", "127.0.0.1"], /:(\d+)/, checkPage);
  });

  test("webpack 5", async () => {
    const folder = project("webpack", ["webpack@5", "webpack-cli@6"], { "webpack.config.js": PACK, "page.js": PAGE });
    noWarning(tool(folder, "webpack"));
    writeFileSync(join(folder, "dist/index.html"), HTML("page.js"));
    await checkSite(join(folder, "dist"));
  });

  test("Rspack", async () => {
    const folder = project("rspack", ["@rspack/core", "@rspack/cli"], { "rspack.config.js": PACK, "page.js": PAGE });
    noWarning(tool(folder, "rspack", "build"));
    writeFileSync(join(folder, "dist/index.html"), HTML("page.js"));
    await checkSite(join(folder, "dist"));
  });

  test("Rollup, which leaves files where they are", async () => {
    const config = `import resolve from "@rollup/plugin-node-resolve";
export default { input: "page.js", output: { dir: "dist/app/js", format: "es" }, plugins: [resolve()] };\n`;
    const packages = ["rollup@4", "@rollup/plugin-node-resolve"];
    const folder = project("rollup", packages, { "rollup.config.js": config, "page.js": PAGE });
    noWarning(tool(folder, "rollup", "-c"));
    copyFiles(folder);
    await checkSite(join(folder, "dist"));
  });

  test("esbuild, which leaves files where they are", async () => {
    const folder = project("esbuild", ["esbuild"], { "app.js": PAGE });
    noWarning(execFileSync("bash", ["-ec", `(${ESBUILD}) 2>&1`], { cwd: folder, encoding: "utf8" }));
    writeFileSync(join(folder, "public/index.html"), HTML("app/js/app.js"));
    await checkSite(join(folder, "public"));
  });

  test("Parcel 2", async () => {
    const page = PAGE.replace("pint8/worker", "pint8/dist/lib/remote.js");
    const folder = project("parcel", ["parcel@2"], { "index.html": HTML("page.js"), "page.js": page });
    noWarning(tool(folder, "parcel", "build", "index.html", "--no-cache"));
    // Parcel itself puts an import map into the page
    await checkSite(join(folder, "dist"), "", POLICY.replace("script-src", "script-src 'unsafe-inline'"));
  });

  const LAYOUT =
    'export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html>; }\n';
  const CLIENT = {
    "app/layout.js": LAYOUT,
    "app/page.js": '"use client";\nimport "./run.js";\nexport default function Page() { return <p>pint8</p>; }\n',
    "app/run.js": `if (typeof document !== "undefined") import("./main.js");\n`,
    "app/main.js": PAGE,
  };
  const HEADERS = Object.entries(ISOLATED).map(([key, value]) => ({ key, value }));
  const nextConfig = (options: string) =>
    `export default { ${options}headers: async () => [{ source: "/:path*", headers: ${JSON.stringify(HEADERS)} }] };\n`;

  /** Next's default bundler, or another that it has. */
  async function checkNext(
    files: Readonly<Record<string, string>>,
    flags: readonly string[],
    more?: (url: string) => Promise<void>,
  ): Promise<void> {
    const folder = project("next", ["next@16", "react@19", "react-dom@19"], files);
    mkdirSync(join(folder, "public"), { recursive: true });
    cpSync(DIGITS, join(folder, "public/digits_int8.tflite"));
    writeFileSync(join(folder, "public/favicon.ico"), "");
    noWarning(tool(folder, "next", "build", ...flags));
    await served(folder, ["next", "start", "--port", "0"], /:(\d+)/, async (url) => {
      await checkPage(url);
      await more?.(url);
    });
  }

  for (const flag of ["--turbopack", "--webpack"])
    test(`Next 16 ${flag}: a page alone, nothing said about pint8`, async () => {
      await checkNext({ "next.config.mjs": nextConfig(""), ...CLIENT }, [flag]);
    });

  test("Next 16: a page, a server component and a route", async () => {
    const server = `import { loadModel } from "pint8";
import path from "node:path";
export const classify = async () => {
  const model = await loadModel(path.join(process.cwd(), "public/digits_int8.tflite"));
  const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  const scores = [...model.run([input])[model.outputs[0].name]];
  model.close();
  return scores.join();
};\n`;
    const files = {
      "next.config.mjs": nextConfig('serverExternalPackages: ["pint8"], '),
      ...CLIENT,
      "app/server.js": server,
      "app/component/page.js":
        'import { classify } from "../server.js";\nexport const dynamic = "force-dynamic";\nexport default async function Page() { return <p>{await classify()}</p>; }\n',
      "app/route/route.js":
        'import { classify } from "../server.js";\nexport const dynamic = "force-dynamic";\nexport const GET = async () => new Response(await classify());\n',
    };
    await checkNext(files, [], async (url) => {
      const route = await (await fetch(`${url}route`)).text();
      assert.equal(route.split(",").length, 10);
      assert.ok((await (await fetch(`${url}component`)).text()).includes(`<p>${route}</p>`));
    });
  });
});
