// The text of the bundles: small, or for reading.
import { readFileSync, writeFileSync } from "node:fs";
import { transform } from "esbuild";

/** Characters of a line of an object's members. */
const LINE = 120;

/** How a file is written: for reading, with its names but without blanks, or as small as may be. */
const NAMED = { minifyWhitespace: true, minifySyntax: true };

/**
 * Makes a file smaller. One that is read keeps its lines of code, indented by tabs, and the rooms and names of their sources, unless that
 * would change more than blanks in texts; one that is `named` keeps its names alone. Comments are in the types:
 * bundling moves them away from what they are about.
 */
export async function shrink(file, style) {
  // Files that are imported for nothing but their order: no file does anything by itself, and users' bundlers would follow them.
  const text = readFileSync(file, "utf8").replace(/^import "\.\/chunk-\w+\.js";\n/gm, "");
  const minified = async (code, how = { minify: true }) =>
    (await transform(code, { ...how, format: "esm", target: "es2022" })).code;
  if (style !== "read") return writeFileSync(file, await minified(text, style === "named" ? NAMED : undefined));
  const bare = text
    .replace(/^[ \t]*\/\*\*(?!\/)[\s\S]*?\*\/[ \t]*\n/gm, "")
    .replace(/^[ \t]*\/\/ (?!bindings\/).*\n/gm, "")
    // what bundlers are told of calls is for those at the top
    .replace(/^[ \t].*/gm, (line) => line.replaceAll("/* @__PURE__ */ ", ""))
    .replace(/^\/\/ bindings\/(\w+\/)?(?:.*\/)?(\w+)\.ts$/gm, "// $1$2");
  const indented = bare.replace(/^(?: {2})+/gm, (spaces) => "\t".repeat(spaces.length / 2));
  const words = async (code) => (await minified(code)).replace(/\s+/g, " ");
  const wanted = await words(text);
  for (const candidate of [joined(indented), indented])
    if ((await words(candidate)) === wanted) return writeFileSync(file, candidate);
}

/** Objects and lists whose members take a line each: as many on a line as fit. */
function joined(code) {
  const member = String.raw`(?:[^\n[\]{}\`;]|\{[^\n{}\`;]*\}|\[[^\n[\]\`;]*\])*`;
  const members = new RegExp(String.raw`([[{])\n(\t*)((?:${member},\n)*${member})\n(\t*)[\]}]`, "g");
  return code.replace(members, (_, bracket, tabs, inner, outer) => {
    const lines = [""];
    for (const each of inner.split(/(?<=,)\n\t*/)) {
      const last = lines[lines.length - 1];
      if (last !== "" && last.length + each.length < LINE) lines[lines.length - 1] = `${last} ${each}`;
      else if (last === "") lines[0] = each;
      else lines.push(each);
    }
    const [space, end] = bracket === "[" ? ["", "]"] : [" ", "}"];
    if (lines.length === 1) return bracket + space + lines[0] + space + end;
    return `${bracket}\n${lines.map((line) => tabs + line).join("\n")}\n${outer}${end}`;
  });
}
