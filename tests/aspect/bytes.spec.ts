import { copyBytes, fillElements } from "../../assembly/common/bytes";
import { share } from "../../assembly/common/split";

const GUARD: u8 = 0xa5;

/** The address 16 bytes into memory full of GUARD. It is outside the garbage collector's reach, and never freed. */
function guarded(bytes: u32): usize {
  const address = heap.alloc(bytes + 32);
  memory.fill(address, GUARD, bytes + 32);
  return address + 16;
}

/** Whether the 16 bytes on both sides of [address, address + bytes) still hold GUARD. */
function untouched(address: usize, bytes: u32): bool {
  for (let i: usize = 0; i < 16; i++)
    if (load<u8>(address - 16 + i) != GUARD || load<u8>(address + bytes + i) != GUARD) return false;
  return true;
}

describe("copyBytes", () => {
  it("copies every length from every alignment, and nothing beside it", () => {
    const x = guarded(64);
    for (let i: usize = 0; i < 64; i++) store<u8>(x + i, <u8>(i * 7 + 1));
    for (let count: u32 = 0; count <= 40; count++)
      for (let from: usize = 0; from < 8; from++) {
        const y = guarded(count);
        copyBytes(y, x + from, count);
        let wrong = untouched(y, count) ? 0 : 1;
        for (let i: usize = 0; i < count; i++) if (load<u8>(y + i) != load<u8>(x + from + i)) wrong++;
        expect<i32>(wrong).toBe(0, count.toString() + " bytes from " + from.toString());
      }
  });
});

describe("fillElements", () => {
  it("repeats elements of 1, 2, 4, 8 and 16 bytes, and writes nothing beside them", () => {
    const value = guarded(16);
    for (let i: usize = 0; i < 16; i++) store<u8>(value + i, <u8>(i + 1));
    for (let size: u32 = 1; size <= 16; size <<= 1)
      for (let elements: u32 = 0; elements <= 20; elements++) {
        const bytes = size * elements;
        const y = guarded(bytes);
        fillElements(y, y + bytes, value, size);
        let wrong = untouched(y, bytes) ? 0 : 1;
        for (let i: u32 = 0; i < bytes; i++) if (load<u8>(y + i) != <u8>((i % size) + 1)) wrong++;
        expect<i32>(wrong).toBe(0, elements.toString() + " elements of " + size.toString());
      }
  });
});

describe("share", () => {
  it("gives each step to one part, and no part more than one above another", () => {
    const counts: StaticArray<u32> = [0, 1, 2, 7, 64, 1000, u32.MAX_VALUE];
    for (let c = 0; c < counts.length; c++)
      for (let parts: u32 = 1; parts <= 9; parts++) {
        const count = counts[c];
        expect<u32>(share(count, 0, parts)).toBe(0);
        expect<u32>(share(count, parts, parts)).toBe(count);
        for (let part: u32 = 0; part < parts; part++) {
          const own = share(count, part + 1, parts) - share(count, part, parts);
          expect<bool>(own == count / parts || own == count / parts + 1).toBe(
            true,
            count.toString() + " in " + parts.toString(),
          );
        }
      }
  });
});
