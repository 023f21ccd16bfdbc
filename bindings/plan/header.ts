import { Pint8Error } from "../errors.ts";
import { EDITIONS, MODULES } from "../primitives/modules.ts";
import type { KernelName } from "../primitives/registry.ts";
import { BITS, type DType } from "../tensor.ts";
import {
  type HostStep,
  type Plan,
  type PlanPort,
  type PlanStep,
  type Range,
  STEP_BYTES,
  type StepList,
} from "./types.ts";

/** The header of a plan file, as JSON bytes. A step's parameters stand in the image already. */
export function writeHeader({ image: _, steps, bodies, ...rest }: Plan): Uint8Array {
  const notes = (list: readonly PlanStep[]) => list.map(({ params: _, ...step }) => step);
  const lists = bodies.map((body) => ({ stepsAddress: body.stepsAddress, steps: notes(body.steps) }));
  return new TextEncoder().encode(JSON.stringify({ ...rest, steps: notes(steps), bodies: lists }));
}

/** The plan that header and image make; every field's type is checked, what they mean together is not. */
export function readHeader(bytes: Uint8Array, image: Uint8Array): Plan {
  const root = parse(bytes);
  const imageAddress = root.size("imageAddress");
  const stepsAddress = root.size("stepsAddress");
  const table = new DataView(image.buffer, image.byteOffset, image.length);
  const word = (address: number, where: Value) => {
    const offset = address - imageAddress;
    return offset >= 0 && offset + 4 <= image.length
      ? table.getUint32(offset, true)
      : where.fail("a place in the image");
  };
  const step =
    (list: number) =>
    (value: Value, i: number): PlanStep => ({
      kernel: value.string("kernel") as KernelName,
      params: word(list + i * STEP_BYTES + 4, value),
      where: value.string("where"),
      note: value.string("note"),
      macs: value.size("macs"),
      elements: value.size("elements"),
      bytes: value.size("bytes"),
      parts: value.size("parts"),
      ...(value.has("scratch") ? { scratch: readScratch(value.field("scratch")) } : {}),
    });
  const body = (value: Value): StepList => {
    const address = value.size("stepsAddress");
    return { stepsAddress: address, steps: value.list("steps", step(address)) };
  };
  return {
    module: root.oneOf("module", MODULES),
    edition: root.oneOf("edition", EDITIONS),
    moduleHash: root.string("moduleHash"),
    arenaAddress: root.size("arenaAddress"),
    arenaBytes: root.size("arenaBytes"),
    imageAddress,
    image,
    scratchAddress: root.size("scratchAddress"),
    scratchBytes: root.size("scratchBytes"),
    stepsAddress,
    steps: root.list("steps", step(stepsAddress)),
    bodies: root.list("bodies", body),
    hosts: root.list("hosts", readHost),
    inputs: root.list("inputs", readPort),
    outputs: root.list("outputs", readPort),
    variables: root.list("variables", readRange),
  };
}

const readScratch = (value: Value): Required<PlanStep>["scratch"] => ({
  at: value.size("at"),
  blockBytes: value.size("blockBytes"),
});

const readRange = (value: Value): Range => ({
  address: value.size("address"),
  bytes: value.size("bytes"),
});

const readHost = (value: Value): HostStep => ({
  step: value.size("step"),
  name: value.string("name"),
  options: value.sizes("options"),
  inputs: value.list("inputs", readPort),
  outputs: value.list("outputs", readPort),
});

const readPort = (value: Value): PlanPort => ({
  name: value.string("name"),
  dtype: value.oneOf("dtype", Object.keys(BITS) as DType[]),
  shape: value.sizes("shape"),
  scale: value.number("scale"),
  zeroPoint: value.number("zeroPoint"),
  ...readRange(value),
  ...(value.has("lengthAddress") ? { lengthAddress: value.size("lengthAddress") } : {}),
});

/** A JSON object that is asked for its fields, and says where it stands when one is of another type. */
interface Value {
  field(key: string): Value;
  has(key: string): boolean;
  list<T>(key: string, read: (value: Value, i: number) => T): readonly T[];
  string(key: string): string;
  oneOf<T extends string>(key: string, values: readonly T[]): T;
  number(key: string): number;
  /** A whole number from 0. */
  size(key: string): number;
  sizes(key: string): readonly number[];
  fail(expected: string): never;
}

function refuse(value: unknown, where: string, expected: string): never {
  const received = JSON.stringify(value)?.slice(0, 40) ?? "nothing";
  throw new Pint8Error("INVALID_PLAN", { where, expected, received });
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function jsonValue(value: unknown, where: string): Value {
  if (typeof value !== "object" || value === null) refuse(value, where, "an object");
  const fields = value as { readonly [key: string]: unknown };
  const ask = <T>(key: string, expected: string, is: (field: unknown) => boolean): T =>
    is(fields[key]) ? (fields[key] as T) : refuse(fields[key], `${where}.${key}`, expected);
  const list = <T = unknown>(key: string) => ask<readonly T[]>(key, "a list", Array.isArray);
  return {
    fail: (expected) => refuse(value, where, expected),
    field: (key) => jsonValue(fields[key], `${where}.${key}`),
    has: (key) => Object.hasOwn(fields, key),
    list: (key, read) => list(key).map((item, i) => read(jsonValue(item, `${where}.${key}[${i}]`), i)),
    string: (key) => ask(key, "a string", (field) => typeof field === "string"),
    oneOf: (key, values) => ask(key, `one of ${values.join(", ")}`, (field) => values.includes(field as never)),
    number: (key) => ask(key, "a number", (field) => typeof field === "number"),
    size: (key) => ask(key, WHOLE, isSize),
    sizes: (key) =>
      list<number>(key).map((item, i) => (isSize(item) ? item : refuse(item, `${where}.${key}[${i}]`, WHOLE))),
  };
}

const WHOLE = "a whole number from 0";

function parse(bytes: Uint8Array): Value {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new Pint8Error(
      "INVALID_PLAN",
      { where: "plan header", expected: "JSON", received: "something else" },
      { cause },
    );
  }
  return jsonValue(value, "plan");
}
