/** All that training needs to go on: the step that comes next, weights, moments, running statistics, masks. */
import { ensure } from "../../errors.ts";

/** What is kept besides arrays. */
interface CheckpointHead {
  readonly step: number;
  readonly steps: number;
  readonly seed: number;
  readonly batch: number;
  /** Whether the student has passed its teacher and learns by labels alone. */
  readonly passed?: boolean;
}

type CheckpointArrays = Readonly<Record<"weights" | "first" | "second" | "running" | "masks", Float32Array>>;

const MAGIC = 0x504b4338;
const NAMES = ["weights", "first", "second", "running", "masks"] as const;

/** Magic, length of the JSON head, head padded to 4 bytes, the arrays one after the other; little-endian. */
export function encodeCheckpoint(head: CheckpointHead, arrays: CheckpointArrays): Uint8Array {
  const lengths = NAMES.map((name) => arrays[name].length);
  const text = JSON.stringify({ ...head, lengths });
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
  const bytes = new Uint8Array(8 + json.length + lengths.reduce((sum, length) => sum + length * 4, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, json.length, true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const name of NAMES)
    for (const value of arrays[name]) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return bytes;
}

/**
 * Reads a checkpoint into the arrays and returns its head.
 *
 * Errors: INVALID_OPTION where it is none, or of another network or other options.
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  expected: Omit<CheckpointHead, "step" | "passed">,
  into: CheckpointArrays,
): CheckpointHead {
  const refuse = (received: string) =>
    ensure(false, "INVALID_OPTION", () => ({
      where: "checkpoint",
      expected: "one of this network, data and options",
      received,
      hint: "Begin without it, or with what it was made with.",
    }));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC) refuse("bytes that are no checkpoint");
  const length = view.getUint32(4, true);
  if (length > bytes.length - 8) refuse("a file that is cut short");
  const head = parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  if (head === undefined) refuse("a damaged file");
  const { lengths = [], ...rest } = head as CheckpointHead & { readonly lengths?: readonly number[] };
  for (const name of ["steps", "seed", "batch"] as const)
    if (rest[name] !== expected[name]) refuse(`${name} ${rest[name]} where ${expected[name]} is asked for`);
  const fits = NAMES.every((name, i) => lengths[i] === into[name].length);
  const total = lengths.reduce((sum, each) => sum + each * 4, 8 + length);
  if (!fits || total !== bytes.length) refuse("one of a network of another size");
  let at = 8 + length;
  for (const name of NAMES) {
    const array = into[name];
    for (let i = 0; i < array.length; i++, at += 4) array[i] = view.getFloat32(at, true);
  }
  return rest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
