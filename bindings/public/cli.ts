#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { main } from "../cli/program.ts";

/** Of the package.json above `bindings/public` and above `dist/lib`. */
function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
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
