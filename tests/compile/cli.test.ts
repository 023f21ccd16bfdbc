/** `pint8 compile` as a program: what it prints, its files, all of them or none. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DIGITS, folder } from "../cli/run.ts";
import { run } from "./tools.ts";

const CLI = fileURLToPath(new URL("../../dist/lib/cli.js", import.meta.url));
/** The built program: under a TypeScript loader Binaryen alone takes 10 s. */
const pint8 = (cwd: string, ...args: readonly string[]) => run(process.execPath, ["--liftoff-only", CLI, ...args], cwd);

test("four files, the figures, a progress line", (t) => {
  const dir = folder(t);
  const { status, out, err } = pint8(dir, "compile", DIGITS, "-o", "digits.wasm");
  assert.equal(status, 0, err);
  assert.deepEqual(readdirSync(dir).sort(), ["digits.d.ts", "digits.h", "digits.js", "digits.wasm"]);
  const size = readFileSync(join(dir, "digits.wasm")).length;
  assert.match(out, new RegExp(`^module +${size.toLocaleString("en-US")}  bytes: digits.wasm, scalar$`, "m"));
  for (const what of ["code", "weights", "arena", "RAM"])
    assert.match(out, new RegExp(`^${what} +[\\d,]+  bytes`, "m"));
  assert.match(out, /^MACs +804,512 /m);
  assert.match(err, /^digits.wasm: linking \d+ steps/m);
  assert.match(readFileSync(join(dir, "digits.h"), "utf8"), /#define DIGITS_INPUT_0_BYTES 784u/);
});

test("--json prints one object; a plan compiles to its own module", (t) => {
  const dir = folder(t);
  assert.equal(pint8(dir, "plan", DIGITS, "-o", "digits.plan", "--module", "simd").status, 0);
  const { status, out, err } = pint8(dir, "compile", "digits.plan", "-o", "digits.wasm", "--json");
  assert.equal(status, 0, err);
  const { module, files, moduleBytes, codeBytes, weightBytes, arenaBytes, memoryBytes, macs } = JSON.parse(out);
  assert.equal(module, "simd");
  assert.deepEqual(files, ["digits.wasm", "digits.js", "digits.d.ts", "digits.h"]);
  assert.equal(codeBytes + weightBytes, moduleBytes);
  assert.ok(memoryBytes % 65536 === 0 && memoryBytes > arenaBytes);
  assert.equal(macs, 804_512);
});

test("failures are one line and leave every file as it was", (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "bad.tflite"), "not a model");
  writeFileSync(join(dir, "out.wasm"), "old");
  mkdirSync(join(dir, "folder.h"));
  const before = readdirSync(dir).sort();
  const fails = (code: string, message: RegExp, ...args: string[]) => {
    const { status, out, err } = pint8(dir, "compile", ...args);
    assert.deepEqual([status, out], [1, ""]);
    const line = err.split("\n").find((each) => each.startsWith("pint8: ")) ?? "";
    assert.match(line, new RegExp(`^pint8: ${code}: `), err);
    assert.match(line, message);
    assert.deepEqual(readdirSync(dir).sort(), before);
    assert.equal(readFileSync(join(dir, "out.wasm"), "utf8"), "old");
    return err;
  };
  fails("INVALID_OPTION", /--output/, DIGITS);
  fails("INVALID_OPTION", /ends in .wasm/, DIGITS, "-o", "/dev/null");
  fails("INVALID_OPTION", /scalar, simd, relaxed/, DIGITS, "-o", "out.wasm", "--module", "auto");
  fails("INVALID_OPTION", /max-memory/, DIGITS, "-o", "out.wasm", "--max-memory", "lots");
  fails("OUT_OF_MEMORY", /needs \d+ .*largest tensors/, DIGITS, "-o", "out.wasm", "--max-memory", "1000");
  fails("INVALID_MODEL", /./, "bad.tflite", "-o", "out.wasm");
  fails("IO", /no such file/, "none.tflite", "-o", "out.wasm");
  for (const [reason, output] of [
    [/no such file/, "none/out.wasm"],
    [/folder.h/, "folder.wasm"],
  ] as const)
    assert.doesNotMatch(fails("IO", reason, DIGITS, "-o", output), /linking/, "places are checked before the work");
});
