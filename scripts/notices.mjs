// What is in the bundles besides the project, and under which terms.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesIn, ROOT } from "./files.mjs";

/** dist/NOTICES.md: name, version and license text of every library that is in a bundle. */
export function writeNotices(inputs) {
  const names = new Set(
    inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1]).filter(Boolean),
  );
  const own = readFileSync(join(ROOT, "LICENSE"), "utf8").trim();
  const grants = new Map();
  const notices = [...names].sort().map((name) => {
    const folder = join("node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const [file] = filesIn(folder, "").filter((path) => /^licen[cs]e(\.\w+)?$/i.test(path.slice(folder.length + 1)));
    const text = file === undefined ? `License: ${license}` : readFileSync(join(ROOT, file), "utf8").trim();
    // The text of the Apache License is pint8's own, too.
    const end = "END OF TERMS AND CONDITIONS";
    const [terms, ...rest] = text.split(end);
    const whole = rest.length && own.startsWith(terms.trim()) ? `Apache License 2.0, see LICENSE` : text;
    // What several grant in the same words, MIT's, stands once.
    const at = Math.max(whole.indexOf("Permission is hereby granted"), 0);
    const words = whole.slice(at).replace(/\s+/g, " ").replaceAll("'", '"');
    const first = grants.get(words);
    grants.set(words, first ?? name);
    const said =
      first && at > 0 ? `${whole.slice(0, at)}Permission is granted in the words of ${first}, above.` : whole;
    return `## ${name} ${version}\n\n${said}\n`;
  });
  const head = "# What is in the bundles of pint8 besides pint8\n\n";
  writeFileSync(join(ROOT, "dist/NOTICES.md"), head + notices.join("\n"));
}
