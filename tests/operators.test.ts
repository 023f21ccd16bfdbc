/** docs/OPERATORS.md and the README's numbers are what the registries say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allEntries } from "../bindings/formats/tflite/operators.ts";
import { operators } from "../bindings/ops/index.ts";
import { operatorsPage, readmeWithOperators } from "../scripts/operators.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("docs/OPERATORS.md is up to date: node --import tsx scripts/operators.ts", () => {
  assert.equal(read("docs/OPERATORS.md"), operatorsPage());
});

test("the README's numbers are up to date: node --import tsx scripts/operators.ts", () => {
  assert.equal(read("README.md"), readmeWithOperators(read("README.md")));
});

test("every importer's entry is an operator", () => {
  for (const entry of Object.values(allEntries())) assert.ok(entry && entry.kind in operators, entry?.kind);
});
