import type { Activation, Padding } from "../../graph.ts";
import { poolOperator } from "./pooling.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly averagePool2d: {
      readonly filter: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly padding: Padding;
      readonly activation: Activation;
      /** Of float32: what is added up first; rows where it is not said. */
      readonly order?: "columns";
    };
  }
}

/** Mean of each window, padding not counted, rounded half away from zero. C1–C8: see `poolOperator`. */
export const averagePool2d = poolOperator("averagePool2d");
