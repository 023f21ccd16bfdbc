/** The files of ../shared/hostile: each ends in a result or a Pint8Error, in bounded time and memory, in every module and from plans. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnable } from "../support/kernels.ts";

const FOLDER = fileURLToPath(new URL("../../../shared/hostile/", import.meta.url));
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** What each way may take on a busy machine, in milliseconds of the processor (2,000 on a quiet one), and megabytes above Node. */
const MILLISECONDS = 8000;
const MEGABYTES = 256;
/** Milliseconds after which a process is taken to hang, on a machine that is busy with other things. */
const HANGS = 120_000;
const AT_ONCE = 2;

interface Line {
  readonly what: string;
  readonly milliseconds: number;
  readonly growth: number;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly raw?: string;
}

const names = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => !name.endsWith(".md")) : [];
const modules = (await runnable()).flatMap(({ name, skip }) => (skip ? [] : [name]));

describe("hostile files", { skip: names.length === 0 && "no ../shared/hostile", concurrency: AT_ONCE }, () => {
  for (const name of names)
    test(name, async () => {
      const { lines, end, stderr } = await child([FOLDER + name, ...modules]);
      for (const { what, milliseconds, growth, message = "", hint = "", raw } of lines) {
        assert.equal(raw, undefined, `${what}: not a Pint8Error: ${raw}`);
        assert.ok(milliseconds <= MILLISECONDS, `${what}: ${milliseconds} ms`);
        assert.ok(growth <= MEGABYTES, `${what}: ${growth} MB`);
        for (const text of [message, hint]) assert.match(text, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,400}$/u, what);
      }
      assert.equal(
        end,
        0,
        `the process ended with ${end} after ${lines.at(-1)?.what ?? "nothing"}: ${stderr.slice(0, 400)}`,
      );
      assert.ok(lines.length > 0);
    });
});

function child(args: readonly string[]) {
  return new Promise<{ lines: readonly Line[]; end: number | string; stderr: string }>((resolve) => {
    const process_ = spawn(process.execPath, ["--expose-gc", "--import", "tsx", CHILD, ...args], {
      timeout: HANGS,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    process_.stdout.on("data", (text) => (stdout += text));
    process_.stderr.on("data", (text) => (stderr += text));
    process_.on("close", (status, signal) =>
      resolve({
        lines: stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
        end: status ?? signal ?? "?",
        stderr,
      }),
    );
  });
}
