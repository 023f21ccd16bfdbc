/** Weights that several nodes read, as the time steps of an unrolled layer do, are packed once. */
const PACKED = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

/** What `pack` makes of a constant's bytes; `form` says all that it depends on besides. */
export function packedOnce(bytes: Uint8Array, form: string, pack: () => Uint8Array): Uint8Array {
  const forms = PACKED.get(bytes) ?? new Map<string, Uint8Array>();
  const packed = forms.get(form) ?? pack();
  forms.set(form, packed);
  PACKED.set(bytes, forms);
  return packed;
}
