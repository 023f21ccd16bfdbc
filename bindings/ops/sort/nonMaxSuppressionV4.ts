import { suppressionOperator } from "./suppression.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly nonMaxSuppressionV4: Record<never, never>;
  }
}

/** The best boxes without those that overlap them. C1–C4: see `suppressionOperator`. */
export const nonMaxSuppressionV4 = suppressionOperator("nonMaxSuppressionV4");
