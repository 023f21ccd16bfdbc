import { suppressionOperator } from "./suppression.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** `inOrder`: of equal scores the first box comes first. */
    readonly nonMaxSuppressionV4: { readonly inOrder?: true };
  }
}

/** The best boxes without those that overlap them. C1–C4: see `suppressionOperator`. */
export const nonMaxSuppressionV4 = suppressionOperator("nonMaxSuppressionV4");
