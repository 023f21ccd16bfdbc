/** Copying and filling by 8-byte words, for engines without bulk memory. */

/** Copies `count` bytes upwards; y and x do not overlap. */
export function copyBytes(y: usize, x: usize, count: u32): void {
  const end = y + count;
  for (const words = y + (count & ~7); y < words; y += 8) {
    store<u64>(y, load<u64>(x));
    x += 8;
  }
  for (; y < end; y++) {
    store<u8>(y, load<u8>(x));
    x++;
  }
}

/** Fills [y, end) with the element of 1, 2, 4, 8 or 16 bytes at `value`; the range holds whole elements. */
export function fillElements(y: usize, end: usize, value: usize, size: u32): void {
  const low = pattern(value, size);
  const high = size == 16 ? load<u64>(value, 8) : low;
  for (; y + 16 <= end; y += 16) {
    store<u64>(y, low);
    store<u64>(y, high, 8);
  }
  for (let rest = low; y < end; y++) {
    store<u8>(y, rest);
    rest = rotr(rest, 8);
  }
}

/** The element repeated to 8 bytes. */
function pattern(value: usize, size: u32): u64 {
  if (size == 1) return <u64>load<u8>(value) * 0x0101010101010101;
  if (size == 2) return <u64>load<u16>(value) * 0x0001000100010001;
  if (size == 4) return <u64>load<u32>(value) * 0x0000000100000001;
  return load<u64>(value);
}
