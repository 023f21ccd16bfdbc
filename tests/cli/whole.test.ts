/** Outputs appear whole or not at all and never over an input; errors are told to programs too; Ctrl-C ends at once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { forgetInputs, readBytes, writeTogether, writeWhole } from "../../bindings/cli/files.ts";
import { main } from "../../bindings/cli/program.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { DIGITS, pint8, sample } from "./run.ts";

const dir = mkdtempSync(join(tmpdir(), "pint8-"));
after(() => rmSync(dir, { recursive: true }));
const file = (name: string) => join(dir, name);
const isIo = (pattern: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === "IO" && pattern.test(error.message);

test("an input is not written over", () => {
  writeFileSync(file("in"), "model");
  readBytes(file("in"));
  assert.throws(() => writeWhole(file("in"), [Uint8Array.of(1)]), isIo(/read as input/));
  assert.throws(() => writeTogether([{ path: file("in"), bytes: Uint8Array.of(1) }]), isIo(/read as input/));
  assert.equal(readFileSync(file("in"), "utf8"), "model");
  forgetInputs();
});

test("of several files all are written or none, and what was there comes back", () => {
  const before = mkdirSync(file("several"), { recursive: true });
  assert.ok(before);
  writeFileSync(file("several/a"), "old");
  mkdirSync(file("several/c"));
  const bytes = new TextEncoder().encode("new");
  const files = ["a", "b", "c"].map((name) => ({ path: file(`several/${name}`), bytes }));
  assert.throws(() => writeTogether(files), isIo(/folder/));
  assert.deepEqual(readdirSync(file("several")).sort(), ["a", "c"]);
  assert.equal(readFileSync(file("several/a"), "utf8"), "old");
  writeTogether(files.slice(0, 2));
  assert.deepEqual(readdirSync(file("several")).sort(), ["a", "b", "c"]);
  assert.equal(readFileSync(file("several/a"), "utf8"), "new");
});

test("what has no end is not read without end", { skip: !existsSync("/dev/zero") && "no /dev/zero" }, () => {
  assert.throws(() => readBytes("/dev/zero"), isIo(/no file/));
});

test("--json tells errors on standard output, on one line without control characters", async () => {
  copyFileSync(new URL("../../package.json", import.meta.url), file("no\u001b[31m.tflite"));
  const lines: string[] = [];
  const status = await main(
    ["inspect", file("no\u001b[31m.tflite"), "--json"],
    { out: (line: string) => lines.push(line), err: () => {} } as unknown as Parameters<typeof main>[1],
    "0",
  );
  assert.equal(status, 1);
  const { error } = JSON.parse(lines.join("\n"));
  assert.equal(error.code, "INVALID_MODEL");
  assert.match(error.message, /^[^\p{Cc}]{1,400}$/u);
});

test("two outputs have two places, and what is printed beside them one of its own", async () => {
  const [run, image] = [["run", DIGITS, "--input", sample(1)], sample(1)];
  const [a, link] = [file("a.bin"), file("link.bin")];
  writeFileSync(a, "");
  symlinkSync(a, link);
  const evaluate = ["evaluate", DIGITS, "--data", image, "--against", DIGITS];
  const lines: readonly (readonly [RegExp, readonly string[]])[] = [
    [/a\.bin: .*received the same for two/, [...run, "--output", a, "--save-input", a]],
    [/\.bin: .*received the same for two/, [...run, "--output", a, "--save-input", link]],
    [/standard output: .*received the same for two/, [...run, "--output", "-", "--save-input", "-"]],
    [/standard output: .*received that of --json/, [...run, "--output", "-", "--json"]],
    [/standard output: .*received that of --json/, [...evaluate, "--report", "-", "--json"]],
    [
      /new\.html: .*received the same for two/,
      [...evaluate, "--report", file("new.html"), "--node-data", file("./new.html")],
    ],
  ];
  for (const [message, args] of lines) {
    const { status, err } = await pint8(...args);
    assert.equal(status, 1, args.join(" "));
    assert.match(err, /^pint8: INVALID_OPTION: |\npint8: INVALID_OPTION: /);
    assert.match(err, message);
  }
  assert.equal(
    (await pint8(...run, "--output", "/dev/null", "--save-input", "/dev/null")).status,
    0,
    "devices take more",
  );
});

test("- is standard output where several files are written, and called so", { skip: !existsSync("/dev/full") }, () => {
  const program = [
    "--import",
    import.meta.resolve("tsx"),
    fileURLToPath(new URL("../../bindings/public/cli.ts", import.meta.url)),
  ];
  const said = (to: number | "pipe", ...args: readonly string[]) =>
    spawnSync(process.execPath, [...program, ...args], { cwd: dir, stdio: ["ignore", to, "pipe"], encoding: "utf8" });
  const data = ["--data", sample(1), "--against", DIGITS];
  const both = said("pipe", "evaluate", DIGITS, ...data, "--report", "r.html", "--node-data", "-");
  assert.equal(both.status, 0, both.stderr);
  assert.match(both.stdout, /^\{/);
  assert.ok(existsSync(file("r.html")) && !existsSync(file("-")));
  const full = openSync("/dev/full", "w");
  for (const args of [
    ["run", DIGITS, "--input", sample(1), "--output", "-"],
    ["inspect", DIGITS],
  ]) {
    const { status, stderr } = said(full, ...args);
    assert.equal(status, 1);
    assert.match(stderr, /pint8: IO: standard output: /);
  }
  closeSync(full);
});
