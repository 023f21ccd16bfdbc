import { PARAMS } from "./table.ts";

export { PARAMS } from "./table.ts";

export type BlockName = keyof typeof PARAMS;
/** The values of a block: one number per field. */
export type ParamBlocks = { readonly [B in BlockName]: { readonly [F in keyof (typeof PARAMS)[B]]: number } };

/** The bytes of a parameter block. */
export function paramBytes<B extends BlockName>(block: B, values: ParamBlocks[B]): Uint8Array {
  const fields = Object.entries(PARAMS[block]);
  const view = new DataView(new ArrayBuffer(fields.length * 4));
  for (const [i, [field, type]] of fields.entries()) {
    const value = values[field as keyof ParamBlocks[B]] as number;
    if (type === "f32") view.setFloat32(i * 4, value, true);
    else view.setInt32(i * 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
