/** Where part `part` of `parts` begins in a loop of `count` steps: shares differ by at most one step. */
export function share(count: u32, part: u32, parts: u32): u32 {
  if (parts == 1) return part ? count : 0;
  return <u32>((<u64>count * part) / parts);
}
