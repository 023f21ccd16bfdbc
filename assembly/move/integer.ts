/** Integer i of a tensor of integers of `bytes` bytes: 1 unsigned, 2, 4 and 8 signed. */
// @ts-ignore: decorator
@inline export function integerAt(address: usize, i: u32, bytes: u32): i64 {
  if (bytes == 4) return load<i32>(address + (i << 2));
  if (bytes == 8) return load<i64>(address + (i << 3));
  if (bytes == 2) return load<i16>(address + (i << 1));
  return load<u8>(address + i);
}
