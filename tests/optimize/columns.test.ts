/** Which columns are inputs and which are labels. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readCsv } from "../../bindings/optimize/data/csv.ts";
import { isLabelName } from "../../bindings/optimize/data/named.ts";
import { parquetDataset } from "../../bindings/optimize/data/parquet.ts";
import { all, labels, port } from "./data-files.ts";
import { COLUMNS } from "./parquet-files.ts";

describe("columns", () => {
  test("names of labels, and others that only begin like these", () => {
    const names = ["y", "y_true", "ytest", "y1", "label", "labels", "Label_id", "target2", "class", "classes"];
    assert.deepEqual(
      names.filter((name) => !isLabelName(name)),
      [],
    );
    assert.deepEqual(["year", "yaw", "yield", "youtube", "classroom", "targeted"].filter(isLabelName), []);
  });

  test("a year is no label, and of several the one that is called just so", () => {
    const year = readCsv("year,rooms,label\n1999,3,1\n2004,2,0\n", 2);
    assert.deepEqual([...(year.rows.values as Float64Array)], [1999, 3, 2004, 2]);
    assert.deepEqual([...(year.labels as Float64Array)], [1, 0]);
    const two = readCsv("class_size,rooms,label\n1999,3,1\n2004,2,0\n", 2);
    assert.deepEqual([...(two.labels as Float64Array)], [1, 0]);
  });

  test("Parquet: the label by its name, several as targets, the pictures among others", async () => {
    const decode = async (bytes: Uint8Array) => ({
      width: 1,
      height: 1,
      data: new Float32Array(3).fill(bytes[3] ?? 0),
    });
    const open = (label?: string) => parquetDataset([port(1, 1, 2, 1)], COLUMNS, decode, "f", {}, label);
    const bare = await all(await open());
    assert.deepEqual(labels(bare), [undefined, undefined]);
    assert.deepEqual(
      bare.map(({ inputs }) => inputs[0]?.[0]),
      [0, Math.fround(1 / 255)],
    );
    assert.deepEqual(labels(await all(await open("fine"))), [3, 1]);
    assert.deepEqual(labels(await all(await open("id"))), [0, 1]);
    const both = await all(await open("fine, coarse"));
    assert.deepEqual(
      both.map(({ targets }) => [...(targets?.[0] ?? [])]),
      [
        [3, 1],
        [1, 0],
      ],
    );
    await assert.rejects(open("nope"), /a column "nope", received img, fine, coarse, id/);
    const numbers = await parquetDataset([port(1, 2), port(1, 2)], COLUMNS, decode, "f", {}, "id");
    await assert.rejects(all(numbers), /2 columns of inputs, received img, fine, coarse/);
  });
});
