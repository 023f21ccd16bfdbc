import type { DType } from "../tensor.ts";

/** An input or output as the command line sees it; a session's and a plan's ports both fit. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** 0 where the tensor is not quantized. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/** `name int8 [1,28,28,1]`. */
export function portText({ name, dtype, shape }: Port): string {
  return `"${name}" ${dtype} [${shape.join(",")}]`;
}
