// How the package is bundled: which entries, which scripts of their own, what comes along, and the notices of that.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliCompressSync, deflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { ROOT } from "./files.mjs";
import { CALLED, READER, UNREAD } from "./libraries.mjs";
import { joinWithin, mergeChunks, WITHIN } from "./merge.mjs";
import { writeNotices } from "./notices.mjs";
import { keepBuiltinsOut, shrink } from "./shrink.mjs";

const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** Entry points by the names of their bundles; those that are not written yet are left out. */
export const ENTRIES = Object.fromEntries(
  ["index", "runtime", "kernels", "compile", "optimize", "inline", "worker", "cli"]
    .filter((name) => existsSync(join(ROOT, `bindings/public/${name}.ts`)))
    .map((name) => [name === "worker" ? "remote" : name, `bindings/public/${name}.ts`]),
);

/** Scripts that are loaded by their names, beside the bundles, and what shall stay whole: each in one file that imports nothing. */
const SCRIPTS = { worker: "bindings/session/worker.ts", service: "bindings/remote/service.ts" };

/**
 * Parts that are loaded when something needs them. Each has its own copy of the little that it shares with the others: users'
 * bundlers would make files of that, which pages then ask for only once they have read the first.
 */
const LATER = {
  audio: "bindings/session/audio.ts",
  customs: "bindings/formats/tflite/customs.ts",
  poses: "bindings/session/poses.ts",
  threads: "bindings/session/threads.ts",
};

/** Later parts too, in pairs of which the second takes from the first what that has. */
const PAIRS = [
  { often: "bindings/ops/often.ts", operators: "bindings/ops/rare.ts" },
  { onnx: "bindings/formats/onnx/index.ts", onnxRare: "bindings/formats/onnx/rare.ts" },
];
const NESTED = Object.assign({}, ...PAIRS);

/**
 * Parts that stay files of their own, so that users' bundlers leave them out where nothing needs them: among the chunks, which are
 * cut by what reaches them, they would stand with what every model needs.
 */
const PARTS = { whole: "bindings/whole.ts", ...LATER, ...NESTED };

/** What Node takes in place of `index`, whose declarations it has. */
const NODE = { node: "bindings/public/node.ts" };

/** What all bundles have in common. Users' bundlers make them small: here they are for reading, and names stay. */
const COMMON = {
  absWorkingDir: ROOT,
  outdir: "dist/lib",
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  mainFields: ["module", "main"],
  minifySyntax: true,
  external: ["node:*", ...Object.keys({ ...dependencies, ...peerDependencies })],
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
};

/** The wasm files in `pint8/inline`, and those of training: deflated, as letters. */
const INLINED = {
  name: "inlined",
  setup({ onLoad, onResolve }) {
    const trained = join(ROOT, "bindings/optimize/files.ts");
    onResolve({ filter: /\/files\.ts$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === trained ? { path: join(ROOT, "bindings/optimize/inlined.ts") } : undefined,
    );
    onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: lettersOf(deflateRawSync(readFileSync(path), { level: 9, memLevel: 9 })),
      loader: "text",
    }));
  },
};

/** Two letters for every 13 bits, which `bindings/session/letters.ts` reads: a thirteenth less than base64 takes. */
function lettersOf(bytes) {
  const letter = (digit) => String.fromCharCode(digit + (digit > 56 ? 36 : 35));
  const numbers = [];
  let held = 0;
  let bits = 0;
  for (const byte of [...bytes, 0, 0]) {
    held |= byte << bits;
    bits += 8;
    if (bits < 13) continue;
    numbers.push(held & 8191);
    held >>>= 13;
    bits -= 13;
  }
  return numbers.map((number) => letter(Math.floor(number / 91)) + letter(number % 91)).join("");
}

/**
 * The table of operators as a list of their names. Of a module that is spread esbuild makes an object of getters, one for each
 * operator: a fifth of what evaluating the package takes.
 */
const LISTED = {
  name: "listed",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]bindings[\\/]ops[\\/]rare\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replace(
        /import \* as \w+ from "(.+)";|\.\.\.(\w+)/g,
        (_, file, family) => {
          const index = readFileSync(join(dirname(path), file ?? `${family}/index.ts`), "utf8");
          const lists = [...index.matchAll(/export \{([^}]+)\} from/g)].flatMap(([, names]) => names.split(","));
          const kinds = lists.map((name) => name.trim().split(" ").at(-1)).filter(Boolean);
          const local = (kind) => `${kind}Operator`;
          return file === undefined
            ? kinds.map((kind) => `${kind}: ${local(kind)}`).join(", ")
            : `import { ${kinds.map((kind) => `${kind} as ${local(kind)}`).join(", ")} } from "${file}";`;
        },
      );
      return { contents, loader: "ts", resolveDir: dirname(path) };
    });
  },
};

/** The second of a pair has all of the first, though it reads only parts of it. */
const WHOLLY = {
  name: "wholly",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]formats[\\/]onnx[\\/]rare\.ts$/ }, ({ path }) => ({
      contents: `${readFileSync(path, "utf8")}\nexport { importOnnx } from "./index.ts";\n`,
      loader: "ts",
      resolveDir: dirname(path),
    }));
  },
};

/** Libraries in CommonJS ask for Node's modules by `require`, which ES modules have not. */
const BUILTINS = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "require-call" ? { path, namespace: "builtin" } : undefined,
    );
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `import all from "${path}"; export * from "${path}"; export default all;`,
    }));
  },
};

/**
 * Imports at run time as imports, where all is one file anyway: for what comes later esbuild puts each module into a function of its
 * own, a fortieth of the file.
 */
