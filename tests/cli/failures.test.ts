import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DIGITS, folder, pint8, sample } from "./run.ts";

/** Status 1, one line `pint8: CODE: message`, at most a hint after it, and nothing on standard output. */
async function fails(code: string, message: RegExp, ...args: readonly string[]): Promise<void> {
  const { status, out, err } = await pint8(...args);
  assert.equal(status, 1, `${args.join(" ")}: ${out}`);
  assert.equal(out, "");
  const lines = err.split("\n").filter((line) => !line.startsWith("hint: "));
  assert.equal(lines.length, 1, err);
  assert.match(lines[0] as string, new RegExp(`^pint8: ${code}: `), err);
  assert.match(lines[0] as string, message);
}

test("command lines that are wrong", async () => {
  await fails("INVALID_OPTION", /unknown command 'walk'/, "walk", DIGITS);
  await fails("INVALID_OPTION", /Did you mean bench/, "bnech", DIGITS);
  await fails("INVALID_OPTION", /unknown command 'bnech' \(Did you mean bench\?\)/, "help", "bnech");
  await fails("INVALID_OPTION", /Did you mean --labels/, "run", DIGITS, "--input", sample(1), "--lables", "x");
  await fails("INVALID_OPTION", /missing required argument/, "inspect");
  await fails("INVALID_OPTION", /--input/, "run", DIGITS);
  assert.match((await pint8("bench", DIGITS, "--threads", "0")).err, /Run pint8 bench --help/);
  assert.match((await pint8("walk")).err, /Run pint8 --help/);
  // what is wrong is told before what is missing
  await fails("INVALID_OPTION", /'--inptu' \(Did you mean --input\?\)/, "run", DIGITS, "--inptu", sample(1));
  await fails("INVALID_OPTION", /unknown option '--josn'/, "plan", DIGITS, "--josn");
  await fails("INVALID_OPTION", /'--data <path>' not specified/, "evaluate", DIGITS);
  for (const name of ["a b", "class", "1st", "string"])
    await fails("INVALID_OPTION", /--name: expected a name/, "types", DIGITS, "--name", name);
  await fails("INVALID_OPTION", /unknown option '--fast'/, "run", DIGITS, "--input", sample(1), "--fast");
  await fails("INVALID_OPTION", /auto, scalar, simd, relaxed/, "inspect", DIGITS, "--module", "avx");
  for (const threads of ["0", "-1", "1.5", "two", "1000"])
    await fails("INVALID_OPTION", /threads/, "bench", DIGITS, "--threads", threads);
  await fails("INVALID_OPTION", /top/, "run", DIGITS, "--input", sample(1), "--top", "0");
  await fails("INVALID_OPTION", /std/, "run", DIGITS, "--input", sample(1), "--std", "0");
  await fails("INVALID_OPTION", /mean/, "run", DIGITS, "--input", sample(1), "--mean", "1,");
  await fails("INVALID_OPTION", /mean: expected one number/, "run", DIGITS, "--input", sample(1), "--mean", "1,2,3");
});

