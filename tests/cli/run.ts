import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { main } from "../../bindings/cli/program.ts";

/** The digits model and its samples, which are part of the project. */
export const DIGITS = fileURLToPath(new URL("../../models/digits/digits_int8.tflite", import.meta.url));
export const DIGIT_LABELS = fileURLToPath(new URL("../../models/digits/labels.txt", import.meta.url));
export const sample = (digit: number): string =>
  fileURLToPath(new URL(`../../models/digits/samples/digit_${digit}.png`, import.meta.url));

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process. */
export async function pint8(...args: readonly string[]): Promise<Result> {
  const [out, err]: [string[], string[]] = [[], []];
  const status = await main(args, { out: (line) => out.push(line), err: (line) => err.push(line) }, "0.0.0-test");
  return { status, out: out.join("\n"), err: err.join("\n") };
}

/** A folder that goes when the test ends. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "pint8-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
