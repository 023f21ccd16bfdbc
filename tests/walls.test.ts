/** Import lines hold to the table of `walls.ts`, and nothing imports itself; every file is one idea. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUNTIME_REACHES, WALLS } from "./walls.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function filesOf(path: string, ending = /\.ts$/): string[] {
  if (path.endsWith(".ts")) return [path];
  const entries = readdirSync(join(ROOT, path), { recursive: true, encoding: "utf8" });
  return entries.filter((name) => ending.test(name) && !name.includes("node_modules")).map((name) => join(path, name));
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  const statements = source.matchAll(/^\s*(import|export)\b([^;]*?)\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gms);
  return [...statements].map(([, , clause = "", path, dynamic]) => {
    const to = path ?? dynamic ?? "";
    return {
      from: file,
      to: to.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), to)) : to,
      typeOnly: isTypeOnly(clause),
    };
  });
}

/** `import type …`, or braces around nothing but `type` names. */
function isTypeOnly(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
  const list = names?.split(",").map((name) => name.trim()) ?? [];
  return (
    /^\s*type\b/.test(clause) || (names !== undefined && list.every((name) => name === "" || name.startsWith("type ")))
  );
}

/** What the builder puts wasm files into. */
const INLINED = /^bindings\/(?:session\/(?:inline|letters)|optimize\/inlined)\.ts$/;

const within = (path: string, walls: readonly string[]) =>
  walls.some((wall) => path === wall || path.startsWith(`${wall}/`));
const exists = (path: string) => readdirSync(join(ROOT, dirname(path))).includes(path.split("/").at(-1) ?? "");

describe("walls", () => {
  for (const { of, may, types = [], packages = [] } of WALLS)
    test(of, () => {
      assert.ok(exists(of), `${of} is no room any more`);
      for (const file of filesOf(of))
        for (const { to, typeOnly } of importsOf(file)) {
          const allowed = to.startsWith("bindings/")
            ? within(to, [of, ...may]) || (typeOnly && within(to, types))
            : packages.includes(to) || (INLINED.test(file) && within(to, ["wasm", "fflate"]));
          assert.ok(allowed, `${file} imports ${to}`);
        }
    });

  test("every room has its walls", () => {
    // Entry points are imports from everywhere; the table of kernels is generated.
    const open = ["bindings/public", "bindings/wasm-files.d.ts"];
    const walled = WALLS.map(({ of }) => of);
    for (const file of filesOf("bindings")) assert.ok(within(file, [...walled, ...open]), file);
  });

  test("an operator never imports another operator", () => {
    const kinds = Object.keys(kindsOfGraph());
    for (const file of filesOf("bindings/ops"))
      for (const { to } of importsOf(file)) {
        const kind = /^bindings\/ops\/\w+\/(\w+)\.ts$/.exec(to)?.[1] ?? "";
        assert.ok(
          /^bindings\/ops\/(\w+\/index|often|ordinary)\.ts$/.test(file) || !kinds.includes(kind),
          `${file} imports ${to}`,
        );
      }
  });

  test("nobody imports tests or benchmarks", () => {
    for (const file of filesOf("bindings"))
      for (const { to } of importsOf(file)) assert.ok(!within(to, ["tests", "bench"]), `${file} imports ${to}`);
  });

  test("no file of the library imports itself by any way", () => {
    const files = ["bindings", "assembly"]
      .flatMap((folder) => filesOf(folder))
      .filter((file) => !/generated/.test(file));
    const withEnding = (to: string) => (to.endsWith(".ts") ? to : `${to}.ts`);
    const graph = new Map(files.map((file) => [file, importsOf(file).map(({ to }) => withEnding(to))]));
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
      if (done.has(file)) return;
      for (const to of graph.get(file) ?? []) if (graph.has(to)) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  test("every file is short enough to be one idea", () => {
    for (const folder of ["bindings", "assembly", "tests", "bench", "scripts", "models", "examples"])
      for (const file of filesOf(folder, /\.(ts|mjs|js)$/)) {
        if (/generated|primitives\/table\.ts/.test(file)) continue;
        const lines = readFileSync(join(ROOT, file), "utf8").split("\n").length - 1;
        assert.ok(lines <= 300, `${file} has ${lines} lines`);
      }
  });

  test("the runtime's bundle reaches no importer, operator, pass or graph", () => {
    const seen = new Set<string>();
    const walk = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      assert.match(file, RUNTIME_REACHES);
      for (const { to, typeOnly } of importsOf(file)) if (!typeOnly && to.startsWith("bindings/")) walk(to);
    };
    walk("bindings/public/runtime.ts");
    assert.ok(seen.size > 8, "the walk saw the imports");
  });
});

/** Every kind of operator: the keys that operators' files add to `Attributes`. */
function kindsOfGraph(): { readonly [kind: string]: true } {
  const kinds = filesOf("bindings/ops").flatMap((file) => {
    const source = readFileSync(join(ROOT, file), "utf8");
    const body = /interface Attributes \{(.*?)\n {2}\}/s.exec(source)?.[1] ?? "";
    return [...body.matchAll(/^ {4}readonly (\w+):/gm)].map(([, kind]) => [kind, true]);
  });
  assert.ok(kinds.length > 20, "the kinds were found");
  return Object.fromEntries(kinds);
}
