import { PARAMS } from "./table.ts";

export type BlockName = keyof typeof PARAMS;
type Name<F extends string> = F extends `${infer N}:f32` ? N : F;
type NamesOf<S extends string, Found extends string = never> = S extends `${infer F} ${infer Rest}`
  ? NamesOf<Rest, Found | Name<F>>
  : Found | Name<S>;
/** The values of a block: one number per field. */
export type ParamBlocks = {
  readonly [B in BlockName]: { readonly [F in NamesOf<(typeof PARAMS)[B]>]: number };
};
/** Where the windows of a convolution stand. */
export type PatchSizes = ParamBlocks["Patches"];
/** That, and what its images have in place of zero. */
export type Patches = PatchSizes & Pick<ParamBlocks["Conv2d"], "xZeroPoint">;

/** A block's fields in their order. */
export function fieldsOf(block: BlockName): readonly { readonly name: string; readonly isFloat: boolean }[] {
  return PARAMS[block].split(" ").map((field) => {
    const isFloat = field.endsWith(":f32");
    return { name: isFloat ? field.slice(0, -":f32".length) : field, isFloat };
  });
}

/** Whether a block has room for scratch, whose fields are set at last. */
export const hasScratch = (block: BlockName): boolean => fieldsOf(block).some(({ name }) => name === "scratch");

/** The bytes of a parameter block. */
export function paramBytes<B extends BlockName>(block: B, values: ParamBlocks[B]): Uint8Array {
  const fields = fieldsOf(block);
  const view = new DataView(new ArrayBuffer(fields.length * 4));
  for (const [i, { name, isFloat }] of fields.entries()) {
    const value = values[name as keyof ParamBlocks[B]] as number;
    if (isFloat) view.setFloat32(i * 4, value, true);
    else view.setInt32(i * 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
