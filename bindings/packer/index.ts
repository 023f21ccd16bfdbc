/** The packer: a small module that the scripts have inside. */
import { roundUp } from "../primitives/product/panels.ts";
import { packer as inJavaScript } from "../primitives/requantize/packer.ts";
import type { Packer } from "../primitives/requantize/types.ts";
import { PACKER } from "./bytes.ts";

/** Columns of a panel, and bytes of a page of wasm memory. */
const PANEL = 8;
const PAGE = 65536;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Whatever makes plans fastest here: the module, or JavaScript where the engine has no SIMD or compiles nothing while it runs.
 * Plans are the same.
 */
export async function loadPacker(): Promise<Packer> {
  try {
    compiled ??= WebAssembly.compile(bytesOf(atob(PACKER)));
    const { exports } = await WebAssembly.instantiate(await compiled);
    return wasmPacker(exports as unknown as PackerExports);
  } catch {
    return inJavaScript;
  }
}

/** A loop: it runs once, before engines have made anything of it, and `from` calls a function for each. */
function bytesOf(letters: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Rules by the numbers of `assembly/packer/proof.ts`. */
const RULES = ["positive", "signed", "onnx", "once"] as const;

/** What packer.wasm exports; see `assembly/packer.ts`. */
interface PackerExports {
  readonly memory: WebAssembly.Memory;
  /** First free address. */
  readonly HEAP: WebAssembly.Global;
  readonly prove: (
    rule: number,
    n: number,
    multiplier: number,
    shift: number,
    min: number,
    max: number,
    lo: number,
    hi: number,
    zeroPoint: number,
    scale: number,
    offset: number,
  ) => void;
  readonly sumRows: (weights: number, n: number, k: number, sum: number, size: number) => number;
  readonly packPanels: (target: number, weights: number, n: number, k: number, kr: number) => void;
}

/** Bytes of weights that the packer's memory takes at a time. */
const PIECE = 28 * 1024;

/** n rows of k bytes in pieces of whole panels: the first of each, and how many. */
function pieces(n: number, k: number): readonly (readonly [number, number])[] {
  const most = Math.max(1, Math.floor(PIECE / PANEL / k)) * PANEL;
  const found: [number, number][] = [];
  for (let first = 0; first < n; first += most) found.push([first, Math.min(most, n - first)]);
  return found;
}

/** The packer by these exports, whose memory holds the arguments of one call. */
function wasmPacker({ memory, HEAP, ...functions }: PackerExports): Packer {
  /** Addresses of arrays of these byte lengths, and the memory they stand in, grown where it must. */
  const reserve = <const L extends readonly number[]>(...lengths: L) => {
    let end = HEAP.value as number;
    const addresses = lengths.map((length) => {
      const at = end;
      end += roundUp(length, 16);
      return at;
    }) as unknown as L;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return { buffer: memory.buffer, addresses };
  };
  return {
    prove(form, { bias, scale, multiplier, shift, min, max }, { lo, hi, zeroPoint }) {
      const n = bias.length;
      const { buffer, addresses } = reserve(n * 4, n * 4, n * 8, n * 8, n * 4, n * 4);
      const [m, s, least, most, a, b] = addresses;
      new Int32Array(buffer, m, n).set(scale ? new Int32Array(scale.buffer, scale.byteOffset, n) : multiplier);
      new Int32Array(buffer, s, n).set(shift);
      new Float64Array(buffer, least, n).set(min);
      new Float64Array(buffer, most, n).set(max);
      functions.prove(RULES.indexOf(form), n, m, s, least, most, lo, hi, zeroPoint, a, b);
      return { a: new Float32Array(buffer, a, n).slice(), b: new Float32Array(buffer, b, n).slice() };
    },
    sumRows(data, n, k) {
      const sum = new Int32Array(n);
      const size = new Int32Array(n);
      let zeros = 0;
      for (const [first, rows] of pieces(n, k)) {
        const { buffer, addresses } = reserve(rows * k, rows * 4, rows * 4);
        const [weights, sums, sizes] = addresses;
        new Int8Array(buffer, weights).set(data.subarray(first * k, (first + rows) * k));
        zeros += functions.sumRows(weights, rows, k, sums, sizes);
        sum.set(new Int32Array(buffer, sums, rows), first);
        size.set(new Int32Array(buffer, sizes, rows), first);
      }
      return { sum, size, zeros };
    },
    packPanels(kr, data, n, k, panels) {
      if (k % kr !== 0) return inJavaScript.packPanels(kr, data, n, k, panels);
      for (const [first, rows] of pieces(n, k)) {
        const bytes = roundUp(rows, PANEL) * k;
        const { buffer, addresses } = reserve(rows * k, bytes);
        const [weights, target] = addresses;
        new Int8Array(buffer, weights).set(data.subarray(first * k, (first + rows) * k));
        const packed = new Uint8Array(buffer, target, bytes);
        if (rows % PANEL > 0) packed.fill(0, bytes - PANEL * k);
        functions.packPanels(target, weights, rows, k, kr);
        panels.set(packed, first * k);
      }
    },
  };
}
