/** What inspecting a model gives. */
import type { PlanPort } from "./plan/types.ts";
import type { ModuleName } from "./primitives/modules.ts";
import type { DType } from "./tensor.ts";

/** One tensor of an operator. */
export interface TensorReport {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** One entry per tensor, or one per channel along `axis`; empty where it is not quantized. */
  readonly scale: readonly number[];
  /** As many as scales. */
  readonly zeroPoint: readonly number[];
  /** The dimension whose slices have scales of their own. */
  readonly axis: number;
  /** Whether the model has its value. */
  readonly constant: boolean;
}

/** One operator of the model as it is in the file, in its order. */
export interface OperatorReport {
  /** `node 3 (CONV_2D)`. */
  readonly where: string;
  /** In camel case, as in `conv2d`; the format's own name where pint8 does not know it, and a kernel's of a plan. */
  readonly kind: string;
  readonly inputs: readonly TensorReport[];
  readonly outputs: readonly TensorReport[];
  readonly attributes: { readonly [name: string]: unknown };
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  /** Bytes of its constants in the model. */
  readonly weightBytes: number;
  /** Share of zeros in its int8 weights, 0 to 1. */
  readonly sparsity: number;
  /** The kernels that run it, with their notes; empty where it costs nothing. */
  readonly kernels: readonly string[];
  /** Why it does not run here; empty where it does. */
  readonly refusal: string;
}

/** What a run takes in all. */
export interface Totals {
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  /** Bytes of constants in the model. */
  readonly weightBytes: number;
  /** Zeros among all int8 weights, 0 to 1. */
  readonly sparsity: number;
  /** Bytes of inputs, activations and outputs. */
  readonly arenaBytes: number;
  /** Bytes of packed weights, tables, parameters and variables. */
  readonly imageBytes: number;
  /** Bytes that kernels work in, for each thread. */
  readonly scratchBytes: number;
  /** Linear memory of a session with one thread. */
  readonly memoryBytes: number;
}

/** What `pint8 inspect` says, as one JSON object. */
export interface Inspection {
  readonly name: string;
  readonly module: ModuleName;
  /** Names of all its signatures, of which the option `signature` chooses one. */
  readonly signatures: readonly string[];
  readonly inputs: readonly Omit<PlanPort, "address">[];
  readonly outputs: readonly Omit<PlanPort, "address">[];
  readonly operators: readonly OperatorReport[];
  readonly totals: Totals;
  /** Why the model does not run here, as `loadModel` would say it; empty where it does. */
  readonly refusal: string;
}
