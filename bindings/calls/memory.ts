import { ensure } from "../errors.ts";
import { ARENA_ADDRESS, align } from "../plan/types.ts";

/** What was allocated since a mark, until it is released. */
export interface Region {
  readonly live: boolean;
}

/** A stack of regions in one memory that never grows, so views of it stay valid. */
export interface Stack {
  /** Bytes in use, the module's own constants included. */
  readonly used: number;
  /** The region that is being filled. */
  readonly region: Region;
  /** Address of this many bytes, 16-byte aligned; OUT_OF_MEMORY where they do not fit. */
  allocate(bytes: number, what: string): number;
  /** Address of scratch that calls share, as they run one after another. */
  scratch(bytes: number): number;
  /** Opens a region. */
  mark(): Region;
  /** Frees a region and those opened after it. */
  release(region: Region): void;
  /** Frees everything. */
  reset(): void;
}

interface Entry {
  live: boolean;
  readonly start: number;
  scratch: { readonly address: number; readonly bytes: number };
}

/** The stack of a memory of `size` bytes. */
export function createStack(size: number): Stack {
  let top = ARENA_ADDRESS;
  let entries: Entry[] = [];
  const last = () => entries[entries.length - 1] as Entry;
  const open = (): Entry => {
    const scratch = entries.length > 0 ? last().scratch : { address: top, bytes: 0 };
    const entry = { live: true, start: top, scratch };
    entries.push(entry);
    return entry;
  };
  const close = (count: number) => {
    for (const entry of entries.slice(count)) entry.live = false;
    top = (entries[count] as Entry).start;
    entries = entries.slice(0, count);
    if (count === 0) open();
  };
  const allocate = (bytes: number, what: string) => {
    const address = align(top);
    ensure(address + bytes <= size, "OUT_OF_MEMORY", () => ({
      where: what,
      expected: `at most ${Math.max(0, size - address)} bytes, which are left of ${size}`,
      received: `${bytes} bytes`,
      hint: "Give createKernels more pages, or release what is no longer needed.",
    }));
    top = address + bytes;
    return address;
  };
  open();
  return {
    get used() {
      return top;
    },
    get region() {
      return last();
    },
    allocate,
    scratch(bytes) {
      const entry = last();
      if (entry.scratch.bytes < bytes) entry.scratch = { address: allocate(bytes, "scratch"), bytes };
      return entry.scratch.address;
    },
    mark: open,
    release(region) {
      const index = entries.indexOf(region as Entry);
      ensure(index > 0, "CLOSED", () => ({
        where: "release",
        expected: "a mark that is still open",
        received: "one that was released, or of other kernels",
      }));
      close(index);
    },
    reset: () => close(0),
  };
}
