/** Operators that the user brings: they run on the host, between two stretches of steps. */
import { portAffine, type TensorType } from "../../tensor.ts";
import { constrain } from "../constraints.ts";
import type { Operator, Placed } from "../types.ts";

/** What `infer` of a user's operator sees of an input. */
export interface CustomTensor extends TensorType {
  readonly name: string;
  /** `real = scale · (q − zeroPoint)`; 0 where the tensor is not quantized. */
  readonly scale: number;
  readonly zeroPoint: number;
  /** Little-endian bytes of a constant. */
  readonly data?: Uint8Array;
}

/** Types of a user's operator's outputs, by its inputs and the bytes of its options. */
export type CustomInfer = (inputs: readonly CustomTensor[], options: Uint8Array) => readonly TensorType[];

declare module "../../graph.ts" {
  interface Attributes {
    /** Any number of inputs and outputs. */
    readonly custom: { readonly name: string; readonly options: Uint8Array; readonly infer: CustomInfer };
  }
}

/** C1: its own `infer` gives the type of every output. */
export const custom: Operator<"custom"> = {
  infer(node) {
    const { infer, options } = node.attributes;
    const inputs = node.inputs.flatMap((tensor) => {
      if (tensor === undefined) return [];
      const { name, dtype, shape, data, variable } = tensor;
      return [
        {
          name,
          dtype,
          shape,
          ...portAffine(tensor),
          ...(data !== undefined && !variable && { data }),
        },
      ];
    });
    const types = infer(inputs, options);
    constrain(node, "C1", Array.isArray(types) && types.length === node.outputs.length, () => ({
      expected: `${node.outputs.length} types from infer of "${node.attributes.name}"`,
      received: `${types?.length}`,
    }));
    return types.map(({ dtype, shape }) => ({ dtype, shape: [...shape] }));
  },
  lower(node, to) {
    const inputs = to.inputs.filter((tensor): tensor is Placed => tensor !== undefined);
    const { name, options } = node.attributes;
    to.host?.({ name, options: [...options], inputs, outputs: to.outputs });
  },
};
