/** Who may import whom, as a table; `walls.test.ts` holds the code to it. */

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

export const WALLS: readonly Wall[] = [
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
  { of: "bindings/formats/steps", may: [...BASE, ...FORMATS] },
  { of: "bindings/formats/tflite", may: [...BASE, ...FORMATS, "bindings/formats/steps"], packages: ["flatbuffers"] },
  // ONNX's layouts depend on shapes, which its importer therefore infers as it goes, by the operators' own rules.
  {
    of: "bindings/formats/onnx",
    may: [...BASE, ...FORMATS, "bindings/formats/steps", "bindings/ops"],
    packages: ["pbf"],
  },
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
  {
    of: "bindings/inspect.ts",
    may: [...LOADING, "bindings/inspection.ts", "bindings/formats/later.ts", "bindings/ops"],
  },
  {
    of: "bindings/inspection.ts",
    may: ["bindings/plan/types.ts", "bindings/primitives/modules.ts", "bindings/tensor.ts"],
  },
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
export const RUNTIME_REACHES =
  /^bindings\/(public\/runtime|session\/.*|values\/.*|errors|served|tensor|primitives\/modules|plan\/(file|header|checksum|types))\.ts$/;
