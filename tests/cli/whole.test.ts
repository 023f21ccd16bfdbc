/** Outputs appear whole or not at all and never over an input; errors are told to programs too; Ctrl-C ends at once. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { forgetInputs, readBytes, writeTogether, writeWhole } from "../../bindings/cli/files.ts";
import { main } from "../../bindings/cli/program.ts";
import { Pint8Error } from "../../bindings/errors.ts";

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
