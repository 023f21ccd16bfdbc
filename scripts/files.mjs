// The files of the project, and which of them are newer than what was built from them.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Paths below `folder` (relative to the project) that end in `ending`, sorted; none where the folder is missing. */
export function filesIn(folder, ending) {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** Whether any target is missing or older than the newest source. Paths are relative to the project. */
export function outdated(targets, sources) {
  const time = (name) => statSync(join(ROOT, name)).mtimeMs;
  if (targets.length === 0 || targets.some((name) => !existsSync(join(ROOT, name)))) return true;
  return Math.min(...targets.map(time)) < Math.max(...sources.map(time));
}
