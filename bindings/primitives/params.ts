import { PARAMS, type Params } from "./table.ts";

type BlockName = keyof Params;
type Name<F extends string> = F extends `${infer N}:f32` ? N : F;
type NamesOf<S extends string, Found extends string = never> = S extends `${infer F} ${infer Rest}`
  ? NamesOf<Rest, Found | Name<F>>
  : Found | Name<S>;
/** The values of a block: one number per field. */
export type ParamBlocks = {
  readonly [B in BlockName]: { readonly [F in NamesOf<Params[B]>]: number };
};
/** Where the windows of a convolution stand. */
export type PatchSizes = ParamBlocks["Patches"];
/** That, and what its images have in place of zero. */
export type Patches = PatchSizes & Pick<ParamBlocks["Conv2d"], "xZeroPoint">;

/** What was read of the table. */
const known = /* @__PURE__ */ new Map<BlockName, readonly { readonly name: string; readonly isFloat: boolean }[]>();

/** A block's fields in their order. */
export function fieldsOf(block: BlockName): readonly { readonly name: string; readonly isFloat: boolean }[] {
  const own = known.get(block);
  if (own !== undefined) return own;
  const at = PARAMS.indexOf(`\n${block} `) + block.length + 2;
  const fields = PARAMS.slice(at, PARAMS.indexOf("\n", at))
    .split(" ")
    .map((field) => {
      const isFloat = field.endsWith(":f32");
      return { name: isFloat ? field.slice(0, -":f32".length) : field, isFloat };
    });
  known.set(block, fields);
  return fields;
}

/** Whether a block has room for scratch, whose fields are set at last. */
export const hasScratch = (block: BlockName): boolean => fieldsOf(block).some(({ name }) => name === "scratch");

/** The bytes of a parameter block. */
export function paramBytes<B extends BlockName>(block: B, values: ParamBlocks[B]): Uint8Array {
  const fields = fieldsOf(block);
  const view = new DataView(new ArrayBuffer(fields.length * 4));
  for (let i = 0; i < fields.length; i++) {
    const { name, isFloat } = fields[i] as (typeof fields)[number];
    const value = values[name as keyof ParamBlocks[B]] as number;
    if (isFloat) view.setFloat32(i * 4, value, true);
    else view.setInt32(i * 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
