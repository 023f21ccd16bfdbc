/** What threads need to know of a kernel call's parameter block. */
import { fieldsOf as fieldsOfBlock } from "../primitives/params.ts";
import { blockOf, type KernelCall } from "../primitives/registry.ts";
import type { PlanStep } from "./types.ts";

/** Parts of a step that may be cut anywhere: a multiple of every number of chunks that is wanted, nearly. */
const FREE = 2 ** 20;
/** Products whose parts share the columns of a single block: `assembly/product/gemm.simd.ts`. */
const BY_COLUMNS: ReadonlySet<string> = new Set(["gemm", "conv2d"]);
/** Columns beside whose products packing the rows takes a fiftieth. */
const COLUMNS = 80;

const names = /* @__PURE__ */ new Map<KernelCall["kernel"], readonly string[]>();

/** The field names of a call's block, in their order. */
export function fieldsOf({ kernel }: Pick<KernelCall, "kernel">): readonly string[] {
  const own = names.get(kernel);
  if (own !== undefined) return own;
  const block = blockOf(kernel);
  const fields = fieldsOfBlock(block).map(({ name }) => name);
  names.set(kernel, fields);
  return fields;
}

/** Into how many parts a call may be cut, how long its block is, and where its scratch stands in it. */
export function sharingOf(call: KernelCall): Pick<PlanStep, "parts" | "scratch"> {
  const fields = fieldsOf(call);
  const at = fields.indexOf("scratch");
  return { parts: partsOf(call), ...(at < 0 ? {} : { scratch: { at: at * 4, blockBytes: fields.length * 4 } }) };
}

/**
 * Parts that cost a product next to nothing besides: whole blocks of rows, because it widens its weights, or packs the rows
 * that kernels reach over, once for each block; columns where one block has all rows, and each part packs them. What walks
 * lists of steps is not cut.
 */
function partsOf(call: KernelCall): number {
  const { m = 0, n = 0, mBlock, outW }: Readonly<Record<string, number | undefined>> = call.params;
  if (fieldsOf(call).includes("steps0")) return 0;
  if (BY_COLUMNS.has(call.kernel) && mBlock && m <= mBlock) return Math.max(Math.floor(n / COLUMNS), 1);
  const rows = call.kernel === "directConv2d" ? m / (outW || 1) : m;
  return mBlock ? Math.max(Math.ceil(rows / mBlock), 1) : FREE;
}
