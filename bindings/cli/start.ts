import { readFileSync } from "node:fs";
import { main } from "./program.ts";

/** Of the package.json above `bindings/cli` and above `dist/lib`. */
function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Runs this process's command line on its streams, and sets its status. */
export async function start(): Promise<void> {
  const { stdout, stderr } = process;
  // A reader that leaves early (`pint8 … | head`) is no failure.
  stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE")
      stderr.write(`pint8: IO: standard output: expected a place that takes it, received ${code}\n`);
    process.exit(code === "EPIPE" ? 0 : 1);
  });
  stderr.on("error", () => {});
  // But for commands that train, nobody listens to SIGINT and SIGTERM, so the system ends the process at once, whatever it computes: a shell then says 130
  // and 143. Files are written beside their places and renamed, so whoever interrupts finds all of a file or nothing.
  const status = await main(
    process.argv.slice(2),
    {
      out: (line) => stdout.write(`${line}\n`),
      err: (line) => stderr.write(`${line}\n`),
      ...(stdout.isTTY && stdout.columns > 0 ? { width: stdout.columns } : {}),
      ...(stderr.isTTY ? { status: (line: string) => stderr.write(`\r${line}\u001b[K`) } : {}),
    },
    packageVersion(),
  );
  // Commands that put something away when they are interrupted have said 130.
  process.exitCode = status === 0 ? 0 : process.exitCode || status;
}
