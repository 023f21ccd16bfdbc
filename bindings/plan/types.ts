import type { Edition, ModuleName, WasmMemory } from "../primitives/modules.ts";
import type { KernelName } from "../primitives/registry.ts";
import type { DType } from "../tensor.ts";

/** Where the arena begins: the module's own constants lie below. */
export const ARENA_ADDRESS = 1024;
/** What every tensor, constant and parameter block is aligned to, in bytes. */
export const ALIGNMENT = 16;
/** Bytes of one entry of the step table: kernel number and parameter block address, u32 each. */
export const STEP_BYTES = 8;
/** What to do with a plan of another build. */
export const MAKE_AGAIN = "Make the plan again from the model with this version of pint8.";

/** An input or output: where it lies and what it means. */
export interface PlanPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** 0 where the tensor is not quantized. */
  readonly scale: number;
  readonly zeroPoint: number;
  readonly address: number;
  readonly bytes: number;
  /** Where a run leaves the number of elements, u32, where only the run can tell it; `shape` is a bound then. */
  readonly lengthAddress?: number;
}

/** One kernel call. */
export interface PlanStep {
  readonly kernel: KernelName;
  /** Address of the parameter block. */
  readonly params: number;
  /** The operator it came from, for example `node 3 (CONV_2D)`. */
  readonly where: string;
  /** What is worth saying of the kernel chosen. */
  readonly note: string;
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  /** Elements of the largest tensor of its operator that is not constant. */
  readonly elements: number;
  /** Bytes of packed weights and tables that it reads. */
  readonly bytes: number;
  /** Into how many parts threads may cut it; 0 where the caller does it alone. */
  readonly parts: number;
  /** Where its scratch's address stands in the parameter block, and the block's size, in bytes; absent where it has none. */
  readonly scratch?: { readonly at: number; readonly blockBytes: number };
}

/** Steps that other steps run: the list lies at `stepsAddress`. */
export interface StepList {
  readonly stepsAddress: number;
  readonly steps: readonly PlanStep[];
}

/** A user's operator, which the host runs before step `step`. */
export interface HostStep {
  readonly step: number;
  readonly name: string;
  /** Bytes of its options. */
  readonly options: readonly number[];
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
}

/** A range of memory. */
export interface Range {
  readonly address: number;
  readonly bytes: number;
}

/**
 * A network bound to one module. Memory, all addresses absolute and 16-byte aligned:
 *
 *     0        1024     imageAddress   scratchAddress
 *     │ module │ arena  │ image        │ scratch × threads
 *
 * The image holds variables, packed weights, tables, parameter blocks and the step table.
 */
export interface Plan {
  readonly module: ModuleName;
  /** The smallest edition of the module that has the plan's kernels. */
  readonly edition: Edition;
  /** SHA-256 of the module's code in hexadecimal: packed weights fit these kernels only. */
  readonly moduleHash: string;
  readonly arenaAddress: number;
  readonly arenaBytes: number;
  readonly imageAddress: number;
  readonly image: Uint8Array;
  readonly scratchAddress: number;
  /** Scratch of one thread; thread t's begins at `scratchAddress + t · scratchBytes`. */
  readonly scratchBytes: number;
  readonly stepsAddress: number;
  readonly steps: readonly PlanStep[];
  /** The lists that steps of control flow walk. */
  readonly bodies: readonly StepList[];
  /** What the host runs between steps, in order. */
  readonly hosts: readonly HostStep[];
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  /** State that lives from run to run; the image holds its start. */
  readonly variables: readonly Range[];
  /**
   * The image at its address already, in the memory of the one session that this plan was made for.
   *
   * @internal
   */
  readonly memory?: WasmMemory;
}

/** The next multiple of a power of two. */
export function align(value: number, to: number = ALIGNMENT): number {
  return Math.ceil(value / to) * to;
}

/** Bytes of a page of linear memory. */
export const PAGE_BYTES = 65536;

/** Bytes of linear memory that a session of this plan takes. */
export function memoryBytes(plan: Plan, threads: number): number {
  return align(plan.scratchAddress + threads * plan.scratchBytes, PAGE_BYTES);
}
