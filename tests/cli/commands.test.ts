import assert from "node:assert/strict";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { labelsOf } from "../../bindings/cli/labels.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { DIGIT_LABELS, DIGITS, folder, pint8, sample } from "./run.ts";

test("run names each of the ten sample digits", async () => {
  for (let digit = 0; digit < 10; digit++) {
    const { status, out, err } = await pint8("run", DIGITS, "--input", sample(digit), "--json", "--top", "3");
    assert.equal(status, 0, err);
    const { outputs } = JSON.parse(out);
    assert.equal(outputs.length, 1);
    assert.equal(outputs[0].top.length, 3);
    assert.equal(outputs[0].top[0].index, digit);
    assert.equal(outputs[0].probabilities, true);
    assert.match(err, /PNG 28x28 for .* raw pixels/);
  }
});

test("run prints classes with labels and probabilities", async () => {
  const { status, out, err } = await pint8("run", DIGITS, "--input", sample(7), "--labels", DIGIT_LABELS, "--top", "2");
  assert.equal(status, 0, err);
  const [heading, first, ...rest] = out.split("\n");
  assert.match(heading ?? "", /int8 \[1,10\]:$/);
  assert.match(first ?? "", /^ +\d+\.\d % +-?\d+ +#7 +7$/);
  assert.equal(rest.length, 1);
});

test("run --output writes the raw bytes of the outputs, the same from a picture, raw bytes, a plan and every module", async (t) => {
  const dir = folder(t);
  const [file, raw, plan] = [join(dir, "out.bin"), join(dir, "in.bin"), join(dir, "digits.plan")];
  const picture = await pint8("run", DIGITS, "--input", sample(3), "--output", file);
  assert.equal(picture.status, 0, picture.err);
  const expected = readFileSync(file);
  assert.equal(expected.length, 10);
  assert.equal(new Int8Array(expected).indexOf(Math.max(...new Int8Array(expected))), 3);
  const { decode } = await import("fast-png");
  writeFileSync(
    raw,
    Int8Array.from(decode(readFileSync(sample(3))).data, (pixel) => pixel - 128),
  );
  for (const module of MODULES.filter((name) => name !== "relaxed")) {
    const run = await pint8("run", DIGITS, "--input", raw, "--output", file, "--module", module);
    assert.equal(run.status, 0, run.err);
    assert.deepEqual(readFileSync(file), expected, module);
    const planned = await pint8("plan", DIGITS, "-o", plan, "--module", module);
    assert.equal(planned.status, 0, planned.err);
    const again = await pint8("run", plan, "--input", raw, "--output", file, "--json");
    assert.equal(JSON.parse(again.out).module, module);
    assert.deepEqual(readFileSync(file), expected, `plan for ${module}`);
  }
  assert.deepEqual(readdirSync(dir).sort(), ["digits.plan", "in.bin", "out.bin"]);
});

test("run --output follows links and leaves devices where they are", async (t) => {
  const dir = folder(t);
  const [target, link] = [join(dir, "target.bin"), join(dir, "link.bin")];
  writeFileSync(target, "old");
  symlinkSync(target, link);
  assert.equal((await pint8("run", DIGITS, "--input", sample(1), "--output", link)).status, 0);
  assert.equal(readFileSync(target).length, 10);
  const device = await pint8("run", DIGITS, "--input", sample(1), "--output", "/dev/null");
  assert.equal(device.status, 0, device.err);
  assert.equal(readFileSync("/dev/null").length, 0);
});

test("run --mean and --std replace the default scaling", async () => {
  const { status, out, err } = await pint8(
    "run",
    DIGITS,
    "--input",
    sample(5),
    "--mean",
    "0",
    "--std",
    "255",
    "--json",
  );
  assert.equal(status, 0, err);
  assert.equal(JSON.parse(out).outputs[0].top[0].index, 5);
  assert.match(err, /\(pixel - 0\) \/ 255/);
});

test("inspect says inputs, operators, work and memory; plans keep their kernels", async (t) => {
  const { status, out, err } = await pint8("inspect", DIGITS, "--json", "--module", "simd");
  assert.equal(status, 0, err);
  const { inputs, outputs, operators, totals, module } = JSON.parse(out);
  assert.equal(module, "simd");
  assert.deepEqual(inputs[0].shape, [1, 28, 28, 1]);
  assert.deepEqual(outputs[0].shape, [1, 10]);
  assert.equal(totals.macs, 804_512);
  assert.ok(totals.weightBytes > 17_792 && totals.weightBytes < 38_928, `${totals.weightBytes} weight bytes`);
  assert.ok(totals.arenaBytes > 784 && totals.memoryBytes >= totals.arenaBytes + totals.imageBytes);
  assert.ok(operators.some(({ kernels }: { kernels: string[] }) => kernels.length > 0));

  const text = await pint8("inspect", DIGITS, "--module", "simd");
  assert.match(text.out, /804,512 MACs/);
  assert.match(text.out, /CONV_2D/);
  const plan = join(folder(t), "digits.plan");
  await pint8("plan", DIGITS, "-o", plan, "--module", "simd");
  const planned = JSON.parse((await pint8("inspect", plan, "--json")).out);
  assert.equal(planned.totals.macs, 804_512);
  assert.equal(planned.totals.arenaBytes, totals.arenaBytes);
});

test("bench measures", async () => {
  const { status, out, err } = await pint8("bench", DIGITS, "--json");
  assert.equal(status, 0, err);
  const { median, min, p90, runs, macs, gmacsPerSecond } = JSON.parse(out);
  assert.ok(min > 0 && min <= median && median <= p90, `${min} ${median} ${p90}`);
  assert.ok(runs >= 5);
  assert.equal(macs, 804_512);
  assert.ok(Math.abs(gmacsPerSecond - macs / median / 1e6) < 1e-9);
});

test("bench measures several numbers of threads", async () => {
  const { status, out, err } = await pint8("bench", DIGITS, "--threads", "1,2", "--duration", "20", "--json");
  assert.equal(status, 0, err);
  const { measurements } = JSON.parse(out) as { readonly measurements: readonly { readonly threads: number }[] };
  assert.deepEqual(
    measurements.map(({ threads }) => threads),
    [1, 2],
  );
  assert.match((await pint8("bench", DIGITS, "--threads", "1,x")).err, /Expected a whole number from 1 to 64/);
});

test("run with a batch: pictures together, the bytes of each alone; the last one may be part", async (t) => {
  const files = [1, 2, 3].map(sample);
  const path = folder(t);
  const outputs = [];
  for (const batch of [1, 2]) {
    const [out, inputs] = [join(path, `${batch}.out`), join(path, `${batch}.in`)];
    const args = ["--input", ...files, "--batch", `${batch}`, "--output", out, "--save-input", inputs, "--json"];
    const result = await pint8("run", DIGITS, ...args);
    assert.equal(result.status, 0, result.err);
    const { runs } = JSON.parse(result.out);
    assert.deepEqual(
      runs.map(({ input }: { readonly input: string }) => input),
      files,
    );
    const best = runs.map(
      ({ outputs: [{ top }] }: { readonly outputs: readonly [{ top: { index: number }[] }] }) => top,
    );
    outputs.push([readFileSync(out), readFileSync(inputs), best]);
  }
  assert.deepEqual(outputs[1], outputs[0]);
});

test("one picture for a batch is its first sample; a tensor's own file holds all of them", async (t) => {
  const path = folder(t);
  const [picture, whole] = [join(path, "picture.out"), join(path, "whole.bin")];
  const one = await pint8("run", DIGITS, "--input", sample(4), "--batch", "3", "--output", picture, "--json");
  assert.equal(one.status, 0, one.err);
  assert.equal(JSON.parse(one.out).outputs[0].top[0].index, 4);
  assert.equal(readFileSync(picture).length, 10);
  writeFileSync(whole, new Uint8Array(3 * 784));
  const all = await pint8("run", DIGITS, "--input", whole, "--batch", "3", "--output", picture);
  assert.equal(all.status, 0, all.err);
  assert.equal(readFileSync(picture).length, 30);
});

test("what is wrong with a model names its file", async (t) => {
  const path = join(folder(t), "cut.tflite");
  writeFileSync(path, readFileSync(DIGITS).subarray(0, 3000));
  for (const command of [["inspect"], ["bench"], ["types"], ["run", "--input", sample(1)]] as const) {
    const { status, err } = await pint8(command[0], path, ...command.slice(1));
    assert.equal(status, 1);
    assert.ok(err.startsWith(`pint8: INVALID_MODEL: ${path}, buffer 0: `), err);
  }
});

test("help of a command has its examples", async () => {
  for (const command of [
    "run",
    "inspect",
    "bench",
    "types",
    "plan",
    "compile",
    "evaluate",
    "quantize",
    "prune",
    "distil",
  ])
    assert.match((await pint8("help", command)).out, new RegExp(`Examples:\n  \\$ pint8 ${command} `));
});

test("evaluate says that nothing tells what is right, where nothing does", async () => {
  const pictures = dirname(sample(0));
  const alone = await pint8("evaluate", DIGITS, "--data", pictures);
  assert.match(alone.err, /note: nothing says what is right: --labels/);
  assert.equal(alone.status, 0);
  const labelled = await pint8("evaluate", DIGITS, "--data", pictures, "--labels", DIGIT_LABELS);
  assert.match(labelled.out, /^model +top-1 +top-5 +bytes +ms a sample +zeros$/m, "no columns of values");
  assert.match(labelled.out, /100\.00 %/);
  for (const more of [labelled, await pint8("evaluate", DIGITS, "--data", pictures, "--against", DIGITS)])
    assert.doesNotMatch(more.err, /note/);
});

test("help says which options a command cannot do without", async () => {
  for (const [command, ...options] of [
    ["run", "--input"],
    ["plan", "--output"],
    ["compile", "--output"],
    ["quantize", "--output"],
    ["prune", "--output"],
    ["distil", "--data", "--output"],
    ["evaluate", "--data"],
  ] as const) {
    const said = (await pint8("help", command)).out.replace(/\n {20,}/g, " ").split("\n");
    const required = said.filter((line) => line.endsWith("; required"));
    assert.equal(required.length, options.length, command);
    for (const [i, option] of options.entries()) assert.ok(required[i]?.includes(option), `${command} ${option}`);
  }
});

test("help and version end with status 0", async () => {
  assert.match((await pint8("--help")).out, /run.*inspect.*bench.*plan/s);
  assert.match((await pint8("run", "--help")).out, /--labels/);
  assert.equal((await pint8("--version")).out, "0.0.0-test");
});

test("alone it says what there is, with examples; help of a command is its own", async () => {
  const { status, out } = await pint8();
  assert.equal(status, 0);
  assert.match(out, /Examples:\n {2}\$ pint8 inspect/);
  assert.match((await pint8("help", "run")).out, /--save-input/);
});

test("several pictures and folders run one after the other; inputs are saved as they were prepared", async (t) => {
  const dir = folder(t);
  const saved = join(dir, "in.bin");
  const { out, status, err } = await pint8(
    "run",
    DIGITS,
    "--input",
    sample(3),
    sample(7),
    "--json",
    "--save-input",
    saved,
  );
  assert.equal(status, 0, err);
  const best = JSON.parse(out).runs.map(
    (run: { outputs: { top: { index: number }[] }[] }) => run.outputs[0]?.top[0]?.index,
  );
  assert.deepEqual(best, [3, 7]);
  assert.equal(readFileSync(saved).length, 2 * 784);
  const all = await pint8("run", DIGITS, "--input", join(sample(0), ".."), "--top", "1", "--json");
  assert.equal(JSON.parse(all.out).runs.length, 10);
});

test("NumPy arrays of the input's type and of floats", async (t) => {
  const dir = folder(t);
  const npy = (descr: string, data: Uint8Array) => {
    const header = `${`{'descr': '${descr}', 'fortran_order': False, 'shape': (1, 28, 28, 1), }`.padEnd(117)}\n`;
    return Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00", "latin1"),
      Buffer.from([header.length, 0]),
      Buffer.from(header),
      data,
    ]);
  };
  const raw = Int8Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) - 128);
  const reals = Float32Array.from(raw, (value) => (value + 128) / 255);
  const files = {
    "a.bin": Buffer.from(raw.buffer),
    "b.npy": npy("|i1", new Uint8Array(raw.buffer)),
    "c.npy": npy("<f4", new Uint8Array(reals.buffer)),
  };
  const outputs: string[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(dir, name), bytes);
    const { status, err } = await pint8("run", DIGITS, "--input", join(dir, name), "--output", join(dir, "out"));
    assert.equal(status, 0, err);
    outputs.push(readFileSync(join(dir, "out")).toString("hex"));
  }
  assert.equal(new Set(outputs).size, 1);
  writeFileSync(join(dir, "d.npy"), npy("<i4", new Uint8Array(784 * 4)));
  const { status, err } = await pint8("run", DIGITS, "--input", join(dir, "d.npy"));
  assert.equal(status, 1);
  assert.match(err, /a NumPy array of int8 or floats.*received <i4/);
});

test("types of a model are TypeScript with every name, shape and scale", async () => {
  const { out } = await pint8("types", DIGITS);
  assert.match(out, /export interface DigitsInt8 \{\n {2}readonly inputs: readonly \[\n {4}\{ readonly name: "/);
  assert.match(out, /readonly dtype: "int8", readonly shape: readonly \[1, 28, 28, 1\], readonly scale: 0\.0039/);
  assert.match((await pint8("types", DIGITS, "--name", "Digits")).out, /export interface Digits /);
});

test("labels from Windows: UTF-16, line ends of two bytes, and bytes that are no text", () => {
  const utf16 = Buffer.from("\ufeffzero\r\none\r\n", "utf16le");
  assert.deepEqual(labelsOf(utf16, "l"), ["zero", "one"]);
  assert.deepEqual(labelsOf(Buffer.from("\ufeffa\rb\n\nc\n\n"), "l"), ["a", "b", "", "c"]);
  for (const bytes of [utf16.subarray(2), Buffer.from([0xff, 0x41]), Buffer.from("\n\n")])
    assert.throws(() => labelsOf(bytes, "l"), { code: "INVALID_OPTION" });
});
