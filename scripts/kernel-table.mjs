// Derives the kernel table from assembly/: a kernel is an exported function (p: Block, part: u32, parts: u32): void of a file
// in a family's folder, and Block the @unmanaged class of its parameter block. `name.scalar.ts` and `name.simd.ts` hold
// what only those modules take, `name.ts` what every module takes that has no file of its own. A kernel whose comment, or
// whose file's first comment, says `@full` is left out of the core modules. Those that say `@train` are in the train edition,
// and those of assembly/train/ in no other.
//
//   assembly/generated/kernels.ts   every kernel under one name, the module's own loops chosen when compiling
//   assembly/generated/step.ts      the switch from kernel numbers to kernels
//   bindings/primitives/table.ts    the same table and the blocks' fields for TypeScript
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { newOptions, newProgram, parse } from "assemblyscript";
import { filesIn, ROOT } from "./files.mjs";

const FIELD_TYPES = ["u32", "i32", "f32"];
const FOLDERS_WITHOUT_BLOCKS = /^assembly\/(generated|linear|packer)\//;

/** Every kernel and block of assembly/, in an order that depends on names alone. */
function readTable() {
  const program = newProgram(newOptions());
  const blocks = new Map();
  const kernels = new Map();
  const files = filesIn("assembly", ".ts").filter((file) => dirname(file) !== "assembly");
  for (const file of files.filter((each) => !FOLDERS_WITHOUT_BLOCKS.test(each))) {
    const text = readFileSync(join(ROOT, file), "utf8");
    parse(program, text, file, true);
    const statements = program.sources.find(({ normalizedPath }) => normalizedPath === file)?.statements ?? [];
    const [heading] = /^\/\*\*(?:(?!\*\/)[\s\S])*/.exec(text) ?? [""];
    let before = 0;
    for (const statement of statements) {
      const comment = text.slice(before, statement.range.start);
      before = statement.range.end;
      if (statement.members && statement.decorators?.some(({ name }) => name.text === "unmanaged"))
        blocks.set(statement.name.text, blockOf(statement, file));
      const block = kernelBlock(statement);
      if (block === undefined) continue;
      const name = statement.name.text;
      const kernel = kernels.get(name) ?? { name, block, full: true, trains: false, files: {} };
      if (kernel.block !== block) throw new Error(`${file}: ${name} takes ${block}, elsewhere ${kernel.block}`);
      const kind = /\.(scalar|simd)\.ts$/.exec(file)?.[1] ?? "all";
      if (kernel.files[kind]) throw new Error(`${file}: ${name} is in ${kernel.files[kind]} too`);
      kernel.files[kind] = file;
      const says = (mark) => heading.includes(mark) || comment.includes(mark);
      kernel.full &&= says("@full");
      kernel.trains ||= says("@train");
      kernel.edition = file.startsWith("assembly/train/") ? "train" : kernel.full ? "full" : "core";
      kernels.set(name, kernel);
    }
  }
  // Those that train come last: the numbers of the others are the same without them.
  const place = ({ name, edition }) => (edition === "train" ? `~${name}` : name);
  const byName = [...kernels.values()].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  for (const { name, block } of byName)
    if (!blocks.has(block)) throw new Error(`kernel ${name}: no @unmanaged class ${block}`);
  return { kernels: byName, blocks };
}

/** The name of the parameter block, where a statement is a kernel. */
function kernelBlock(statement) {
  const EXPORT = 2;
  const parameters = statement.signature?.parameters;
  if (parameters?.length !== 3 || !(statement.flags & EXPORT)) return undefined;
  if (statement.signature.returnType.name?.identifier?.text !== "void") return undefined;
  const types = parameters.map(({ type }) => type.name?.identifier?.text);
  const names = parameters.map(({ name }) => name.text.replace(/^_/, ""));
  if (names[1] !== "part" || names[2] !== "parts") return undefined;
  return types[1] === "u32" && types[2] === "u32" && /^[A-Z]/.test(types[0] ?? "") ? types[0] : undefined;
}

function blockOf(statement, file) {
  const fields = statement.members
    .filter(({ type }) => type?.name !== undefined)
    .map((member) => [member.name.text, member.type.name.identifier.text]);
  const wrong = fields.find(([, type]) => !FIELD_TYPES.includes(type));
  if (wrong) throw new Error(`${file}: ${statement.name.text}.${wrong[0]} is no ${FIELD_TYPES.join(", ")}`);
  const parent = statement.extendsType?.name.identifier.text;
  return { name: statement.name.text, parent, fields, after: getterTypes(statement), file };
}

