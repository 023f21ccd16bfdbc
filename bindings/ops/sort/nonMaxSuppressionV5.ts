import { suppressionOperator } from "./suppression.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly nonMaxSuppressionV5: Record<never, never>;
  }
}

/** The best boxes without those that overlap them, scores falling where they do. C1–C4: see `suppressionOperator`. */
export const nonMaxSuppressionV5 = suppressionOperator("nonMaxSuppressionV5");
