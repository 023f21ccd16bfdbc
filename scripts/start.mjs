// `npm start`: builds what is missing, then lets the digits model read its ten samples.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildMissing } from "./build.mjs";
import { ROOT } from "./files.mjs";

await buildMissing();
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", join(ROOT, "models/digits/demo.ts"), ...process.argv.slice(2)],
  { cwd: ROOT, stdio: "inherit" },
);
process.exit(status ?? 1);
