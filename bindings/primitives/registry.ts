import type { Edition } from "./modules.ts";
import type { ParamBlocks } from "./params.ts";
import { KERNELS } from "./table.ts";

export { KERNELS } from "./table.ts";

export type KernelName = (typeof KERNELS)[number][0];
type BlockOf<K extends KernelName> = Extract<(typeof KERNELS)[number], readonly [K, string, Edition]>[1];

/** One kernel with the values of its parameter block. */
export type KernelCall = {
  readonly [K in KernelName]: {
    readonly kernel: K;
    readonly params: ParamBlocks[BlockOf<K>];
    /** What `inspect` and `bench --profile` say of the choice, for example `gemm 4x8c2`. */
    readonly note?: string;
  };
}[KernelName];

const numbers = /* @__PURE__ */ new Map<KernelName, number>();

/** The kernel's number in a step list. */
export function kernelNumber(name: KernelName): number {
  const own = numbers.get(name) ?? KERNELS.findIndex(([kernel]) => kernel === name);
  numbers.set(name, own);
  return own;
}

/** The smallest edition of the modules that has all these kernels; no operator lowers to those of training. */
export function editionOf(names: Iterable<KernelName>): Edition {
  for (const name of names) if (KERNELS[kernelNumber(name)]?.[2] === ("full" as Edition)) return "full";
  return "core";
}
