// Runs every test of tests/ with node:test, after building what is missing.
// Arguments: folders or files below tests/ (default: all), and options of `node --test`.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { buildMissing } from "./build.mjs";
import { filesIn, ROOT } from "./files.mjs";

const named = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const options = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const files = (named.length > 0 ? named : ["tests"]).flatMap((name) =>
  statSync(join(ROOT, name)).isDirectory() ? filesIn(name, ".test.ts") : [name],
);
if (files.length === 0) {
  console.error("no tests found");
  process.exit(1);
}

await buildMissing();
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", "--test", "--test-concurrency=2", ...options, ...files],
  { cwd: ROOT, stdio: "inherit" },
);
process.exit(status ?? 1);
