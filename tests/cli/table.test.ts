/** Tables of the command line, and that they fit a terminal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../bindings/cli/text.ts";

const rows = [
  ["operator", "MACs", "kernel"],
  ["a node of a very long name", "1,234", "a kernel and much that is said of it"],
  ["short", "7", "copy"],
];

test("columns are as wide as their cells where nothing limits them", () => {
  assert.deepEqual(table(rows, [1]), [
    "operator                     MACs  kernel",
    "a node of a very long name  1,234  a kernel and much that is said of it",
    "short                           7  copy",
  ]);
});

test("in a terminal the widest columns of text lose the ends of their cells, numbers none", () => {
  const lines = table(rows, [1], 36);
  assert.ok(lines.every((line) => line.length <= 36));
  assert.deepEqual(lines, [
    "operator              MACs  kernel",
    "a node of a very l…  1,234  a kerne…",
    "short                    7  copy",
  ]);
});

test("columns keep eight letters, however narrow the terminal is", () => {
  assert.equal(table(rows, [1], 5)[1], "a node …  1,234  a kerne…");
});
