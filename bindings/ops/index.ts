import * as control from "./control/index.ts";
import * as depthwise from "./depthwise/index.ts";
import * as elementwise from "./elementwise/index.ts";
import * as move from "./move/index.ts";
import * as pool from "./pool/index.ts";
import * as product from "./product/index.ts";
import * as recurrent from "./recurrent/index.ts";
import * as resize from "./resize/index.ts";
import * as signal from "./signal/index.ts";
import * as sort from "./sort/index.ts";
import * as table from "./table/index.ts";
import type { Operators } from "./types.ts";

/** Every operator by its kind; each family lists its own. */
export const operators: Operators = {
  ...control,
  ...depthwise,
  ...elementwise,
  ...move,
  ...pool,
  ...product,
  ...recurrent,
  ...resize,
  ...signal,
  ...sort,
  ...table,
};
