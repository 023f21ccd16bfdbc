/** What a .tflite file holds besides graphs, and what the writer keeps of it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readFlexMap } from "../../../bindings/formats/tflite/flexbuffer.ts";
import { type Slots, writeFlat } from "../../../bindings/formats/tflite/write/flat.ts";
import { writeFlexMap } from "../../../bindings/formats/tflite/write/flexbuffer.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import { readKept } from "../../../bindings/formats/tflite/write/kept.ts";
import { buildTflite } from "../build-tflite.ts";
import { options } from "../tflite-options.ts";
import { canonical } from "./canonical.ts";

const SHARED = new URL("../../../../shared/", import.meta.url);
const _skip = existsSync(SHARED) ? false : "no ../shared folder";
/** Of the zoo's models every so many is written; those with subgraphs, state and options of their own all are. */
const _SAMPLE = 29;
const _SPECIAL = /while|if_|call_once|signal|variable|detection|lstm_hand|svdf|string|sparse|densify|int4|bias/;
const _LARGEST = 1 << 20;

const _bytesOf = (url: URL) => new Uint8Array(readFileSync(url));

describe("what a file holds besides graphs", () => {
  const spec = {
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 4] },
      { name: "y", dtype: "float32", shape: [1, 4] },
    ],
    operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
    inputs: [0],
    outputs: [1],
  } as const;

  test("signatures of every subgraph", () => {
    const second = {
      ...spec,
      name: "second",
      operators: [{ code: "ADD", inputs: [0, 0], outputs: [1], options: options.add() }],
    };
    const bytes = buildTflite({
      ...spec,
      subgraphs: [second],
      signatures: [
        { key: "first", inputs: { image: 0 }, outputs: { scores: 1 } },
        { key: "other", subgraph: 1, inputs: { a: 0 }, outputs: { b: 1 } },
      ],
    });
    const written = writeTflite(importModel(bytes, {}), { from: bytes });
    for (const signature of ["first", "other"])
      assert.deepEqual(canonical(importModel(written, { signature })), canonical(importModel(bytes, { signature })));
    // Of the other signature, the first is the further one.
    const turned = writeTflite(importModel(bytes, { signature: "other" }), {
      from: bytes,
      reading: { signature: "other" },
    });
    assert.equal(importModel(turned, {}).nodes[0]?.kind, "add");
    assert.equal(importModel(turned, { signature: "first" }).nodes[0]?.kind, "relu");
  });

  test("graphs of other signatures in place of the file's, and constants that all have the same once", () => {
    const layer = {
      tensors: [
        { name: "x", dtype: "float32", shape: [1, 64] },
        { name: "w", dtype: "float32", shape: [64, 64], data: Float32Array.from({ length: 4096 }, (_, i) => i) },
        { name: "y", dtype: "float32", shape: [1, 64] },
      ],
      operators: [{ code: "FULLY_CONNECTED", inputs: [0, 1, -1], outputs: [2], options: options.fullyConnected({}) }],
      inputs: [0],
      outputs: [2],
    } as const;
    const twice = buildTflite({
      ...layer,
      subgraphs: [{ ...layer, name: "second" }],
      signatures: [
        { key: "first", inputs: { image: 0 }, outputs: { scores: 2 } },
        { key: "other", subgraph: 1, inputs: { a: 0 }, outputs: { b: 2 } },
      ],
    });
    const written = writeTflite(importModel(twice, {}), { from: twice });
    assert.ok(written.length < 4096 * 4 + 4096, `${written.length} bytes`);
    assert.deepEqual(
      canonical(importModel(written, { signature: "other" })),
      canonical(importModel(twice, { signature: "other" })),
    );
    const relu = importModel(buildTflite(spec), {});
    const replaced = writeTflite(importModel(twice, {}), { from: twice, others: { other: relu } });
    assert.equal(importModel(replaced, { signature: "other" }).nodes[0]?.kind, "relu");
  });

  test("metadata and a description, at multiples of 16", () => {
    const label = new TextEncoder().encode("zero one two");
    const table = (slots: Slots): Slots => slots;
    const plainFile = writeTflite(importModel(buildTflite(spec), {}), { description: "mine" });
    assert.equal(readKept(plainFile).description, "mine");
    // A model without graphs but the metadata: what is kept is read from it alone.
    const source = writeFlat(
      {
        0: { int32: 3 },
        2: { tables: [table({ 0: { tables: [] } })] },
        3: { string: "theirs" },
        4: { tables: [{}, { 0: { aligned: label } }] },
        6: {
          tables: [
            { 0: { string: "labels" }, 1: { int32: 1 } },
            { 0: { string: "min_runtime_version" }, 1: { int32: 1 } },
          ],
        },
      },
      "TFL3",
      0,
    );
    const kept = readKept(writeTflite(importModel(plainFile, {}), { from: source }));
    assert.equal(kept.description, "theirs");
    assert.deepEqual(
      kept.metadata.map(({ name, data }) => [name, new TextDecoder().decode(data)]),
      [["labels", "zero one two"]],
    );
    assert.equal((kept.metadata[0]?.data.byteOffset ?? 1) % 16, 0);
  });

  test("options of custom operators", () => {
    for (const count of [0, 1, 7, 40]) {
      const values = new Map<string, number | boolean>();
      for (let i = 0; i < count; i++)
        values.set(`key ${(i * 7) % 40}`, i % 3 === 0 ? i - 5 : i % 3 === 1 ? i / 8 : i % 2 === 0);
      const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual([...readFlexMap(writeFlexMap(values), "options")], sorted, `${count} keys`);
    }
  });
});
