import type { Edition } from "./modules.ts";
import type { ParamBlocks } from "./params.ts";
import { KERNELS, type KernelRows } from "./table.ts";

/** Name, parameter block and edition of a kernel. */
type KernelRow = KernelRows[number];
export type KernelName = KernelRow[0];
type BlockOf<K extends KernelName> = Extract<KernelRow, readonly [K, string, Edition]>[1];

/** One kernel with the values of its parameter block. */
export type KernelCall = {
  readonly [K in KernelName]: {
    readonly kernel: K;
    readonly params: ParamBlocks[BlockOf<K>];
    /** What `inspect` and `bench --profile` say of the choice, for example `gemm 4x8c2`. */
    readonly note?: string;
  };
}[KernelName];

let rows: readonly KernelRow[] | undefined;
let numbers: ReadonlyMap<string, number> | undefined;

/** Every kernel by its number. */
export function kernelRows(): readonly KernelRow[] {
  rows ??= KERNELS.split("\n").map((line) => line.split(" ") as unknown as KernelRow);
  return rows;
}

/** The kernel's number in a step list. */
export function kernelNumber(name: KernelName): number {
  numbers ??= new Map(kernelRows().map(([kernel], number) => [kernel, number]));
  return numbers.get(name) ?? -1;
}

/** The kernel's parameter block. */
export const blockOf = (name: KernelName): KernelRow[1] => (kernelRows()[kernelNumber(name)] as KernelRow)[1];

/** The smallest edition of the modules that has all these kernels; no operator lowers to those of training. */
export function editionOf(names: Iterable<KernelName>): Edition {
  for (const name of names) if (kernelRows()[kernelNumber(name)]?.[2] === ("full" as Edition)) return "full";
  return "core";
}
