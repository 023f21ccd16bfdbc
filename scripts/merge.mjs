// Chunks that are always loaded together, made one file: engines ask for a file after they have read the one that names it, and
// Node takes half a millisecond for each.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./files.mjs";

/** Lists of names that come from another file, and files that are imported for their order alone, as esbuild writes them. */
const LISTS = /^(import|export) (?:\{([^}]*)\} from )?"\.\/([\w-]+\.js)";\n/gm;

/** How esbuild writes two parts of which one has all of the other: with `within.js`, that which both have. */
export const WITHIN = { minify: true, splitting: true, chunkNames: "within" };

const pathOf = (file) => join(ROOT, "dist/lib", file);

/**
 * Makes files of these names out of groups of chunks, none of which imports from a later group. `outputs`, esbuild's table of what it
 * wrote, becomes one of what there is then.
 */
export async function mergeChunks(outputs, groups, common) {
  const places = new Map(Object.entries(groups).flatMap(([name, files]) => placesOf(outputs, name, files)));
  const texts = [];
  for (const [name, files] of Object.entries(groups)) texts.push([name, await merged(name, files, places, common)]);
  for (const file of Object.keys(outputs)) {
    if (places.has(basename(file)) || !file.endsWith(".js")) continue;
    const text = readFileSync(join(ROOT, file), "utf8");
    writeFileSync(join(ROOT, file), redirected(text, places));
    outputs[file].imports = importsOf(outputs[file].imports, places);
  }
  for (const [name, text] of texts) {
    const parts = groups[name].map((file) => outputs[`dist/lib/${file}`]);
    for (const file of groups[name]) {
      rmSync(pathOf(file));
      delete outputs[`dist/lib/${file}`];
    }
    writeFileSync(pathOf(`${name}.js`), text);
    const imports = importsOf(
      parts.flatMap((part) => part.imports),
      places,
    );
    outputs[`dist/lib/${name}.js`] = { inputs: Object.assign({}, ...parts.map((part) => part.inputs)), imports };
  }
}

/**
 * Makes one file of the part `inner` and of `within.js`, which it shares with `outer`. Gives esbuild's table of what there is then. Names
 * are esbuild's short ones, but for that of the part itself.
 */
export function joinWithin({ "dist/lib/within.js": shared, ...outputs }, inner, outer) {
  const text = (name) => readFileSync(pathOf(`${name}.js`), "utf8");
  const pairs = (list) => list.split(",").map((pair) => pair.split(" as "));
  const [, imports, exports] = /\{([^}]*)\}from"[^"]*";export\{([^}]*)\}/.exec(text(inner));
  const names = new Map(pairs(imports).map(([name, local = name]) => [local, name]));
  const exported = new Map(pairs(exports).map(([local, name = local]) => [names.get(local), name]));
  const joined = text("within").replace(/(?<=export\{)[^}]*(?=\};?\s*$)/, (list) => {
    const own = pairs(list).flatMap(([local, name = local]) =>
      exported.has(name) ? `${local} as ${exported.get(name)}` : [],
    );
    return [list, ...own].join(",");
  });
  writeFileSync(pathOf(`${inner}.js`), joined);
  writeFileSync(pathOf(`${outer}.js`), text(outer).replace("./within.js", `./${inner}.js`));
  rmSync(pathOf("within.js"));
  return { ...outputs, [`dist/lib/${inner}.js`]: shared };
}

/** For each file of a group the group, and what its exports are called there: the same, unless another file's are called so. */
function placesOf(outputs, name, files) {
  const taken = new Set();
  return files.map((file) => {
    const names = outputs[`dist/lib/${file}`].exports.map((from) => {
      let to = from;
      for (let i = 2; taken.has(to); i++) to = `${from}${i}`;
      taken.add(to);
      return [from, to];
    });
    return [file, { name, names: new Map(names) }];
  });
}

const listed = (pairs) => pairs.map(([from, to]) => (from === to ? from : `${from} as ${to}`)).join(", ");

/** Text whose imports are of groups, each once, where they were of their files, but for those of `own`. */
function redirected(text, places, own) {
  const lists = Object.fromEntries([...places.values()].map(({ name }) => [name, { import: [], export: [] }]));
  const rest = text.replace(LISTS, (all, keyword, list, file) => {
    const place = places.get(file);
    if (place === undefined || place.name === own) return all;
    const pairs = (list ?? "").split(",").map((each) => each.trim().split(" as "));
    const moved = pairs.filter(([from]) => from).map(([from, to = from]) => [place.names.get(from), to]);
    lists[place.name][keyword].push(...moved);
    return "";
  });
  const heads = Object.entries(lists).flatMap(([name, kinds]) =>
    Object.entries(kinds)
      .filter(([, pairs]) => pairs.length > 0)
      .map(([keyword, pairs]) => `${keyword} { ${listed(pairs)} } from "./${name}.js";\n`),
  );
  return rest.replace(/^(#!.*\n)?/, (first) => first + heads.join(""));
}

const importsOf = (imports, places) =>
  imports.map(({ path, ...rest }) => {
    const place = places.get(basename(path));
    return { path: place === undefined ? path : `dist/lib/${place.name}.js`, ...rest };
  });

/** A group's text. The names of sources, which other comments are lost with, go as notices. */
async function merged(name, files, places, common) {
  const group = {
    name: "group",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\// }, ({ path }) => {
        const file = path.slice(2);
        return files.includes(file) ? { path: file, namespace: "group" } : { path, external: true };
      });
      onLoad({ filter: /./, namespace: "group" }, ({ path }) => ({
        contents: redirected(readFileSync(pathOf(path), "utf8"), places, name).replace(
          /^\/\/ bindings\//gm,
          "//! bindings/",
        ),
        resolveDir: ROOT,
      }));
    },
  };
  const contents = files
    .map((file) => `export { ${listed([...places.get(file).names])} } from "./${file}";`)
    .join("\n");
  const { outputFiles } = await build({
    ...common,
    stdin: { contents, resolveDir: ROOT },
    outdir: undefined,
    outfile: pathOf(`${name}.js`),
    metafile: false,
    write: false,
    legalComments: "inline",
    plugins: [group],
  });
  return outputFiles[0].text.replace(/^\/\/ .*\n/gm, "").replace(/^\/\/! bindings\//gm, "// bindings/");
}