/** Blocks that stand after a block's own fields: a getter of their type gives their address. */
function getterTypes({ members }) {
  const GET = 2048;
  return members
    .filter(({ flags, signature }) => signature && flags & GET)
    .map(({ signature }) => signature.returnType.name.identifier.text);
}

/** All fields of a block: its parents' first, those of the block after it last. */
function fieldsOf(blocks, name) {
  const block = blocks.get(name);
  if (block === undefined) throw new Error(`no @unmanaged class ${name}`);
  const all = (names) => names.flatMap((each) => fieldsOf(blocks, each));
  return [...all(block.parent ? [block.parent] : []), ...block.fields, ...all(block.after)];
}

const GENERATED = "generated by scripts/kernel-table.mjs from the exported kernels and their parameter blocks";

/** `assembly/x/y.ts` as it is imported from `assembly/generated/`. */
const importPath = (file) => `..${file.slice("assembly".length, -".ts".length)}`;

function kernelsSource({ kernels, blocks }) {
  const imports = [];
  const functions = kernels.map(({ name, block, files }) => {
    const alias = {};
    for (const [kind, file] of Object.entries(files)) {
      alias[kind] = `${name}_${kind}`;
      imports.push(`import { ${name} as ${alias[kind]} } from "${importPath(file)}";`);
    }
    const call = (kind) => {
      const target = alias[kind] ?? alias.all;
      return target ? `${target}(changetype<${block}>(params), part, parts)` : "unreachable()";
    };
    const body =
      call("simd") === call("scalar")
        ? `  ${call("simd")};`
        : `  if (ASC_FEATURE_SIMD) ${call("simd")};\n  else ${call("scalar")};`;
    return `export function ${name}(params: usize, part: u32, parts: u32): void {\n${body}\n}`;
  });
  for (const name of new Set(kernels.map(({ block }) => block)))
    imports.push(`import { ${name} } from "${importPath(blocks.get(name).file)}";`);
  return `/** Every kernel under one name: ${GENERATED}. */\n${imports.join("\n")}\n\n${functions.join("\n\n")}\n`;
}

function stepSource({ kernels }) {
  const cases = kernels.map(({ name, edition, trains }, i) => {
    const own = { core: "CORE", full: "FULL", train: "TRAIN" }[edition];
    const condition = trains && edition !== "train" ? `${own} || TRAIN` : own;
    return `    case ${i}: { if (${condition}) k.${name}(params, part, parts); else unreachable(); return; }`;
  });
  return `/** One kernel by its number: ${GENERATED}. */
import * as k from "./kernels";

export function step(kernel: u32, params: usize, part: u32, parts: u32): void {
  switch (kernel) {
${cases.join("\n")}
    default: unreachable();
  }
}
`;
}

function tableSource({ kernels, blocks }) {
  const used = [...blocks.keys()].sort();
  const params = used.map((name) => {
    const fields = fieldsOf(blocks, name).map(([field, type]) => (type === "f32" ? `${field}:f32` : field));
    return [name, fields.join(" ")];
  });
  const rows = kernels.map(({ name, block, edition }) => [name, block, edition]);
  const quoted = (words) => words.map((word) => `"${word}"`).join(", ");
  return `/**
 * ${GENERATED[0].toUpperCase()}${GENERATED.slice(1)}: as text, which engines read faster than
 * lists, and as types.
 */

/** A block a line: its name and its fields in their order, each one 32-bit little-endian word, an integer unless it says :f32. */
export const PARAMS = \`
${params.map((words) => words.join(" ")).join("\n")}
\`;

/** A kernel a line: its name, its parameter block and the smallest edition of the modules that has it; the line is its number. */
export const KERNELS = \`${rows.map((words) => words.join(" ")).join("\n")}\`;

/** The fields of every block, as PARAMS has them. */
export interface Params {
${params.map(([name, fields]) => `  readonly ${name}: "${fields}";\n`).join("")}}

/** The rows of KERNELS. */
export type KernelRows = readonly [
${rows.map((words) => `  readonly [${quoted(words)}],\n`).join("")}];
`;
}

/** Writes the file where its text changed, so that nothing is built again for no reason. */
function writeChanged(file, text) {
  const path = join(ROOT, file);
  mkdirSync(dirname(path), { recursive: true });
  let old;
  try {
    old = readFileSync(path, "utf8");
  } catch {}
  if (old !== text) writeFileSync(path, text);
}

/** Brings everything generated up to date. */
export function writeKernelTable() {
  const table = readTable();
  writeChanged("assembly/generated/kernels.ts", kernelsSource(table));
  writeChanged("assembly/generated/step.ts", stepSource(table));
  writeChanged("bindings/primitives/table.ts", tableSource(table));
}

if (basename(process.argv[1] ?? "") === "kernel-table.mjs") writeKernelTable();
