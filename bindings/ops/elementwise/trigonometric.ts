import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

/** Functions of angles and their inverses, but for sine and cosine, which have operators of their own. */
type Trigonometric = "tan" | "asin" | "acos" | "sinh" | "cosh" | "asinh" | "acosh" | "atanh";

declare module "../../graph.ts" {
  interface Attributes {
    readonly trigonometric: { readonly form: Trigonometric };
  }
}

/** One of these functions, float32. C1, C2: see `unary`. */
export const trigonometric: Operator<"trigonometric"> = unary({
  real: ({ attributes }) => ({ form: attributes.form }),
});
