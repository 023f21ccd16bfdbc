/** What says what examples are: columns, tables of files, lists of classes; and means that are not of pixels. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";
import { DIGITS, folder, pint8 } from "./run.ts";

const CLI = fileURLToPath(new URL("../../bindings/public/cli.ts", import.meta.url));
const SAMPLES = new URL("../../models/digits/samples/", import.meta.url).pathname;
const PICTURES = readdirSync(SAMPLES).filter((name) => name.endsWith(".png"));
const digitOf = (name: string) => (/\d/.exec(name) as RegExpExecArray)[0];

const evaluate = async (...args: readonly string[]) => {
  const { status, out, err } = await pint8("evaluate", DIGITS, "--layers", "0", "--json", ...args);
  return status === 0 ? JSON.parse(out).model.classes?.top1 : err;
};

test("a table names the files of a folder, in any order, with or without folders and endings", async (t) => {
  const table = join(folder(t), "labels.csv");
  const lines = [...PICTURES].reverse().map((name) => `train/${name},${digitOf(name)}`);
  writeFileSync(table, ["file,label", ...lines].join("\n"));
  assert.equal(await evaluate("--data", SAMPLES, "--labels", table), 1);
  writeFileSync(table, PICTURES.map((name) => `${digitOf(name)}\t${name.slice(0, -4)}`).join("\n"));
  assert.equal(await evaluate("--data", SAMPLES, "--labels", table), 1);
  writeFileSync(table, lines.slice(1).join("\n"));
  assert.match(await evaluate("--data", SAMPLES, "--labels", table), /expected a line for digit_9\.png, received none/);
});

test("standard input, which is read once, says it of a folder's files and of arrays", (t) => {
  const dir = folder(t);
  const ordered = [...PICTURES].sort((a, b) => Number(digitOf(a)) - Number(digitOf(b)));
  const given = (data: string, input: string) => {
    const args = ["evaluate", DIGITS, "--data", data, "--labels", "-", "--layers", "0", "--json"];
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", CLI, ...args], {
      input,
      encoding: "utf8",
    });
    return stdout === "" ? stderr : JSON.parse(stdout).model.classes?.top1;
  };
  assert.equal(given(SAMPLES, ordered.map(digitOf).join("\n")), 1);
  const array = join(dir, "x.npz");
  writeFileSync(array, zipSync({ "x.npy": npy("2, 28, 28", 1568) }));
  assert.equal(typeof given(array, "3\n4\n"), "number");
});

test("folders of classes in the order that a list says; others are no answer", async (t) => {
  const dir = folder(t);
  const names = "zero one two three four five six seven eight nine".split(" ");
  for (const name of PICTURES) {
    mkdirSync(join(dir, "data", names[Number(digitOf(name))] as string), { recursive: true });
    cpSync(join(SAMPLES, name), join(dir, "data", names[Number(digitOf(name))] as string, name));
  }
  const list = join(dir, "names.txt");
  const data = ["--data", join(dir, "data")];
  assert.ok(((await evaluate(...data)) as number) < 1);
  writeFileSync(list, names.join("\n"));
  assert.equal(await evaluate(...data, "--labels", list), 1);
  writeFileSync(list, names.map((_, i) => `${i}`).join("\n"));
  assert.match(
    await evaluate(...data, "--labels", list),
    /expected the names of the folders .*\nhint: .*leave --labels/,
  );
  assert.match(await evaluate("--data", dir), /hint: Give one of the folders inside of it, as .*data/);
});

test("means of pixels of 0 to 1, and of what are no pixels", async (t) => {
  const dir = folder(t);
  const [units, array] = [join(dir, "x.csv"), join(dir, "x.npz")];
  const said = await evaluate("--data", SAMPLES, "--mean", "0.5", "--std", "0.5");
  assert.match(said, /received 0\.5 and 0\.5, which are those of 0 to 1\nhint: Say --mean 127\.5 --std 127\.5\./);
  writeFileSync(units, `${Array.from({ length: 784 }, (_, i) => (i / 784).toFixed(3)).join()}\n`.repeat(2));
  assert.match(await evaluate("--data", units, "--mean", "100"), /--mean: expected pixels .* numbers as they are/);
  assert.equal(await evaluate("--data", units), undefined);
  const { status, err } = await pint8(
    "run",
    DIGITS,
    "--input",
    join(SAMPLES, "digit_1.png"),
    "--mean",
    "0.1",
    "--std",
    "0.3",
  );
  assert.equal(status, 1);
  assert.match(err, /Say --mean 25\.5 --std 76\.5/);
  // What numpy.savez calls arrays without names.
  writeFileSync(array, zipSync({ "arr_0.npy": npy("2, 28, 28", 1568), "arr_1.npy": npy("2,", 2) }));
  assert.equal(typeof (await evaluate("--data", array)), "number");
  writeFileSync(array, zipSync({ "x_train.npy": npy("2, 28, 28", 1568), "x_test.npy": npy("2, 28, 28", 1568) }));
  assert.match(await evaluate("--data", array), /hint: Save those of one part alone/);
});

/** A .npy file of bytes 0, 1, …. */
function npy(shape: string, size: number): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
  const bytes = Uint8Array.from({ length: size }, (_, i) => i);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(`${header}\n`), bytes]);
}
