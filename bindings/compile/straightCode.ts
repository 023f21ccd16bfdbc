/** The code of small products of one row, see `straight.ts`. */
import type binaryen from "binaryen";
import { type Column, LANE, OFFSET, rangeOf, type Straight } from "./straight.ts";

type Module = binaryen.Module;
type Ref = binaryen.ExpressionRef;

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
