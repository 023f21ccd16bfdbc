/** Real models for tests. They stand beside the project and are not part of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const SHARED = new URL("../../../shared/", import.meta.url);

/** Reason to skip, or `false`. */
export const skipShared: string | false = existsSync(SHARED) ? false : "no ../shared folder with models";

/** Names of all .tflite files in ../shared/models, without the ending; none where the folder is missing. */
export function sharedModels(): readonly string[] {
  if (skipShared) return [];
  const files = readdirSync(new URL("models/", SHARED), { recursive: true, encoding: "utf8" });
  return files.flatMap((file) => (file.endsWith(".tflite") ? [file.slice(0, -".tflite".length)] : [])).sort();
}

/** The bytes of `models/<name>.tflite`. */
export function sharedModel(name: string): Uint8Array {
  return readFileSync(new URL(`models/${name}.tflite`, SHARED));
}

/** A parsed JSON file of ../shared, `undefined` where there is none. */
export function sharedJson(path: string): unknown {
  const url = new URL(path, SHARED);
  return existsSync(url) ? JSON.parse(readFileSync(url, "utf8")) : undefined;
}
