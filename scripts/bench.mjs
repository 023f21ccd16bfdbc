// `npm run bench`: builds what is missing, then measures. Arguments go to bench/run.ts; `--help` lists them.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildMissing } from "./build.mjs";
import { ROOT } from "./files.mjs";

await buildMissing();
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", join(ROOT, "bench/run.ts"), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exit(status ?? 1);
