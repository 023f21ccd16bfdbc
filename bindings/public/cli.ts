#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { DECODES } from "../cli/picture/pool.ts";
import { main } from "../cli/program.ts";

/** Of the package.json above `bindings/public` and above `dist/lib`. */
function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

// A reader that leaves early (`pint8 … | head`) is no failure.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code !== "EPIPE")
    process.stderr.write(`pint8: IO: standard output: expected a place that takes it, received ${code}\n`);
  process.exit(code === "EPIPE" ? 0 : 1);
});
process.stderr.on("error", () => {});
// But for commands that train, nobody listens to SIGINT and SIGTERM, so the system ends the process at once, whatever it computes: a shell then says 130
// and 143. Files are written beside their places and renamed, so whoever interrupts finds all of a file or nothing.

const run = () =>
  main(
    process.argv.slice(2),
    {
      out: (line) => process.stdout.write(`${line}\n`),
      err: (line) => process.stderr.write(`${line}\n`),
      ...(process.stdout.isTTY && process.stdout.columns > 0 ? { width: process.stdout.columns } : {}),
      ...(process.stderr.isTTY ? { status: (line: string) => process.stderr.write(`\r${line}\u001b[K`) } : {}),
    },
    packageVersion(),
  );

// Its threads are this same script: they decode pictures.
if (workerData === DECODES) await import("../cli/picture/worker.ts");
else {
  const status = await run();
  // Commands that put something away when they are interrupted have said 130.
  process.exitCode = status === 0 ? 0 : process.exitCode || status;
}
