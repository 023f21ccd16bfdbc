/**
 * Small products of one row as code without loops, weights and all. An interpreter pays for every instruction: loops,
 * addresses and records cost it more than the products do.
 */
import type binaryen from "binaryen";
import type { Plan, PlanStep, Range } from "../plan/types.ts";
import type { Optimize } from "../primitives/modules.ts";
import { fieldsOf } from "../primitives/params.ts";

type Module = binaryen.Module;
type Ref = binaryen.ExpressionRef;

/** Three columns share a 64-bit multiply in lanes of so many bits, as in product/gemv.scalar.ts. */
const LANE = 21;
const OFFSET = 2n ** 20n;
/** Multiplies of one product at most: each takes some 14 bytes of code. */
const MOST = 512;
/** The same of all products where bytes count. */
const MOST_FOR_SIZE = 128;
/** Inputs of one product at most: each is a local variable. */
const MOST_INPUTS = 128;
const RECORD_BYTES = 8;

/** One output: the sum of x[i]·weights[i], and what its record says. */
interface Column {
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
function rangeOf({ weights }: Column): readonly [bigint, bigint] {
  const ends = weights.map((w): readonly [bigint, bigint] => (w < 0n ? [w * 127n, w * -128n] : [w * -128n, w * 127n]));
  return [ends.reduce((sum, [least]) => sum + least, 0n), ends.reduce((sum, [, most]) => sum + most, 0n)];
}

/** The plan's image without what only these steps' kernel reads. */
export function imageWithout({ image, imageAddress }: Plan, steps: ReadonlyMap<number, Straight>): Uint8Array {
  const rest = image.slice();
  const drop = ({ address, bytes }: Range) => rest.fill(0, address - imageAddress, address - imageAddress + bytes);
  for (const { data } of steps.values()) drop(data[0] as Range);
  // Equal constants are kept once: whatever else may be an address of theirs keeps them.
  const named = new Set(new Uint32Array(rest.slice(0, rest.length & ~3).buffer));
  for (const { data } of steps.values()) for (const range of data.slice(1)) if (!named.has(range.address)) drop(range);
  return rest;
}

/** Adds the product as a function without parameters. */
export function addStraight(
  b: typeof binaryen,
  module: Module,
  name: string,
  { x, y, inputs, columns, zeroPoint, lo, hi }: Straight,
): void {
  const { i32, i64, local } = module;
  const [acc, wide, narrow] = [inputs, inputs + 1, inputs + 2];
  const load = (i: number) => i64.load8_s(0, 1, i32.const((x + i) | 0));
  const body: Ref[] = [];
  const shared = columns.length > 3;
  if (shared) for (let i = 0; i < inputs; i++) body.push(local.set(i, load(i)));
  const input = (i: number) => (shared ? local.get(i, b.i64) : load(i));
  for (let column = 0; column < columns.length; column += 3) {
    const triple = columns.slice(column, column + 3);
    // All lanes but the last are made positive, so that they are cut out without borrowing.
    const offset = triple.slice(1).reduce((sum, _, lane) => sum + (OFFSET << BigInt(LANE * lane)), 0n);
    const packed = (i: number) =>
      triple.reduce((sum, { weights }, lane) => sum + ((weights[i] as bigint) << BigInt(LANE * lane)), 0n);
    const terms = offset === 0n ? [] : [i64.const(offset)];
    for (let i = 0; i < inputs; i++) if (packed(i) !== 0n) terms.push(i64.mul(input(i), i64.const(packed(i))));
    const sum = terms.length === 0 ? i64.const(0n) : terms.reduce((left, right) => i64.add(left, right));
    body.push(local.set(acc, sum));
    for (const [lane, each] of triple.entries()) {
      const last = lane === triple.length - 1;
      const shifted = () => {
        const all = local.get(acc, b.i64);
        return lane === 0 ? all : i64.shr_s(all, i64.const(BigInt(LANE * lane)));
      };
      const value = last ? shifted() : i64.and(shifted(), i64.const(2n ** BigInt(LANE) - 1n));
      const result = requantized(each, value, last ? 0n : OFFSET);
      body.push(i32.store8(0, 1, i32.const((y + column + lane) | 0), result));
    }
  }
  module.addFunction(
    name,
    b.none,
    b.none,
    [...new Array<binaryen.Type>(inputs + 2).fill(b.i64), b.i32],
    module.block(null, body, b.none),
  );

  /** requantize/requantize.scalar.ts with constants, of a sum that is `over` too large; its steps that change nothing are left out. */
  function requantized(column: Column, value: Ref, over: bigint): Ref {
    const { multiplier, bias, shift } = column;
    const shifts = 31n + shift;
    const half = shift > 0n ? 2n ** (30n + shift) : 0n;
    const zero = half + (zeroPoint << shifts);
    let product = i64.add(
      i64.mul(value, i64.const(multiplier)),
      i64.const((bias - over) * multiplier + 2n ** 30n + zero),
    );
    const exact = (acc: bigint) => {
      const t = (acc + bias) * multiplier + 2n ** 30n;
      return zeroPoint + ((t + half - (t < 0n && shift > 0n ? 2n ** 31n : 0n)) >> shifts);
    };
    const [least, most] = rangeOf(column);
    // Ties of negative values go down; below the zero point nothing may be left that could.
    if (shift > 0n && lo < zeroPoint && (least + bias) * multiplier + 2n ** 30n < 0n) {
      const negative = i64.lt_s(local.get(wide, b.i64), i64.const(zero));
      product = i64.sub(local.tee(wide, product, b.i64), i64.shl(i64.extend_u(negative), i64.const(31n)));
    }
    let result = i32.wrap(i64.shr_s(product, i64.const(shifts)));
    const limit = (bound: bigint, inside: (left: Ref, right: Ref) => Ref) => {
      const at = () => i32.const(Number(bound));
      const tee = local.tee(narrow, result, b.i32);
      result = module.select(inside(local.get(narrow, b.i32), at()), tee, at());
    };
    if (exact(least) < lo) limit(lo, i32.gt_s);
    if (exact(most) > hi) limit(hi, i32.lt_s);
    return result;
  }
}
