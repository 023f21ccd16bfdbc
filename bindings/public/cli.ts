#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { main } from "../cli/program.ts";

/** The nearest package.json above this file: beside `bindings/`, or above `dist/lib/`. */
function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL(packagePath(), import.meta.url), "utf8")) as { version: string };
  return version;
}

function packagePath(): string {
  return import.meta.url.endsWith(".ts") ? "../package.json" : "../../package.json";
}

// A reader that leaves early (`pint8 … | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.stderr.on("error", () => {});
// Files are written in one go between ticks: whoever interrupts finds all of a file or nothing.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.kill(process.pid, signal));

process.exitCode = await main(
  process.argv.slice(2),
  {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
  },
  packageVersion(),
);
