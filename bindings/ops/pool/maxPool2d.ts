import { poolOperator } from "./pooling.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly maxPool2d: Attributes["averagePool2d"];
  }
}

/** Maximum of each window. C1–C8: see `poolOperator`. */
export const maxPool2d = poolOperator("maxPool2d");