const AT_ONCE = {
  name: "at once",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]bindings[\\/].*\.ts$/ }, ({ path }) => {
      const files = [];
      const contents = readFileSync(path, "utf8").replace(
        /(?<==> |await )import\("(\.[^"]+)"\)/g,
        (_, file) => `Promise.resolve(part${files.push(file)})`,
      );
      const imports = files.map((file, i) => `import * as part${i + 1} from "${file}";\n`);
      return files.length > 0 ? { contents: contents + imports.join(""), loader: "ts" } : undefined;
    });
  },
};

/** Leaves the imports of parts as they are. */
const APART = {
  name: "apart",
  setup({ onResolve }) {
    onResolve(
      { filter: /\/(audio|customs|index|often|poses|rare|threads|whole)\.ts$/ },
      ({ path, kind, resolveDir }) => {
        const file = join(resolveDir, path);
        const part = Object.keys(PARTS).find((name) => join(ROOT, PARTS[name]) === file);
        return part === undefined || kind === "entry-point" ? undefined : { path: `./${part}.js`, external: true };
      },
    );
  },
};

/** Writes dist/lib: bundles, scripts, the decoder's wasm and the notices. */
export async function bundle() {
  const points = (files) => Object.entries(files).map(([out, path]) => ({ in: path, out }));
  const nested = {};
  const results = await Promise.all([
    build({
      ...COMMON,
      entryPoints: points({ ...ENTRIES, ...NODE, whole: PARTS.whole }),
      splitting: true,
      plugins: [APART, LISTED, BUILTINS, INLINED, UNREAD, READER, CALLED],
    }),
    build({ ...COMMON, entryPoints: points(LATER), plugins: [LISTED, BUILTINS, CALLED] }),
    build({ ...COMMON, minify: true, entryPoints: points(SCRIPTS), plugins: [LISTED, AT_ONCE, CALLED] }),
  ]);
  for (const pair of PAIRS) {
    const { metafile } = await build({
      ...{ ...COMMON, ...WITHIN },
      entryPoints: points(pair),
      plugins: [LISTED, WHOLLY, BUILTINS, CALLED],
    });
    Object.assign(nested, joinWithin(metafile.outputs, ...Object.keys(pair)));
    results.push({ metafile });
  }
  const [whole, later] = results.map(({ metafile }) => metafile.outputs);
  const outputs = { ...whole, ...later, ...nested };
  await mergeChunks(outputs, groupsOf(outputs), COMMON);
  const read = readFiles(outputs);
  const started = reachedFrom(outputs, (name) => name === "node");
  // What makes plans is the largest of what keeps names for messages and profiles, and runs once a model.
  const styleOf = (file) => {
    if (/\/engine\.js$/.test(file)) return "rooms";
    if (/\/planner\.js$/.test(file) || (started.has(file) && packs(outputs[file]))) return "short";
    return read.includes(file) ? "named" : "small";
  };
  for (const file of Object.keys(outputs)) await shrink(join(ROOT, file), styleOf(file));
  const scripts = Object.keys(SCRIPTS).map((name) => `dist/lib/${name}.js`);
  // a second time: what the first has left out lets more go
  for (const file of scripts) await shrink(join(ROOT, file), "small");
  for (const file of [...Object.keys(outputs), ...scripts]) keepBuiltinsOut(join(ROOT, file));
  const decoder = readFileSync(join(ROOT, "node_modules/@cwasm/jpeg-turbo/jpeg-turbo.wasm"));
  writeFileSync(join(ROOT, "dist/lib/jpeg-turbo.wasm.br"), brotliCompressSync(decoder));
  writeNotices(
    results.flatMap(({ metafile }) => Object.keys(metafile.inputs)).concat("node_modules/@cwasm/jpeg-turbo/x"),
  );
}

/** The files that entries and parts of these names lead to. */
function reachedFrom(outputs, isOne) {
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file) || outputs[file] === undefined) return;
    reached.add(file);
    for (const { path } of outputs[file].imports) visit(path);
  };
  for (const name of Object.keys({ ...ENTRIES, ...NODE, ...PARTS }).filter(isOne)) visit(`dist/lib/${name}.js`);
  return reached;
}

/** Chunks that are always loaded together: what runs plans, and what makes plans of models, but for what packs weights. */
function groupsOf(outputs) {
  const chunks = (entry) =>
    [...reachedFrom(outputs, (name) => name === entry)]
      .filter((file) => /\/chunk-/.test(file) && !packs(outputs[file]))
      .map((file) => file.slice("dist/lib/".length));
  const engine = chunks("runtime");
  return { engine, planner: chunks("node").filter((file) => !engine.includes(file)) };
}

/** Whether weights are packed there. */
const packs = ({ inputs }) => Object.keys(inputs).some((name) => name.startsWith("bindings/primitives/product/"));

/**
 * The files that are read: those that lead from a model to its results. Not the program, what makes networks small or modules of
 * them, kernels as functions, what has all files inside, what asks a worker, what is loaded when something needs it, what packs weights for kernels, and other libraries.
 */
function readFiles(outputs) {
  const others = ["cli", "compile", "inline", "kernels", "optimize", "remote", ...Object.keys({ ...LATER, ...NESTED })];
  const reached = reachedFrom(outputs, (name) => !others.includes(name));
  const isForeign = ({ inputs }) => {
    const names = Object.keys(inputs);
    return names.length > 0 && names.every((name) => name.startsWith("node_modules/"));
  };
  return [...reached].filter((file) => !isForeign(outputs[file]) && !packs(outputs[file]));
}
