import type { Packing } from "../../primitives/requantize/types.ts";

/** Weights that several nodes read, as the time steps of an unrolled layer do, are packed once. */
const PACKED = new WeakMap<Uint8Array, Map<string, Packing>>();

/** What `pack` makes of a constant's bytes; `form` says all that it depends on besides. */
export function packedOnce(bytes: Uint8Array, form: string, pack: () => Packing): Packing {
  const forms = PACKED.get(bytes) ?? new Map<string, Packing>();
  const packed = forms.get(form) ?? pack();
  forms.set(form, packed);
  PACKED.set(bytes, forms);
  return packed;
}
