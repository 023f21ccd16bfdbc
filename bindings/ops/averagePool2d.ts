import { poolOperator } from "./pooling.ts";

/** Mean of each window, padding not counted, rounded half away from zero. C1–C8: see `poolOperator`. */
export const averagePool2d = poolOperator<"averagePool2d">("averagePool");
