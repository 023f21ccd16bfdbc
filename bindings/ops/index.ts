import { ordinary } from "./ordinary.ts";
import { rare } from "./rare.ts";
import type { Operators } from "./types.ts";

/** Every operator by its kind, and what not every network needs beside them. */
export const operators: Operators = { ...ordinary, ...rare };
