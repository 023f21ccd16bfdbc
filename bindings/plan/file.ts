import { ensure, guarded, kindOf } from "../errors.ts";
import { servedOf } from "../served.ts";
import { byteLength } from "../tensor.ts";
import { checksum } from "./checksum.ts";
import { readHeader, writeHeader } from "./header.ts";
import { ALIGNMENT, ARENA_ADDRESS, MAKE_AGAIN, memoryBytes, type Plan, type Range } from "./types.ts";

/** `PNT8`, the first four bytes of a plan file. */
const MAGIC = [0x50, 0x4e, 0x54, 0x38];
/** Raised with every change of the format. */
const VERSION = 5;
/** The prefix, as little-endian u32: magic, version, header bytes, image bytes, then the checksum of all else (8 bytes). */
const PREFIX_BYTES = 24;
const CHECKSUM_AT = 16;

/** Whether bytes begin as a plan file does. */
export function isPlan(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** A plan as bytes: 24 bytes of prefix, a JSON header, the image. Errors: INVALID_INPUT for what is no plan. */
export function writePlan(plan: Plan): Uint8Array {
  ensure(Array.isArray(Object(plan).steps) && Array.isArray(plan.bodies), "INVALID_INPUT", () => ({
    where: "writePlan",
    expected: "a plan, as planGraph gives it",
    received: kindOf(plan),
  }));
  const header = writeHeader(plan);
  const file = new Uint8Array(PREFIX_BYTES + header.length + plan.image.length);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, header.length, true);
  view.setUint32(12, plan.image.length, true);
  file.set(header, PREFIX_BYTES);
  file.set(plan.image, PREFIX_BYTES + header.length);
  file.set(seal(file), CHECKSUM_AT);
  return file;
}

/** The checksum of everything but itself. */
function seal(file: Uint8Array): Uint8Array {
  const prefix = checksum(file.subarray(0, CHECKSUM_AT));
  return checksum(file.subarray(PREFIX_BYTES)).map((byte, i) => byte ^ (prefix[i] as number));
}

/**
 * The plan that `writePlan` wrote. Kernels trust their parameter blocks, so a plan is code: load those of makers you trust.
 * Damage is told by the checksum, and every range that the header names is checked.
 *
 * Errors: INVALID_PLAN for bytes that are not a plan, are damaged, or of another version.
 */
export function readPlan(bytes: Uint8Array): Plan {
  return guarded("INVALID_PLAN", "plan file", () => read(bytes));
}

function read(bytes: Uint8Array): Plan {
  const must = (condition: boolean, where: string, expected: string, received: unknown) =>
    ensure(condition, "INVALID_PLAN", () => ({
      where,
      expected,
      received: `${received}`,
      hint: MAKE_AGAIN,
    }));
  must(isPlan(bytes), "plan file", "the bytes PNT8 at its start", servedOf(bytes) ?? "others");
  must(bytes.length >= PREFIX_BYTES, "plan file", `at least ${PREFIX_BYTES} bytes`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [version, headerBytes, imageBytes] = [4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  must(version === VERSION, "plan file", `version ${VERSION}`, version);
  const imageAt = PREFIX_BYTES + headerBytes;
  must(bytes.length === imageAt + imageBytes, "plan file", `${imageAt + imageBytes} bytes`, bytes.length);
  const intact = seal(bytes).every((byte, i) => byte === bytes[CHECKSUM_AT + i]);
  must(intact, "plan file", "contents that match their checksum", "damaged bytes");

  const plan = readHeader(bytes.subarray(PREFIX_BYTES, imageAt), bytes.slice(imageAt));
  const imageEnd = plan.imageAddress + plan.image.length;
  must(plan.arenaAddress === ARENA_ADDRESS, "arenaAddress", `${ARENA_ADDRESS}`, plan.arenaAddress);
  must(
    plan.imageAddress === ARENA_ADDRESS + plan.arenaBytes,
    "imageAddress",
    "the end of the arena",
    plan.imageAddress,
  );
  must(plan.scratchAddress >= imageEnd, "scratchAddress", "past the image", plan.scratchAddress);
  must(memoryBytes(plan, 1) <= 2 ** 32, "memory", "at most 4 GiB", memoryBytes(plan, 1));
  const aligned = [plan.imageAddress, plan.scratchAddress, plan.scratchBytes, plan.stepsAddress];
  must(
    aligned.every((value) => value % ALIGNMENT === 0),
    "addresses",
    "multiples of 16",
    aligned,
  );
  const within = (range: Range, start: number) =>
    range.address % ALIGNMENT === 0 && range.address >= start && range.address + range.bytes <= imageEnd;
  for (const port of [...plan.inputs, ...plan.outputs]) {
    must(within(port, ARENA_ADDRESS), `"${port.name}"`, "an address in arena or image", port.address);
    must(port.bytes === byteLength(port), `"${port.name}"`, `${byteLength(port)} bytes`, port.bytes);
  }
  for (const host of plan.hosts) {
    must(host.step <= plan.steps.length, `"${host.name}"`, "a step of the plan", host.step);
    for (const port of [...host.inputs, ...host.outputs])
      must(within(port, ARENA_ADDRESS) && port.bytes === byteLength(port), `"${port.name}"`, "a tensor", port.address);
  }
  for (const ports of [plan.inputs, plan.outputs])
    must(new Set(ports.map(({ name }) => name)).size === ports.length, "ports", "names that differ", "the same");
  for (const variable of plan.variables)
    must(within(variable, plan.imageAddress), "variables", "ranges in the image", variable.address);
  for (const { where, params } of [plan, ...plan.bodies].flatMap(({ steps }) => steps))
    must(within({ address: params, bytes: 4 }, plan.imageAddress), where, "parameters in the image", params);
  return plan;
}
