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

/** Chunks that images of several plans have in common, each once. */
export interface Pool {
  /** The bytes themselves, or equal ones that it had before. */
  keep(bytes: Uint8Array): Uint8Array;
}

/** Bytes from which on a chunk is worth looking for. */
const POOLED_BYTES = 1024;

/** A pool that holds what plans hold on to, and no more. */
export function createPool(): Pool {
  const byHash = new Map<number, WeakRef<Uint8Array>[]>();
  return {
    keep(bytes) {
      if (bytes.length < POOLED_BYTES) return bytes;
      const hash = hashOf(bytes);
      const alike = (byHash.get(hash) ?? []).filter((each) => each.deref() !== undefined);
      const shared = alike.map((each) => each.deref()).find((each) => each !== undefined && equal(each, bytes));
      if (shared !== undefined) return shared;
      byHash.set(hash, [...alike, new WeakRef(bytes)]);
      return bytes;
    },
  };
}

/** An image that will lie at `address`; its chunks are those of the pool where there is one. */
export function createImage(address: number, pool?: Pool): Image {
  const chunks: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  const byHash = new Map<number, (typeof chunks)[number][]>();
  /** Addresses of the very bytes that were placed. */
  const known = new WeakMap<Uint8Array, number>();
  let size = 0;

  const placeOwn = (bytes: Uint8Array) => append(bytes).offset + address;
  const append = (bytes: Uint8Array) => {
    const chunk = { offset: size, bytes };
    chunks.push(chunk);
    size = align(size + bytes.length);
    return chunk;
  };
  const place = (bytes: Uint8Array) => {
    const at = known.get(bytes) ?? placeShared(bytes);
    known.set(bytes, at);
    return at;
  };
  const placeShared = (bytes: Uint8Array) => {
    const hash = hashOf(bytes);
    const alike = byHash.get(hash) ?? [];
    const shared = alike.find((chunk) => equal(chunk.bytes, bytes));
    if (shared !== undefined) return shared.offset + address;
    const chunk = append(pool?.keep(bytes) ?? bytes);
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

/** FNV-1a over the length and up to some 256 spread bytes: enough to tell chunks apart before they are compared. */
function hashOf(bytes: Uint8Array): number {
  const stride = Math.max(1, Math.floor(bytes.length / 256));
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let i = 0; i < bytes.length; i += stride) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
