/** Rows of few channels beside one row of constants as longer rows, the constants repeated: a mean for each colour, say. */
import { elementCount, type Tensor } from "../../tensor.ts";
import type { Lowering } from "../types.ts";

/** An operand where it lies; `stride` is between elements, in bytes, where they are not dense. */
export interface Operand {
  readonly shape: readonly number[];
  readonly address: number;
  readonly stride?: number;
}

/** Operands of a call, and where the result lies. */
interface Pair {
  readonly a: Operand;
  readonly b: Operand;
  readonly y: { readonly shape: readonly number[]; readonly address: number };
}

/** Constants of fewer channels than this are laid out several times. */
const FEW = 64;
/** Elements of such a row. */
export const LONG_ROW = 256;
const VECTOR_BYTES = 16;

/** The same pairs in rows of up to `longest` elements of `bytes` bytes, whole vectors each; unchanged where that is not to be had. */
export function asLongRows(to: Lowering, pair: Pair, bytes: number, longest: number = LONG_ROW): Pair {
  const { a, b, y } = pair;
  const width = y.shape.at(-1) ?? 1;
  const all = elementCount(y.shape);
  if (width < 2 || width >= FEW || all === width) return pair;
  const isFull = ({ stride, shape }: Operand) => stride === undefined && elementCount(shape) === all;
  const rowOf = (operand: Operand) => {
    const { data, shape, stride } = operand as Operand & Pick<Tensor, "data">;
    return stride === undefined && shape.at(-1) === width && data?.length === bytes * width ? data : undefined;
  };
  const [left, right] = [rowOf(a), rowOf(b)];
  const row = isFull(a) ? right : isFull(b) ? left : undefined;
  if (row === undefined) return pair;
  let times = Math.floor(longest / width);
  while (times > 1 && ((all / width) % times !== 0 || (times * row.length) % VECTOR_BYTES !== 0)) times--;
  if (times < 2) return pair;
  const rows = new Uint8Array(times * row.length);
  for (let i = 0; i < times; i++) rows.set(row, i * row.length);
  const constant: Operand = { shape: [times * width], address: to.place(rows) };
  const shape = [all / (times * width), times * width];
  const full = ({ address }: Operand): Operand => ({ shape, address });
  const operands = row === right ? { a: full(a), b: constant } : { a: constant, b: full(b) };
  return { ...operands, y: full(y) };
}
