import { align } from "./types.ts";

/** Bytes that are placed once, at planning time. */
export interface Image {
  /** Puts bytes into the image and returns their address; equal bytes are shared. */
  place(bytes: Uint8Array): number;
  /** The same, for bytes that kernels will change: never shared. */
  placeOwn(bytes: Uint8Array): number;
  /** Bytes so far, a multiple of 16. */
  size(): number;
  /** The image itself. */
  bytes(): Uint8Array;
}

/** An image that will lie at `address`. */
export function createImage(address: number): Image {
  const chunks: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  const byHash = new Map<number, (typeof chunks)[number][]>();
  let size = 0;

  const placeOwn = (bytes: Uint8Array) => append(bytes).offset + address;
  const append = (bytes: Uint8Array) => {
    const chunk = { offset: size, bytes };
    chunks.push(chunk);
    size = align(size + bytes.length);
    return chunk;
  };
  const place = (bytes: Uint8Array) => {
    const hash = hashOf(bytes);
    const alike = byHash.get(hash) ?? [];
    const shared = alike.find((chunk) => equal(chunk.bytes, bytes));
    if (shared !== undefined) return shared.offset + address;
    const chunk = append(bytes);
    byHash.set(hash, [...alike, chunk]);
    return chunk.offset + address;
  };
  const bytes = () => {
    const image = new Uint8Array(size);
    for (const chunk of chunks) image.set(chunk.bytes, chunk.offset);
    return image;
  };
  return { place, placeOwn, size: () => size, bytes };
}

/** FNV-1a over the length and up to some 1024 spread bytes: enough to tell chunks apart before they are compared. */
function hashOf(bytes: Uint8Array): number {
  const stride = Math.max(1, Math.floor(bytes.length / 1024));
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let i = 0; i < bytes.length; i += stride) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
