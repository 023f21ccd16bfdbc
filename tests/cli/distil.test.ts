/** `pint8 distil`: whole command lines, on pictures that take milliseconds. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { freshNetwork } from "../../bindings/optimize/train/architectures/index.ts";
import { importModel } from "../../bindings/public/index.ts";
import { pint8 } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "pint8-distil-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

/** IDX of unsigned bytes. */
function idx(name: string, shape: readonly number[], value: (i: number) => number): string {
  const head = [0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, size >> 8, size & 255])];
  const count = shape.reduce((product, size) => product * size, 1);
  writeFileSync(path(name), Uint8Array.from([...head, ...Array.from({ length: count }, (_, i) => value(i))]));
  return path(name);
}

const COUNT = 40;
const images = idx("images", [COUNT, 8, 8], (i) =>
  ((i % 8) + Math.floor(i / 64) * 3) % 2 === 0 ? 200 : (i * 37) % 100,
);
const labels = idx("labels", [COUNT], (i) => i % 2);
const teacher = path("teacher.tflite");
writeFileSync(teacher, writeTflite(freshNetwork("ds-cnn:0.5", { shape: [1, 8, 8, 1], classes: 2, seed: 3 })));
const data = ["--data", images, "--labels", labels, "--threads", "1", "--batch", "16"];

