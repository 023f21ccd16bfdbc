/** What goes wrong on the way of who makes networks small: mislabelled data, places that cannot be written, Ctrl-C. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { pint8 } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "pint8-walks-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (...names: readonly string[]) => join(folder, ...names);
const file = (name: string, text: string | Uint8Array) => {
  writeFileSync(path(name), text);
  return path(name);
};

const COUNT = 32;
const CLASSES = 3;
const random = randomOf(1);
const model = file(
  "model.tflite",
  writeTflite(freshNetwork("ds-cnn:0.25", { shape: [1, 8, 8, 1], classes: CLASSES, seed: 3 })),
);
const rows = Array.from({ length: COUNT }, () => Array.from({ length: 64 }, () => random.uniform().toFixed(3)).join());
const data = file("data.csv", `${rows.join("\n")}\n`);
const words = (name: string, of: (i: number) => string | number) =>
  file(name, Array.from({ length: COUNT }, (_, i) => of(i)).join("\n"));
const good = words("good.txt", (i) => i % CLASSES);
const output = path("out.tflite");
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  distil: ["distil", model, "--like", "ds-cnn:0.25", "--epochs", "2", "--threads", "1", "-o", output],
  prune: ["prune", model, "--sparsity", "0.5", "--tune", "1", "--threads", "1", "-o", output],
  evaluate: ["evaluate", model],
};

async function fails(expected: RegExp, ...args: readonly string[]): Promise<void> {
  const before = readdirSync(folder);
  const { status, out, err } = await pint8(...args);
  assert.equal(status, 1, `${args.join(" ")}: ${out}`);
  assert.match(err, expected);
  assert.equal(out, "");
  assert.deepEqual(readdirSync(folder), before);
}

describe("mislabelled data", () => {
  const cases: readonly (readonly [string, RegExp, string])[] = [
    ["a label beyond the model's scores", /INVALID_INPUT: .*received 3/, words("beyond.txt", (i) => i % 4)],
    ["too few labels", /INVALID_INPUT: labels: expected 32.*received 2/, file("few.txt", "0\n1\n")],
    [
      "names of two classes for three scores",
      /INVALID_INPUT: data: expected names of 3.*received 2: cat, dog/,
      words("two.txt", (i) => (i % 2 ? "cat" : "dog")),
    ],
    [
      "numbers and a word",
      /INVALID_INPUT: data: expected names of 3.*received 2: 0, x/,
      words("mixed.txt", (i) => (i % 2 ? "x" : 0)),
    ],
  ];
  for (const [name, expected, labels] of cases)
    for (const [command, args] of Object.entries(COMMANDS))
      test(`${command}: ${name}`, () => fails(expected, ...args, "--data", data, "--labels", labels));

  for (const [option, value] of [
    ["--labels", good],
    ["--samples", "0:8"],
    ["--mean", "1"],
    ["--std", "2"],
  ] as const)
    for (const command of ["quantize", "prune"])
      test(`${command}: ${option} of no data`, () =>
        fails(new RegExp(`INVALID_OPTION: ${option}: expected --data`), command, model, option, value, "-o", output));

  test("negative numbers are no classes", () =>
    fails(
      /INVALID_INPUT/,
      "evaluate",
      model,
      "--data",
      data,
      "--labels",
      words("negative.txt", () => -1),
    ));

  test("an empty folder is named", async () => {
    mkdirSync(path("empty"));
    await fails(/INVALID_INPUT: .*empty: expected pictures or sounds/, "evaluate", model, "--data", path("empty"));
  });
});

describe("places that cannot be written are refused before there is any work", () => {
  const nowhere = path("nowhere", "file");
  const known = ["--data", data, "--labels", good];
  test("the report of evaluate", () => fails(/IO: .*nowhere/, "evaluate", model, ...known, "--report", nowhere));
  test("its node data", () =>
    fails(
      /IO: .*nowhere/,
      "evaluate",
      model,
      ...known,
      "--against",
      model,
      "--report",
      path("r"),
      "--node-data",
      nowhere,
    ));
  for (const command of ["distil", "prune"])
    test(`the checkpoint of ${command}`, () =>
      fails(/^pint8: IO: .*nowhere/, ...(COMMANDS[command] ?? []), ...known, "--checkpoint", nowhere));
  test("the recipe of quantize", () =>
    fails(/IO: .*nowhere/, "quantize", model, "--data", data, "-o", output, "--save-recipe", nowhere));
});

test("a recipe that matches no layer is none for this network", async () => {
  const rule = { regex: "nobody", operation: "*", algorithm_key: "min_max_uniform_quantize", op_config: {} };
  for (const [text, expected] of [
    ["[]", /received no rules/],
    [JSON.stringify([rule]), /none of 1 does/],
  ] as const)
    await fails(expected, "quantize", model, "--data", data, "--recipe", file("recipe.json", text), "-o", output);
});

test("Ctrl-C in the middle of training: status 130, a checkpoint, no output; and on from there", {
  timeout: 120_000,
}, async () => {
  const args = [
    "distil",
    model,
    "--like",
    "ds-cnn:0.25",
    "--data",
    data,
    "--labels",
    good,
    "--threads",
    "1",
    "-o",
    output,
  ];
  const program = fileURLToPath(new URL("../../bindings/public/cli.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, ...args, "--epochs", "100000"]);
  child.stderr.once("data", () => child.kill("SIGINT"));
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const [status] = await once(child, "close");
  assert.equal(status, 130, said);
  assert.match(said, /IO: .*received an interruption\nhint: Go on with --resume/);
  const kept = `${output}.checkpoint`;
  assert.ok(existsSync(kept) && !existsSync(output));
  const { status: refused, err } = await pint8(...args, "--epochs", "3", "--resume", kept);
  assert.equal(refused, 1);
  assert.match(err, /100000|steps/);
});

test("Ctrl-C before there is a checkpoint: it is said that there is none", async () => {
  const args = ["distil", model, "--like", "ds-cnn:0.25", "--data", data, "--threads", "1", "-o", path("early.tflite")];
  const before = process.listenerCount("SIGINT");
  const { exitCode } = process;
  const running = pint8(...args);
  while (process.listenerCount("SIGINT") === before) await new Promise((resolve) => setImmediate(resolve));
  process.emit("SIGINT");
  const { status, err } = await running;
  process.exitCode = exitCode;
  assert.notEqual(status, 0);
  assert.match(err, /early.tflite.*received an interruption\nhint: Nothing is kept: begin again\.$/);
  assert.ok(!existsSync(path("early.tflite")) && !existsSync(path("early.tflite.checkpoint")));
});
