/** B as the kernels read it: panels of eight columns, KR k's of a column together. */
import type { ModuleName } from "../modules.ts";
import type { Packer, Packing } from "../requantize/types.ts";

/** Columns of C in a panel, and k's interleaved per column, by module. The scalar module takes B as it is, [n][k]. */
export const NR = 8;
export const KR: { readonly [M in ModuleName]: number } = { scalar: 1, simd: 2, relaxed: 4 };

export function roundUp(n: number, to: number): number {
  return Math.ceil(n / to) * to;
}

/** The bytes themselves. */
export function bytesOf({ length, write }: Packing): Uint8Array {
  const bytes = new Uint8Array(length);
  write(bytes);
  return bytes;
}

/** B, int8 [n][k], as panels [n/8][k/KR][8][KR], zero beyond n and k. */
export function packPanels(module: ModuleName, b: Int8Array, n: number, k: number, packer: Packer): Packing {
  if (module === "scalar") return { length: b.length, write: (target) => target.set(b) };
  const kr = KR[module] as 2 | 4;
  return { length: roundUp(n, NR) * roundUp(k, kr), write: (target) => packer.packPanels(kr, b, n, k, target) };
}

/** Panels of KR bytes an element: whole elements move as one number, the last k's of a column byte by byte. */
export function interleave(kr: 2 | 4, b: Int8Array, n: number, k: number): Uint8Array {
  const Element = kr === 2 ? Int16Array : Int32Array;
  const depth = roundUp(k, kr);
  const packed = new Int8Array(roundUp(n, NR) * depth);
  const elements = new Element(packed.buffer);
  const aligned = k % kr === 0;
  const source = aligned ? new Element(b.slice().buffer) : new Element(depth / kr);
  const bytes = new Int8Array(source.buffer);
  const steps = depth / kr;
  for (let column = 0; column < n; column++) {
    if (!aligned) bytes.set(b.subarray(column * k, (column + 1) * k));
    let from = aligned ? column * steps : 0;
    let to = Math.floor(column / NR) * NR * steps + (column % NR);
    for (const end = from + steps; from < end; to += NR) elements[to] = source[from++] as number;
  }
  return new Uint8Array(packed.buffer);
}

/** Most columns that `gemvWide` with SIMD128 and `gemv` with relaxed take one by one, and k's of one of their steps. */
const FEW = 4;
const FEW_STEP = { simd: 8, relaxed: 16 };
/** k's from which that is faster than a panel. */
const LONG = 32;

/** B of few columns as they take it: int16 or int8 `[n][k]`, zeros up to a whole step; undefined where panels serve. */
export function packFew(module: ModuleName, b: Int8Array, n: number, k: number): Uint8Array | undefined {
  if (module === "scalar" || n > FEW || k < LONG) return undefined;
  const depth = roundUp(k, FEW_STEP[module]);
  const packed = new (module === "simd" ? Int16Array : Int8Array)(n * depth);
  for (let column = 0; column < n; column++) packed.set(b.subarray(column * k, (column + 1) * k), column * depth);
  return new Uint8Array(packed.buffer);
}

/** B for `gemvWide`: int16 panels, or in the scalar module three columns to an i64, [n/3][k]. */
export function packWide(module: ModuleName, b: Int8Array, n: number, k: number, packer: Packer): Uint8Array {
  if (module !== "scalar") {
    const panels = bytesOf(packPanels(module, b, n, k, packer));
    return new Uint8Array(Int16Array.from(new Int8Array(panels.buffer)).buffer);
  }
  const packed = new BigInt64Array(Math.ceil(n / 3) * k);
  const at = (column: number, i: number) => BigInt(column < n ? (b[column * k + i] as number) : 0);
  for (let triple = 0; triple * 3 < n; triple++)
    for (let i = 0; i < k; i++) {
      const c = triple * 3;
      packed[triple * k + i] = at(c, i) + (at(c + 1, i) << 21n) + (at(c + 2, i) << 42n);
    }
  return new Uint8Array(packed.buffer);
}
