import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pint8 } from "./run.ts";

const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));
const skip = existsSync(SHARED) ? false : "the folder ../shared with models and pictures is not here";
const LABELS = `${SHARED}inputs/imagenet_labels.txt`;

async function top(model: string, picture: string, ...options: string[]) {
  const { status, out, err } = await pint8(
    "run",
    `${SHARED}models/${model}.tflite`,
    "--input",
    `${SHARED}inputs/${picture}`,
    "--json",
    ...options,
  );
  assert.equal(status, 0, err);
  return JSON.parse(out).outputs[0].top as readonly { index: number; label: string; raw: number }[];
}

test("person_detect tells a person from none", { skip }, async () => {
  const scores = async (picture: string) =>
    Object.fromEntries((await top("person_detect", picture)).map(({ index, raw }) => [index, raw]));
  assert.deepEqual(await scores("person.png"), { 0: -113, 1: 113 });
  assert.deepEqual(await scores("no_person.png"), { 0: 57, 1: -57 });
});

for (const [picture, label] of [
  ["grace_hopper.bmp", /^military uniform$/],
  ["cat.bmp", /^Egyptian cat$/],
  ["sunflower.bmp", /^daisy$/],
  ["parrot.jpg", /^macaw$/],
] as const)
  test(`tf2_mobilenet_v2 names ${picture}`, { skip }, async () => {
    const [first] = await top("tf2_mobilenet_v2_1.0_224_ptq", picture, "--labels", LABELS);
    assert.match(first?.label ?? "", label);
  });
