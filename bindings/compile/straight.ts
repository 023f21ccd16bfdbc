/**
 * Small products of one row that become code without loops, weights and all (`straightCode.ts`). An interpreter pays for every
 * instruction: loops, addresses and records cost it more than the products do.
 */
import type { Plan, PlanStep, Range } from "../plan/types.ts";
import type { Optimize } from "../primitives/modules.ts";
import { fieldsOf } from "../primitives/params.ts";

/** Three columns share a 64-bit multiply in lanes of so many bits, as in product/gemv.scalar.ts. */
export const LANE = 21;
/** Sums are less than this, or at least as much below 0. */
export const OFFSET = 2n ** 20n;
/** Multiplies of one product at most: each takes some 14 bytes of code. */
const MOST = 512;
/** The same of all products where bytes count. */
const MOST_FOR_SIZE = 128;
/** Inputs of one product at most: each is a local variable. */
const MOST_INPUTS = 128;
const RECORD_BYTES = 8;

/** One output: the sum of x[i]·weights[i], and what its record says. */
export interface Column {
  readonly weights: readonly bigint[];
  readonly multiplier: bigint;
  readonly bias: bigint;
  /** Places of the second shift: the first is by 31. */
  readonly shift: bigint;
}

/** A product of one row with all its numbers. */
export interface Straight {
  readonly x: number;
  readonly y: number;
  /** Length of the row. */
  readonly inputs: number;
  readonly zeroPoint: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly columns: readonly Column[];
  /** What only the kernel reads: the parameter block first. */
  readonly data: readonly Range[];
}

/** The steps that become code of their own, by the addresses of their parameter blocks. */
export function straightSteps(plan: Plan, optimize: Optimize): ReadonlyMap<number, Straight> {
  if (plan.module !== "scalar") return new Map();
  const steps = [plan, ...plan.bodies].flatMap((list) => list.steps).filter(({ kernel }) => isProduct(kernel));
  const found = steps.flatMap((step): [number, Straight][] => {
    const straight = straightOf(plan, step);
    return straight === undefined ? [] : [[step.params, straight]];
  });
  const multiplies = found.reduce((sum, [, { columns, inputs }]) => sum + Math.ceil(columns.length / 3) * inputs, 0);
  // Where bytes count, only if none of them needs the kernel, whose bytes are saved then.
  const pays = optimize === "speed" || (found.length === steps.length && multiplies <= MOST_FOR_SIZE);
  return new Map(pays ? found : []);
}

const isProduct = (kernel: string) => kernel === "gemv" || kernel === "gemvWide";

/** Undefined where the product is too large, or needs what only the kernel does: more rows, records that do not fit, sums in parts. */
function straightOf({ image, imageAddress }: Plan, { kernel, params }: PlanStep): Straight | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const within = ({ address, bytes }: Range) =>
    address >= imageAddress && address - imageAddress + bytes <= image.length;
  const names = fieldsOf("Gemm");
  const block = { address: params, bytes: names.length * 4 };
  if (!within(block)) return undefined;
  const field = (name: string) =>
    view.getInt32(params - imageAddress + 4 * names.findIndex((each) => each.name === name), true);
  const [m, n, inputs] = [field("m"), field("n"), field("k")];
  const multiplies = Math.ceil(n / 3) * inputs;
  if (m !== 1 || n < 1 || inputs < 1 || inputs > MOST_INPUTS || multiplies > MOST) return undefined;
  const wide = kernel === "gemvWide";
  const weights = { address: field("w") >>> 0, bytes: wide ? multiplies * 8 : n * inputs };
  const records = { address: field("q") >>> 0, bytes: n * RECORD_BYTES };
  if (!within(weights) || !within(records)) return undefined;
  const w = weights.address - imageAddress;
  const weight = (column: number, i: number) =>
    wide
      ? laneOf(view.getBigInt64(w + (Math.floor(column / 3) * inputs + i) * 8, true), column % 3)
      : BigInt(view.getInt8(w + column * inputs + i));
  const columns = Array.from({ length: n }, (_, column): Column => {
    const at = records.address - imageAddress + column * RECORD_BYTES;
    const word = view.getInt32(at + 4, true);
    return {
      weights: Array.from({ length: inputs }, (_, i) => weight(column, i)),
      multiplier: BigInt(view.getInt32(at, true)),
      bias: BigInt(word >> 5),
      shift: BigInt(word & 31),
    };
  });
  const fits = columns.every((column) => {
    const [least, most] = rangeOf(column);
    // Shifts of 24 and more leave no room for the zero point, and 31 marks a record that does not fit.
    return least >= -OFFSET && most < OFFSET && column.shift < 24n && column.multiplier >= 0n;
  });
  if (!fits) return undefined;
  const [zeroPoint, lo, hi] = [field("yZeroPoint"), field("lo"), field("hi")].map(BigInt) as [bigint, bigint, bigint];
  return { x: field("x"), y: field("y"), inputs, zeroPoint, lo, hi, columns, data: [block, weights, records] };
}

/** One of the three weights of a word. */
function laneOf(word: bigint, lane: number): bigint {
  const first = BigInt.asIntN(LANE, word);
  return lane === 0 ? first : laneOf((word - first) >> BigInt(LANE), lane - 1);
}

/** The least and the largest sum that int8 inputs give. */
export function rangeOf({ weights }: Column): readonly [bigint, bigint] {
  const ends = weights.map((w): readonly [bigint, bigint] => (w < 0n ? [w * 127n, w * -128n] : [w * -128n, w * 127n]));
  return [ends.reduce((sum, [least]) => sum + least, 0n), ends.reduce((sum, [, most]) => sum + most, 0n)];
}

/** The plan's image without what only these steps' kernel reads. */
export function imageWithout({ image, imageAddress }: Plan, steps: ReadonlyMap<number, Straight>): Uint8Array {
  const rest = new Uint8Array(image);
  const drop = ({ address, bytes }: Range) => rest.fill(0, address - imageAddress, address - imageAddress + bytes);
  for (const { data } of steps.values()) drop(data[0] as Range);
  // Equal constants are kept once: whatever else may be an address of theirs keeps them.
  const constants = new Map(
    [...steps.values()].flatMap(({ data }) => data.slice(1)).map((each) => [each.address, each]),
  );
  if (constants.size > 0) {
    const words = new Uint32Array(rest.buffer, 0, rest.length >> 2);
    for (const word of words) constants.delete(word);
  }
  for (const range of constants.values()) drop(range);
  return rest;
}