describe("pint8 distil", () => {
  test("writes a student that the importer reads", async () => {
    const output = path("student.tflite");
    const args = ["distil", teacher, "--like", "ds-cnn:0.5", ...data, "--epochs", "2", "-o", output, "--json"];
    const { status, out, err } = await pint8(...args, "--samples", "0:32", "--test", "32:");
    assert.equal(status, 0, err);
    for (const ranges of [
      ["--test", "0:8"],
      ["--samples", "0:32", "--test", "31:"],
    ]) {
      const { status, err } = await pint8(...args, ...ranges);
      assert.equal(status, 1);
      assert.match(err, /--test: expected samples that are not learned from/);
    }
    const told = JSON.parse(out);
    assert.equal(told.bytes, readFileSync(output).length);
    assert.equal(told.steps, 4);
    assert.ok(told.validation >= 0 && told.validation <= 1);
    const graph = importModel(readFileSync(output), {});
    assert.deepEqual(
      graph.outputs.map(({ tensor }) => graph.tensors[tensor]?.shape),
      [[1, 2]],
    );
    const again = await pint8(
      "distil",
      teacher,
      "--student",
      output,
      ...data,
      "--epochs",
      "1",
      "-o",
      path("again.tflite"),
    );
    assert.equal(again.status, 0, again.err);
  });

  test("goes on from its checkpoint", async () => {
    const common = ["distil", teacher, "--like", "ds-cnn:0.5", ...data, "--epochs", "3"];
    const first = await pint8(...common, "-o", path("whole.tflite"), "--checkpoint", path("kept"));
    assert.equal(first.status, 0, first.err);
    const second = await pint8(...common, "-o", path("resumed.tflite"), "--resume", path("kept"));
    assert.equal(second.status, 0, second.err);
    assert.deepEqual(readFileSync(path("resumed.tflite")), readFileSync(path("whole.tflite")));
    // One that was asked for stays; the one with the output's name has no use any more.
    assert.ok(existsSync(path("kept")) && !existsSync(path("resumed.tflite.checkpoint")));
  });

  test("values of a table, into a fresh network and a pruned one", async () => {
    const regression = freshNetwork("ds-cnn:0.5", { shape: [1, 8, 8, 1], classes: 2, seed: 3, gives: "values" });
    const [own, table] = [path("values.tflite"), path("targets.csv")];
    writeFileSync(own, writeTflite(regression));
    writeFileSync(table, `x,y\n${Array.from({ length: COUNT }, (_, i) => `${i % 2},${i / 40}`).join("\n")}\n`);
    const answers = ["--data", images, "--labels", table, "--threads", "1", "--batch", "16"];
    const student = path("values-student.tflite");
    const given = [...answers, "--objective", "values", "--epochs", "2", "-o", student, "--json"];
    const taught = await pint8("distil", own, "--like", "ds-cnn:0.5", ...given, "--samples", "0:32", "--test", "32:");
    assert.equal(taught.status, 0, taught.err);
    const told = JSON.parse(taught.out);
    assert.ok(told.accuracy === null && told.error > 0 && told.validation > 0, taught.out);
    assert.match(taught.err, /error \d.*test \d/);
    assert.ok(!importModel(readFileSync(student), {}).nodes.some(({ kind }) => kind === "softmax"));
    const pruned = ["prune", own, ...answers, "--tune", "1", "-o", path("values-pruned.tflite")];
    const made = await pint8(...pruned);
    assert.equal(made.status, 0, made.err);
    const judged = await pint8("evaluate", student, "--data", images, "--labels", table, "--json");
    assert.ok(JSON.parse(judged.out).model.targets.meanError > 0, judged.err);
    assert.doesNotMatch(taught.err, /note/);
    const unsaid = ["distil", own, "--like", "ds-cnn:0.5", "--data", images, "--epochs", "1", "-o", student];
    assert.match((await pint8(...unsaid)).err, /^note: 2 numbers are taken for scores of classes; --objective values/m);
    const wrong = await pint8(
      "distil",
      own,
      "--like",
      "ds-cnn",
      ...data,
      "--objective",
      "values",
      "-o",
      path("x.tflite"),
    );
    assert.match(wrong.err, /expected 2 targets.*received the class/s);
  });

  test("labels of one class alone are refused where they are learned, and spoken of where a model is judged", async () => {
    const single = idx("single", [COUNT], () => 1);
    const output = path("single.tflite");
    const given = ["--data", images, "--labels", single];
    const refused = await pint8("distil", teacher, ...given, "--like", "ds-cnn", "--epochs", "1", "-o", output);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /labels: expected examples of several classes, received 40, all of class 1/);
    const judged = await pint8("evaluate", teacher, ...given);
    assert.equal(judged.status, 0, judged.err);
    assert.match(judged.err, /warning: all labels are of class 1/);
    assert.doesNotMatch((await pint8("evaluate", teacher, "--data", images, "--labels", labels)).err, /warning/);
  });

  test("refuses what cannot be meant, and writes nothing", async () => {
    const output = path("nothing.tflite");
    const quantized = path("quantized.tflite");
    const made = await pint8("quantize", teacher, "--data", images, "-o", quantized);
    assert.equal(made.status, 0, made.err);
    for (const [args, expected] of [
      [[], /--student with a model, or --like/],
      [["--like", "ds-cnn", "--student", teacher], /both/],
      [["--like", "vgg"], /ds-cnn, mobilenet-v2, mlp/],
      [["--like", "ds-cnn", "--resume", images], /no checkpoint/],
      [["--like", "ds-cnn", "--resume", path("none")], /IO: .*no such file.*\nhint: Begin without --resume/],
      [["--like", "ds-cnn", "--rate", "0"], /above 0/],
      [["--student", quantized], /INVALID_GRAPH.*quantized already/s],
      [["--like", "ds-cnn", "-o", path("student.h5")], /INVALID_OPTION: --output/],
      [["--like", "ds-cnn", "-o", path("none/student.tflite")], /IO: .*no such file or folder/],
      [["--like", "ds-cnn", "-o", teacher], /IO: .*read as input.*\n.*another name/],
    ] as const) {
      const { status, err } = await pint8("distil", teacher, ...data, "--epochs", "1", "-o", output, ...args);
      assert.equal(status, 1);
      assert.match(err, expected);
    }
    assert.ok(!existsSync(output) && !readdirSync(folder).some((name) => name.endsWith(".tmp")));
  });
});
