import type { WasmMemory } from "../primitives/modules.ts";
import { bytesOf as packed } from "../primitives/product/panels.ts";
import type { Packing } from "../primitives/requantize/types.ts";
import { align, PAGE_BYTES } from "./types.ts";

/** Bytes that are placed once, at planning time. */
export interface Image {
  /** Puts bytes into the image and returns their address; equal bytes are shared. */
  place(bytes: Uint8Array | Packing): number;
  /** Takes memory for so many bytes more, which then stays where it is until this is called again. */
  reserve(bytes: number): ArrayBuffer | undefined;
  /** The same, for bytes that kernels will change: never shared. */
  placeOwn(bytes: Uint8Array): number;
  /** Bytes so far, a multiple of 16. */
  size(): number;
  /** The image itself. */
  bytes(): Uint8Array;
  /** The memory that it stands in, at its address, where it was asked for one. */
  memory(): WasmMemory | undefined;
}

/** Chunks that images of several plans have in common, each once. */
interface Pool {
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

/** What images are made with. */
export interface ImageOptions {
  /** What chunks are those of where it has equal ones. */
  readonly pool?: Pool | undefined;
  /** Who takes or grows a memory that the image is put into at once, chunk by chunk, where nobody needs its bytes by themselves. */
  readonly reach?: Reach | undefined;
  /** The file of the graph's constants, whose memory becomes the image's. */
  readonly resting?: Resting | undefined;
}

/** A file that was read to the beginning of a memory, and can be read again. */
export interface Resting {
  readonly memory: WasmMemory;
  /** Bytes of the file from a place on. Errors: IO. */
  read(at: number, target: Uint8Array): void;
}

/** Memory of so many bytes at least, rounded up to pages: this one grown, or a new one. Errors: OUT_OF_MEMORY. */
type Reach = (bytes: number, memory?: WasmMemory) => WasmMemory;

/** Memory grows by this share of it at least: engines that cannot enlarge it where it stands copy all of it. */
const GROWTH = 1 / 8;
/** What is packed has it grow in smaller steps: half of what a session takes as spare. */
const STEP = 1 / 32;

/** An image that will lie at `address`. */
export function createImage(address: number, { pool, reach, resting }: ImageOptions = {}): Image {
  const chunks: { readonly offset: number; readonly length: number; bytes: Uint8Array | undefined }[] = [];
  const byHash = new Map<number, (typeof chunks)[number][]>();
  /** Addresses of the very bytes and packings that were placed. */
  const known = new WeakMap<Uint8Array | Packing, number>();
  let size = 0;
  let memory = resting?.memory;
  /** Chunks and bytes that stand in memory. */
  let written = 0;
  let writtenBytes = 0;
  /** Whether memory must stay as large as it is. */
  let isHeld = false;

  const placeOwn = (bytes: Uint8Array) => append(bytes).offset + address;
  const append = (bytes: Uint8Array) => {
    const chunk = { offset: size, length: bytes.length, bytes };
    chunks.push(chunk);
    size = align(size + bytes.length);
    const waits = size - writtenBytes < Math.max(PAGE_BYTES, (address + size) * GROWTH);
    if (hasRoom(0) || (reach !== undefined && !isHeld && !waits)) write();
    return chunk;
  };
  const hasRoom = (bytes: number) => memory !== undefined && address + size + bytes <= memory.buffer.byteLength;
  const write = (more = 0) => {
    if (!hasRoom(more)) memory = reach?.(address + size + more, memory);
    if (memory === undefined) return memory;
    const all = new Uint8Array(memory.buffer, address);
    for (; written < chunks.length; written++) {
      const chunk = chunks[written] as (typeof chunks)[number];
      if (chunk.bytes?.buffer !== memory.buffer) all.set(chunk.bytes as Uint8Array, chunk.offset);
      chunk.bytes = undefined;
    }
    writtenBytes = size;
    return memory;
  };
  const reserve = (bytes: number) => {
    isHeld = true;
    return write(bytes)?.buffer;
  };
  const bytesOf = ({ offset, length, bytes }: (typeof chunks)[number]) =>
    bytes ?? new Uint8Array((memory as WebAssembly.Memory).buffer, address + offset, length);
  const place = (bytes: Uint8Array | Packing) => {
    const at = known.get(bytes) ?? (bytes instanceof Uint8Array ? placeShared(bytes) : placePacking(bytes));
    known.set(bytes, at);
    return at;
  };
  /** Written where it would stand, which is right unless the same stands elsewhere. */
  const placePacking = (packing: Packing) => {
    const { length } = packing;
    if (hasRoom(length)) write();
    else if (reach === undefined || isHeld) return placeShared(packed(packing));
    else write(Math.max(length, (address + size) * STEP));
    const bytes = new Uint8Array((memory as WebAssembly.Memory).buffer, address + size, length);
    packing.write(bytes);
    const at = placeShared(bytes);
    if (at !== address + size - align(length)) bytes.fill(0);
    return at;
  };
  const placeShared = (bytes: Uint8Array) => {
    const hash = hashOf(bytes);
    const alike = byHash.get(hash) ?? [];
    const shared = alike.find((chunk) => equal(bytesOf(chunk), bytes));
    if (shared !== undefined) return shared.offset + address;
    const chunk = append(pool?.keep(bytes) ?? bytes);
    byHash.set(hash, [...alike, chunk]);
    return chunk.offset + address;
  };
  const bytes = () => {
    const image = new Uint8Array(size);
    for (const chunk of chunks) image.set(bytesOf(chunk), chunk.offset);
    return image;
  };
  return { place, placeOwn, reserve, size: () => size, bytes, memory: write };
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
  const words = (a.byteOffset | b.byteOffset) % 4 === 0 ? a.length >> 2 : 0;
  const [x, y] = [a, b].map((each) => new Int32Array(each.buffer, words && each.byteOffset, words)) as [
    Int32Array,
    Int32Array,
  ];
  for (let i = 0; i < words; i++) if (x[i] !== y[i]) return false;
  for (let i = 4 * words; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
