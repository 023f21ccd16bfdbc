import type { TensorInfo } from "./types.ts";

/** An input or output; a session's and a plan's ports both fit. */
export type Port = TensorInfo;

/** `"name" int8 [1,28,28,1]`. */
export function portText({ name, dtype, shape }: Port): string {
  return `"${name}" ${dtype} [${shape.join(",")}]`;
}
