// The declarations of the package: of everything that tsc writes, what entry points lead to, once for ES modules and once for CommonJS.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { ENTRIES } from "./bundle.mjs";
import { filesIn, ROOT } from "./files.mjs";

const TYPES = "dist/types";
const declared = (path) => join(ROOT, path.replace("bindings", TYPES).replace(".ts", ".d.ts"));

/** Removes what no entry point leads to: files, what nobody imports of the others, and from the kernel table what only the sources check. */
export function pruneTypes() {
  shortenTable();
  const entries = Object.values(ENTRIES).map(declared).filter(existsSync);
  const known = new Map();
  const parsed = (file, text) => {
    if (known.get(file)?.text !== text) known.set(file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
    return known.get(file);
  };
  let kept = new Map();
  for (let before = -1, size = 0; size !== before; ) {
    before = size;
    kept = reachedFrom(entries, kept);
    const names = new Map();
    const sources = [...kept].map(([file, text]) => {
      const source = parsed(file, text);
      for (const name of identifiers(source)) names.set(name, (names.get(name) ?? 0) + 1);
      return source;
    });
    const whole = new Set([...entries, ...sources.flatMap(wholly)]);
    for (const source of sources)
      kept.set(source.fileName, without(source, whole.has(source.fileName) ? undefined : names));
    size = [...kept.values()].reduce((sum, text) => sum + text.length, 0);
  }
  for (const file of filesIn(TYPES, ".d.ts").map((name) => join(ROOT, name)))
    if (kept.has(file)) writeFileSync(file, (INNER.test(file) ? withoutComments : shortened)(kept.get(file)));
    else rmSync(file);
}

/** Types that public ones lead to and no caller writes. */
const INNER = /[\\/]types[\\/](?:ops[\\/]types|packer|passes|primitives[\\/](?!modules|requantize))/;

const withoutComments = (text) => text.replace(/^[ \t]*\/\*\*.*?\*\/[ \t]*\n/gms, "");

/** Lines without what they are indented by, those of comments without their asterisks. */
const shortened = (text) =>
  withoutHeading(text)
    .replace(/\/\*\*\n(.*?)\s*\*\//gs, (_, lines) => `/** ${lines.replace(/^[ \t]*\*[ ]?/gm, "")} */`)
    .replace(/^[ \t]+/gm, "");

/** What a source says of itself is no declaration's. */
const withoutHeading = (text) =>
  text.replace(/^\/\*\*(?:(?!\*\/).)*\*\/\n(?=import|export (?:\*|(?:type )?\{)|\/\*\*)/s, "");

/** The files that some lead to, with their texts as far as they were made shorter. */
function reachedFrom(entries, texts) {
  const found = new Map();
  const visit = (file) => {
    if (found.has(file) || !existsSync(file)) return;
    const text = texts.get(file) ?? readFileSync(file, "utf8");
    found.set(file, text);
    for (const [, path] of text.matchAll(/["'](\.{1,2}\/[^"']+)\.js["']/g)) visit(join(dirname(file), `${path}.d.ts`));
  };
  for (const entry of entries) visit(entry);
  return found;
}

/** The names in a part of a file, each as often as it stands there. */
function identifiers(node, found = []) {
  if (ts.isIdentifier(node)) found.push(node.text);
  ts.forEachChild(node, (child) => void identifiers(child, found));
  return found;
}

/** The files of which a file passes everything on. */
const wholly = ({ fileName, statements }) =>
  statements
    .filter((each) => ts.isExportDeclaration(each) && each.moduleSpecifier && !each.exportClause)
    .map((each) => join(dirname(fileName), each.moduleSpecifier.text.replace(/\.js$/, ".d.ts")));

/** The text of a file without imports that it does not use, and, by how often each name stands anywhere, without what is named once. */
function without(source, names) {
  const own = new Map();
  for (const statement of source.statements)
    if (!ts.isImportDeclaration(statement))
      for (const name of identifiers(statement)) own.set(name, (own.get(name) ?? 0) + 1);
  let text = source.text;
  const replace = (node, by) => {
    text = text.slice(0, node.getStart(source, true)) + by + text.slice(node.end + (by === "" ? 1 : 0));
  };
  for (const statement of [...source.statements].reverse()) {
    const bindings = statement.importClause?.namedBindings;
    if (ts.isImportDeclaration(statement) && bindings && ts.isNamedImports(bindings)) {
      const used = bindings.elements.filter(({ name }) => own.has(name.text));
      if (used.length === 0) replace(statement, "");
      else if (used.length < bindings.elements.length)
        replace(bindings, `{ ${used.map((each) => each.getText(source)).join(", ")} }`);
    } else if (names !== undefined && (isExported(statement) || isOwnType(statement))) {
      const declarations = statement.declarationList?.declarations ?? [statement];
      if (declarations.every(({ name }) => names.get(name?.text) === 1)) replace(statement, "");
    }
  }
  return text;
}

const isExported = (statement) =>
  ts.canHaveModifiers(statement) &&
  ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;

/** Whether a statement is a type that its file alone has. */
const isOwnType = (statement) => ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);

/** The kernel table as its names. */
function shortenTable() {
  const table = join(ROOT, TYPES, "primitives/table.d.ts");
  const names = [...readFileSync(table, "utf8").matchAll(/readonly \["(\w+)", /g)].map(([, name]) => `"${name}"`);
  writeFileSync(
    table,
    `export interface Params { readonly [block: string]: string; }
export type KernelRows = readonly (readonly [${names.join(" | ")}, string, "core" | "full" | "train"])[];
`,
  );
}

/** What has no comments: those of ES modules lead to the other copy. */
const SHARED = "primitives/table";

/** For programs in CommonJS: stubs that require the same ES modules, and the declarations once more, without comments, a line for each that is exported. */
export function writeCommonJs() {
  mkdirSync(join(ROOT, "dist/cjs"), { recursive: true });
  for (const name of Object.keys(ENTRIES).filter((entry) => entry !== "cli"))
    writeFileSync(join(ROOT, `dist/cjs/${name}.cjs`), `module.exports = require("../lib/${name}.js");\n`);
  cpSync(join(ROOT, "dist/types"), join(ROOT, "dist/cjs/types"), { recursive: true });
  for (const file of filesIn("dist/cjs/types", ".d.ts"))
    writeFileSync(
      join(ROOT, file),
      withoutComments(readFileSync(join(ROOT, file), "utf8"))
        .replace(/^[ \t]+/gm, "")
        .replace(/(?<=[;{])\n(?!import|export|declare|\/)/g, "")
        .replace(/("[^"]*"|`[^`]*`)| ?([{}]) ?| ?([:,|]|=>) /g, "$1$2$3"),
    );
  writeFileSync(join(ROOT, TYPES, `${SHARED}.d.ts`), `export * from "../../cjs/types/${SHARED}.js";\n`);
  writeFileSync(join(ROOT, "dist/cjs/types/package.json"), '{ "type": "commonjs" }\n');
}
