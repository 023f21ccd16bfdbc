/** Who may import whom: the walls between the folders, held by a table over the import lines. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Wall {
  /** The folder or file, from the project's root. */
  readonly of: string;
  /** Folders and files that it may import, besides its own folder. */
  readonly may: readonly string[];
  /** Those of which it may import types only. */
  readonly types?: readonly string[];
  /** Packages that it may import. */
  readonly packages?: readonly string[];
}

const BASE = ["errors", "given", "later", "tensor", "graph", "limits"].map((name) => `bindings/${name}.ts`);

/** What both importers share. */
const FORMATS = ["batch", "importing", "names", "order", "roundings", "shapes", "spelled", "strangers", "text"].map(
  (name) => `bindings/formats/${name}.ts`,
);

/** What a model goes through until it runs. */
const LOADING = [
  ...BASE,
  "bindings/formats/importing.ts",
  "bindings/formats/select.ts",
  "bindings/formats/shapes.ts",
  "bindings/packer",
  "bindings/passes",
  "bindings/plan",
  "bindings/session",
  "bindings/primitives/modules.ts",
];

const PARQUET = ["column", "datapage", "metadata", "rowgroup", "schema", "thrift"];

const WALLS: readonly Wall[] = [
  { of: "bindings/errors.ts", may: [] },
  { of: "bindings/served.ts", may: [] },
  { of: "bindings/given.ts", may: ["bindings/errors.ts"], types: ["bindings/graph.ts"] },
  { of: "bindings/later.ts", may: ["bindings/errors.ts"] },
  { of: "bindings/tensor.ts", may: ["bindings/errors.ts"] },
  { of: "bindings/limits.ts", may: ["bindings/errors.ts", "bindings/tensor.ts", "bindings/graph.ts"] },
  { of: "bindings/graph.ts", may: [], types: ["bindings/tensor.ts"] },
  ...FORMATS.map((of) => ({ of, may: [...BASE, "bindings/formats/text.ts", "bindings/served.ts"] })),
  // Who chooses among them.
  ...["index", "later", "select"].map((name) => ({
    of: `bindings/formats/${name}.ts`,
    may: [...BASE, "bindings/formats", "bindings/ops/index.ts", "bindings/ops/later.ts"],
    packages: ["pint8/inline"],
  })),
  { of: "bindings/formats/tflite", may: [...BASE, ...FORMATS], packages: ["flatbuffers"] },
  // ONNX's layouts depend on shapes, which its importer therefore infers as it goes, by the operators' own rules.
  { of: "bindings/formats/onnx", may: [...BASE, ...FORMATS, "bindings/ops"], packages: ["pbf"] },
  { of: "bindings/primitives", may: ["bindings/errors.ts", "bindings/tensor.ts"], types: ["bindings/graph.ts"] },
  { of: "bindings/ops", may: [...BASE, "bindings/primitives"] },
  { of: "bindings/passes", may: [...BASE, "bindings/ops"] },
  { of: "bindings/plan", may: [...BASE, "bindings/served.ts", "bindings/ops", "bindings/primitives"] },
  // A saved plan runs without importers, graph or ops in the bundle.
  {
    of: "bindings/session",
    may: [
      "bindings/errors.ts",
      "bindings/served.ts",
      "bindings/tensor.ts",
      "bindings/primitives/modules.ts",
      "bindings/plan/types.ts",
      "bindings/values",
    ],
    packages: ["node:fs", "node:fs/promises", "node:os", "node:worker_threads"],
  },
  {
    of: "bindings/values",
    may: ["bindings/errors.ts", "bindings/tensor.ts"],
  },
  { of: "bindings/packer", may: ["bindings/primitives"] },
  {
    of: "bindings/public/runtime.ts",
    may: [
      "bindings/session",
      "bindings/values",
      "bindings/errors.ts",
      "bindings/primitives/modules.ts",
      "bindings/plan/file.ts",
      "bindings/plan/types.ts",
    ],
    types: ["bindings/tensor.ts"],
  },
  {
    of: "bindings/calls",
    may: [...BASE, "bindings/primitives", "bindings/ops", "bindings/plan/types.ts"],
    types: ["bindings/session/instantiate.ts"],
  },
  // Stands on everything but the command line and the file system; the command line reads files for it.
  {
    of: "bindings/optimize",
    may: [
      ...BASE,
      "bindings/formats",
      "bindings/passes",
      "bindings/ops",
      "bindings/primitives",
      "bindings/plan",
      "bindings/session",
      "bindings/values",
      "bindings/packer",
      "bindings/inspect.ts",
    ],
    packages: ["flatbuffers", "pbf", "fflate", ...PARQUET.map((name) => `hyparquet/src/${name}.js`)],
  },
  {
    of: "bindings/load.ts",
    may: [...LOADING, "bindings/ops/later.ts"],
    types: ["bindings/ops/control/custom.ts", "bindings/primitives/requantize/types.ts", "bindings/values/types.ts"],
  },
  {
    of: "bindings/whole.ts",
    may: ["bindings/formats", "bindings/ops", "bindings/passes/index.ts", "bindings/plan/plan.ts"],
  },
  { of: "bindings/inspect.ts", may: [...LOADING, "bindings/formats/later.ts", "bindings/ops"] },
  // A worker with a model of its own: what a page asks of it, and what it answers.
  {
    of: "bindings/remote",
    may: ["bindings/errors.ts", "bindings/formats/index.ts", "bindings/load.ts", "bindings/ops", "bindings/session"],
    types: [
      "bindings/plan/types.ts",
      "bindings/primitives/modules.ts",
      "bindings/tensor.ts",
      "bindings/values/types.ts",
    ],
    packages: ["node:worker_threads"],
  },
  // The program, which alone has a file system; it works through what the package exports.
  {
    of: "bindings/cli",
    may: [
      "bindings/public",
      ...BASE,
      "bindings/values",
      "bindings/optimize",
      "bindings/formats/index.ts",
      "bindings/formats/onnx/write/index.ts",
      "bindings/formats/tflite/write/index.ts",
      "bindings/formats/tflite/write/kept.ts",
      "bindings/primitives/modules.ts",
      "bindings/session/source.ts",
      "bindings/compile/ports.ts",
    ],
    types: ["bindings/session/session.ts"],
    packages: [
      "commander",
      "bmp-ts",
      "fast-png",
      "fflate",
      ...["fs", "fs/promises", "os", "path", "v8", "worker_threads", "zlib"].map((name) => `node:${name}`),
    ],
  },
  {
    of: "bindings/compile",
    may: ["bindings/errors.ts", "bindings/tensor.ts", "bindings/plan", "bindings/primitives", "bindings/session"],
    packages: ["binaryen"],
  },
];

/** What `bindings/public/runtime.ts` may reach through any number of imports that are not of types only. */
const RUNTIME_REACHES =
  /^bindings\/(public\/runtime|session\/.*|values\/.*|errors|served|tensor|primitives\/modules|plan\/(file|header|checksum|types))\.ts$/;

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
    test(of, { skip: exists(of) ? false : "no such folder yet" }, () => {
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