test("files that are missing or hold something else", async (t) => {
  const dir = folder(t);
  const [missing, text, short, wav] = ["none", "a.txt", "short.bin", "a.wav"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [text, short, wav]) writeFileSync(path, "not a model");
  for (const command of ["inspect", "bench"]) {
    await fails("IO", /no such file/, command, missing);
    await fails("IO", /"": expected a readable file/, command, "");
    await fails("IO", /a folder/, command, dir);
    await fails("INVALID_MODEL", /./, command, text);
  }
  // what the system refuses otherwise: a link to itself, a name too long
  const loop = join(dir, "loop");
  symlinkSync("loop", loop);
  for (const path of [loop, "a".repeat(5000)]) {
    await fails("IO", /what can be opened, received (ELOOP|ENAMETOOLONG)/, "evaluate", DIGITS, "--data", path);
    await fails("IO", /received (ELOOP|ENAMETOOLONG)/, "inspect", path);
    await fails("IO", /received ELOOP/, "run", join(loop, "a.tflite"), "--input", sample(1));
  }
  await fails("IO", /no such file/, "run", DIGITS, "--input", missing);
  await fails("IO", /no such file/, "run", DIGITS, "--input", sample(1), "--labels", missing);
  // also where several models are read
  const plan = join(dir, "a.plan");
  assert.equal((await pint8("plan", DIGITS, "-o", plan)).status, 0);
  const [to, data] = [join(dir, "o.tflite"), dirname(sample(1))];
  for (const file of [text, plan]) {
    const named = new RegExp(`${basename(file)}: expected .* received `);
    await fails("INVALID_MODEL", named, "quantize", file, "-o", to);
    await fails("INVALID_MODEL", named, "prune", file, "-o", to);
    await fails("INVALID_MODEL", named, "distil", file, "--like", "ds-cnn", "--data", data, "-o", to);
    await fails("INVALID_MODEL", named, "distil", DIGITS, "--student", file, "--data", data, "-o", to);
    await fails("INVALID_MODEL", named, "evaluate", file, "--data", data);
    await fails("INVALID_MODEL", named, "evaluate", DIGITS, "--against", file, "--data", data);
  }
  mkdirSync(join(dir, "empty"));
  await fails("INVALID_INPUT", /empty: .*received one without files/, "run", DIGITS, "--input", join(dir, "empty"));
  await fails("INVALID_INPUT", /784 bytes.*received 11 bytes/, "run", DIGITS, "--input", short);
  await fails("INVALID_INPUT", /PNG, JPEG or BMP/, "run", DIGITS, "--input", text);
  await fails("INVALID_INPUT", /^pint8: INVALID_INPUT: [^,]*a\.wav: .*sound/, "run", DIGITS, "--input", wav);
  writeFileSync(text, readFileSync(sample(1)).subarray(0, 100));
  await fails("INVALID_INPUT", /whole PNG/, "run", DIGITS, "--input", text);
});

test("a failure leaves no output file, and an old one as it was", async (t) => {
  const dir = folder(t);
  const output = join(dir, "out.bin");
  writeFileSync(output, "old");
  writeFileSync(join(dir, "short.bin"), "short");
  await fails("INVALID_INPUT", /./, "run", DIGITS, "--input", join(dir, "short.bin"), "--output", output);
  assert.equal(readFileSync(output, "utf8"), "old");
  const nowhere = join(dir, "none", "out.bin");
  const { status, out, err } = await pint8("run", DIGITS, "--input", sample(1), "--output", nowhere, "--json");
  assert.deepEqual([status, JSON.parse(out).error.code], [1, "IO"]);
  assert.match(err, /^pint8: IO: .*no such file or folder/m);
  assert.deepEqual(readdirSync(dir).sort(), ["out.bin", "short.bin"]);
});

test("a damaged plan, and one for another module", async (t) => {
  const plan = join(folder(t), "digits.plan");
  assert.equal((await pint8("plan", DIGITS, "-o", plan, "--module", "simd")).status, 0);
  await fails("INVALID_OPTION", /simd/, "run", plan, "--input", sample(1), "--module", "scalar");
  await fails("INVALID_OPTION", /a plan/, "plan", plan, "-o", plan);
  const bytes = readFileSync(plan);
  writeFileSync(plan, bytes.subarray(0, bytes.length - 1));
  await fails("INVALID_PLAN", /./, "run", plan, "--input", sample(1));
});

/** The program in a process of its own. */
function program(...args: readonly string[]) {
  const cli = fileURLToPath(new URL("../../bindings/public/cli.ts", import.meta.url));
  return spawn(process.execPath, ["--import", "tsx", cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

const ended = (child: ReturnType<typeof program>): Promise<[number | null, string | null]> =>
  new Promise((resolve) => child.on("close", (status, signal) => resolve([status, signal])));

test("a reader that leaves early is no failure", async () => {
  const child = program("inspect", DIGITS);
  child.stdout.destroy();
  let err = "";
  child.stderr.on("data", (data) => {
    err += data;
  });
  assert.deepEqual(await ended(child), [0, null]);
  assert.equal(err, "");
});

test("Ctrl-C ends a benchmark at once and quietly", async () => {
  const child = program("bench", DIGITS);
  let err = "";
  child.stderr.on("data", (data) => {
    err += data;
  });
  const start = Date.now();
  setTimeout(() => child.kill("SIGINT"), 1500);
  assert.deepEqual(await ended(child), [null, "SIGINT"]);
  assert.ok(Date.now() - start < 2300, "ended within the benchmark's own time");
  assert.equal(err, "");
});
