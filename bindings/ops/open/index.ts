/** Tensors whose sizes only a run can tell, in terms of operators that know theirs. */
import type { Opening } from "../types.ts";
import { watched } from "./bounded.ts";
import { flattened } from "./flattened.ts";
import { openRows, withoutOpenSizes } from "./open.ts";
import { foldMoved } from "./origins.ts";

export const opening: Opening = { flattened, openRows, withoutOpenSizes, foldMoved, watched };
