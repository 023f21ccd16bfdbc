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
  const imageAddress = root.field("imageAddress").size();
  const stepsAddress = root.field("stepsAddress").size();
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
      kernel: value.field("kernel").string() as KernelName,
      params: word(list + i * STEP_BYTES + 4, value),
      where: value.field("where").string(),
      note: value.field("note").string(),
      macs: value.field("macs").size(),
      elements: value.field("elements").size(),
      bytes: value.field("bytes").size(),
      parts: value.field("parts").size(),
      ...(value.has("scratch") ? { scratch: readScratch(value.field("scratch")) } : {}),
    });
  const body = (value: Value): StepList => {
    const address = value.field("stepsAddress").size();
    return { stepsAddress: address, steps: value.field("steps").list().map(step(address)) };
  };
  return {
    module: root.field("module").oneOf(MODULES),
    edition: root.field("edition").oneOf(EDITIONS),
    moduleHash: root.field("moduleHash").string(),
    arenaAddress: root.field("arenaAddress").size(),
    arenaBytes: root.field("arenaBytes").size(),
    imageAddress,
    image,
    scratchAddress: root.field("scratchAddress").size(),
    scratchBytes: root.field("scratchBytes").size(),
    stepsAddress,
    steps: root.field("steps").list().map(step(stepsAddress)),
    bodies: root.field("bodies").list().map(body),
    hosts: root.field("hosts").list().map(readHost),
    inputs: root.field("inputs").list().map(readPort),
    outputs: root.field("outputs").list().map(readPort),
    variables: root.field("variables").list().map(readRange),
  };
}

const readScratch = (value: Value): Required<PlanStep>["scratch"] => ({
  at: value.field("at").size(),
  blockBytes: value.field("blockBytes").size(),
});

const readRange = (value: Value): Range => ({
  address: value.field("address").size(),
  bytes: value.field("bytes").size(),
});

const readHost = (value: Value): HostStep => ({
  step: value.field("step").size(),
  name: value.field("name").string(),
  options: value
    .field("options")
    .list()
    .map((byte) => byte.size()),
  inputs: value.field("inputs").list().map(readPort),
  outputs: value.field("outputs").list().map(readPort),
});

const readPort = (value: Value): PlanPort => ({
  name: value.field("name").string(),
  dtype: value.field("dtype").oneOf(Object.keys(BITS) as DType[]),
  shape: value
    .field("shape")
    .list()
    .map((size) => size.size()),
  scale: value.field("scale").number(),
  zeroPoint: value.field("zeroPoint").number(),
  ...readRange(value),
  ...(value.has("lengthAddress") ? { lengthAddress: value.field("lengthAddress").size() } : {}),
});

/** A JSON value that is asked for its type and says where it stands when it has another. */
interface Value {
  field(key: string): Value;
  has(key: string): boolean;
  list(): readonly Value[];
  string(): string;
  oneOf<T extends string>(values: readonly T[]): T;
  number(): number;
  /** A whole number from 0. */
  size(): number;
  fail(expected: string): never;
}

function jsonValue(value: unknown, where: string): Value {
  const fail = (expected: string): never => {
    const received = JSON.stringify(value)?.slice(0, 40) ?? "nothing";
    throw new Pint8Error("INVALID_PLAN", { where, expected, received });
  };
  const isObject = typeof value === "object" && value !== null;
  return {
    fail,
    field: (key) =>
      jsonValue(isObject ? (value as { readonly [key: string]: unknown })[key] : fail("an object"), `${where}.${key}`),
    has: (key) => isObject && Object.hasOwn(value, key),
    list: () => (Array.isArray(value) ? value.map((item, i) => jsonValue(item, `${where}[${i}]`)) : fail("a list")),
    string: () => (typeof value === "string" ? value : fail("a string")),
    oneOf: (values) => values.find((known) => known === value) ?? fail(`one of ${values.join(", ")}`),
    number: () => (typeof value === "number" ? value : fail("a number")),
    size: () =>
      Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail("a whole number from 0"),
  };
}

function parse(bytes: Uint8Array): Value {
  try {
    return jsonValue(JSON.parse(new TextDecoder().decode(bytes)), "plan");
  } catch (cause) {
    throw new Pint8Error(
      "INVALID_PLAN",
      { where: "plan header", expected: "JSON", received: "something else" },
      { cause },
    );
  }
}
