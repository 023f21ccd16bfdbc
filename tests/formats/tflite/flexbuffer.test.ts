/** Options of custom operators: a small map, and every way to damage it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { readFlexMap } from "../../../bindings/formats/tflite/flexbuffer.ts";
import { flexMap } from "./flex.ts";

/** { a: 5 }: the key, the vector of keys, the map with its value and type, the root. */
const MAP = Uint8Array.of(0x61, 0, 1, 3, 1, 1, 1, 5, 4, 2, 36, 1);

test("a map of one small integer", () => {
  assert.deepEqual([...readFlexMap(MAP, "options")], [["a", 5]]);
  assert.deepEqual([...readFlexMap(new Uint8Array(0), "options")], []);
});

test("a signed value, a flag and a value of a type that no option has", () => {
  const typed = (type: number, value: number) => {
    const bytes = MAP.slice();
    bytes[8] = type << 2;
    bytes[7] = value;
    return readFlexMap(bytes, "options").get("a");
  };
  assert.equal(typed(1, 0xfe), -2);
  assert.equal(typed(2, 0xfe), 254);
  assert.equal(typed(26, 1), true);
  assert.equal(typed(10, 0), undefined);
});

test("lists of numbers, numbers and strings, and damage to them", () => {
  const options = { ints: [1, -2, 70000], reals: [0.5, 1.25], one: 2.5, word: "bilinear" };
  const bytes = flexMap(options);
  assert.deepEqual(Object.fromEntries(readFlexMap(bytes, "options")), options);
  for (let at = 0; at < bytes.length; at++)
    for (const value of [0, 1, 127, 255]) {
      const damaged = bytes.slice();
      damaged[at] = value;
      try {
        assert.ok(readFlexMap(damaged, "options").size <= 1024);
      } catch (error) {
        assert.ok(error instanceof Pint8Error && error.code === "INVALID_MODEL", `byte ${at} as ${value}: ${error}`);
      }
    }
});

test("damaged bytes end in a map or in INVALID_MODEL", () => {
  const outcome = (bytes: Uint8Array) => {
    try {
      return readFlexMap(bytes, "options").size >= 0;
    } catch (error) {
      return error instanceof Pint8Error && error.code === "INVALID_MODEL";
    }
  };
  for (let length = 1; length < MAP.length; length++) assert.ok(outcome(MAP.slice(MAP.length - length)));
  for (let at = 0; at < MAP.length; at++)
    for (const value of [0, 1, 2, 3, 7, 38, 39, 127, 128, 255]) {
      const bytes = MAP.slice();
      bytes[at] = value;
      assert.ok(outcome(bytes), `byte ${at} as ${value}`);
    }
});
