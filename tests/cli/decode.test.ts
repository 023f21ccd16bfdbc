/** Pictures of data sets decoded in threads: the same as without, errors too. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createDecoder } from "../../bindings/cli/picture/pool.ts";
import { Pint8Error } from "../../bindings/errors.ts";

const FOLDER = fileURLToPath(new URL("../../models/digits/samples/", import.meta.url));
const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".png"))
  .map((name) => [name, new Uint8Array(readFileSync(`${FOLDER}${name}`))] as const);

describe("decoders", () => {
  for (const [threads, few] of [
    [1, 0],
    [3, 0],
    [2, 4],
  ] as const)
    test(`${threads} threads after ${few} pictures`, async () => {
      assert.ok(files.length >= 10);
      const [here, pool] = [createDecoder(0), createDecoder(threads, few)];
      const wanted = await Promise.all(files.map(([name, bytes]) => here(bytes, name)));
      const found = await Promise.all(files.map(([name, bytes]) => pool(bytes, name)));
      assert.deepEqual(found, wanted);
      assert.ok(found.every((picture) => picture !== undefined && picture.width > 0));
    });

  test("what is damaged is refused in the same words; what is no picture is none", async () => {
    const [name, whole] = files[0] as (typeof files)[number];
    const decoders = [createDecoder(0), createDecoder(1, 0)];
    const cut = whole.slice(0, 60);
    const errors = await Promise.all(decoders.map((decode) => decode(cut, name).catch((error: unknown) => error)));
    for (const error of errors) assert.ok(error instanceof Pint8Error && error.code === "INVALID_INPUT", `${error}`);
    const [here, there] = errors as readonly Pint8Error[];
    assert.equal(there?.message, here?.message);
    assert.equal(there?.hint, here?.hint);
    for (const decode of decoders) assert.equal(await decode(Uint8Array.of(1, 2, 3, 4), "x"), undefined);
    assert.ok(whole.length > 60, "what was given is still there");
  });
});
