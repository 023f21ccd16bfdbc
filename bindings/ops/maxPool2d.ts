import { poolOperator } from "./pooling.ts";

/** Maximum of each window. C1–C8: see `poolOperator`. */
export const maxPool2d = poolOperator<"maxPool2d">("maxPool");
