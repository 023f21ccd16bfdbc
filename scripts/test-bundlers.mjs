// Packs the package and tries it as users do: bundlers, servers, engines, compilers of TypeScript. Their packages are installed
// into a cache folder ($PINT8_CACHE, or the user's caches), once. Arguments: options of `node --test`.
import { spawnSync } from "node:child_process";
import { buildMissing } from "./build.mjs";
import { filesIn, ROOT } from "./files.mjs";

await buildMissing();
const { status } = spawnSync(
  process.execPath,
  [
    "--import",
    "tsx",
    "--test",
    "--test-concurrency=1",
    ...process.argv.slice(2),
    ...filesIn("tests/bundlers", ".check.ts"),
  ],
  { cwd: ROOT, stdio: "inherit" },
);
process.exit(status ?? 1);
