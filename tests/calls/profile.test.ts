/** `pint8 bench --profile`: every step, with what it did and against which ceiling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIGITS, pint8 } from "../cli/run.ts";

test("the profile has every step, and its numbers agree with each other", async () => {
  const { status, out } = await pint8("bench", DIGITS, "--profile", "--json");
  assert.equal(status, 0);
  const { macs, profile } = JSON.parse(out);
  assert.ok(profile.ceilingGmacsPerSecond > 0.5);
  const sum = (field: string) =>
    profile.steps.reduce((total: number, step: Record<string, number>) => total + (step[field] ?? 0), 0);
  assert.equal(sum("macs"), macs);
  assert.ok(Math.abs(sum("share") - 1) < 1e-9);
  for (const step of profile.steps) {
    assert.match(step.operator, /^node \d+ \(/);
    assert.ok(step.median >= step.min && step.min >= 0);
    assert.ok(Math.abs(step.gmacsPerSecond * step.median * 1e6 - step.macs) <= 1e-6 * step.macs);
    assert.ok(Math.abs(step.ceilingShare * profile.ceilingGmacsPerSecond - step.gmacsPerSecond) < 1e-9);
  }
});

test("the table has a line for each step and says its ceiling", async () => {
  const { out } = await pint8("bench", DIGITS, "--profile");
  const lines = out.split("\n");
  assert.match(lines[2] ?? "", /^operator +µs +min +share +MACs +GMAC\/s +of peak +kernel$/);
  assert.match(lines[lines.length - 1] ?? "", /^peak [\d.]+ GMAC\/s/);
  assert.ok(lines.filter((line) => line.startsWith("node ")).length >= 10);
});
