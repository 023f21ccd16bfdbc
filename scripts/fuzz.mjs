// `npm run fuzz -- --minutes N`: builds what is missing, then mutates models, plans and pictures (tests/hostile/fuzz.ts).
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildMissing } from "./build.mjs";
import { ROOT } from "./files.mjs";

await buildMissing();
const args = ["--import", "tsx", join(ROOT, "tests/hostile/fuzz.ts"), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
process.exit(status ?? 1);
