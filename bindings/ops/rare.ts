import * as control from "./control/index.ts";
import * as elementwise from "./elementwise/index.ts";
import { liteRounding } from "./liteRounding.ts";
import * as move from "./move/index.ts";
import { opening } from "./open/index.ts";
import * as pool from "./pool/index.ts";
import * as product from "./product/index.ts";
import * as recurrent from "./recurrent/index.ts";
import * as signal from "./signal/index.ts";
import * as sort from "./sort/index.ts";
import * as table from "./table/index.ts";

/** What these have in common with others is in one file of the package. */
export { often } from "./often.ts";

/** All operators but the ordinary ones, by their kinds, and what open sizes, products of rarer types and networks that TFLite Micro refuses need; each family lists its own. They are loaded when a network has one. */
export const rare = {
  ...control,
  ...elementwise,
  liteRounding,
  ...move,
  opening,
  ...pool,
  ...product,
  ...recurrent,
  ...signal,
  ...sort,
  ...table,
};
