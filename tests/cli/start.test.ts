/** The program as it is started: what it was compiled to is kept where Node keeps that, and nowhere else. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import nodeModule from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freshNetwork, writeTflite } from "../../bindings/public/optimize.ts";
import { DIGITS, folder } from "./run.ts";

const CLI = fileURLToPath(new URL("../../dist/lib/cli.js", import.meta.url));
/** Node 22.8 and newer keep what they compile where a program asks for it. */
const KEEPS = "enableCompileCache" in nodeModule;

/** The built program in an empty folder, and what it left there and below the folder of temporary files. */
function started(t: TestContext, settings: Readonly<Record<string, string>>) {
  const dir = folder(t);
  const [cwd, temporary] = [join(dir, "cwd"), join(dir, "temporary")];
  for (const each of [cwd, temporary]) mkdirSync(each);
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, NODE_V8_COVERAGE: ___, ...own } = process.env;
  const env = { ...own, TMPDIR: temporary, TMP: temporary, TEMP: temporary, ...settings };
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "inspect", DIGITS], {
    cwd,
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /FULLY_CONNECTED/);
  assert.deepEqual(readdirSync(cwd), []);
  return readdirSync(temporary, { recursive: true });
}

test("what the program is compiled to is kept among temporary files, or where NODE_COMPILE_CACHE says", (t) => {
  const kept = started(t, {});
  assert.equal(kept.length > 1, KEEPS, String(kept));
  const elsewhere = join(folder(t), "kept");
  assert.deepEqual(started(t, { NODE_COMPILE_CACHE: elsewhere }), []);
  assert.equal(existsSync(elsewhere), KEEPS);
});

test("NODE_DISABLE_COMPILE_CACHE keeps nothing, and a folder that can't be written is no failure", (t) => {
  assert.deepEqual(started(t, { NODE_DISABLE_COMPILE_CACHE: "1" }), []);
  assert.deepEqual(started(t, { NODE_COMPILE_CACHE: join(DIGITS, "kept") }), []);
});

test("standard input that comes in parts, and standard output that is read late: pipes that are not ready are waited for", (t) => {
  const dir = folder(t);
  writeFileSync(
    join(dir, "m.tflite"),
    writeTflite(freshNetwork("ds-cnn", { shape: [1, 28, 28, 1], classes: 10, seed: 0 })),
  );
  const program = `"${process.execPath}" "${CLI}" plan`;
  const shell = (line: string) => spawnSync("sh", ["-c", line], { cwd: dir, encoding: "utf8" });
  // a pipe holds 64 KiB: the program waits for the rest of the model, and for who takes its plan
  const { stderr } = shell(
    `(head -c 100 m.tflite; sleep 1; tail -c +101 m.tflite) | ${program} - -o - | (sleep 2; cat) > late`,
  );
  assert.match(stderr, /^-: [\d,]+ bytes, for \w+\n$/);
  assert.equal(shell(`${program} m.tflite -o whole`).status, 0);
  const whole = readFileSync(join(dir, "whole"));
  assert.ok(whole.length > 2 ** 16);
  assert.deepEqual(readFileSync(join(dir, "late")), whole);
});
