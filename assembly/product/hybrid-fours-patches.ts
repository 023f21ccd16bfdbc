/** Patches of a quantized image as tiles of fours, see `hybrid-fours-pack.ts`. */
import { ConvF32 } from "./f32-params";
import { packFours } from "./hybrid-fours-pack";
import { TILE, Tile } from "./tile-f32";

/** Whether tiles of fours are faster: rows of C follow each other, and enough columns and steps share the work of packing a patch. */
export function paysFours(p: ConvF32): bool {
  if (p.yLine != p.outW * p.yStride || (p.outD > 1 && p.yPlane != p.outH * p.yLine)) return false;
  return p.n >= 16 && p.k >= 8;
}

/** The patches of `rows` rows, whose tiles of `size` bytes at `table` say where they are, as fours at `fours`; `own`: room for one. */
export function packPatches(p: ConvF32, fours: usize, table: usize, size: usize, rows: u32, own: usize): void {
  for (let i: u32 = 0; i < rows; i++) {
    const T = changetype<Tile>(table + <usize>(i >>> 2) * size);
    let run = changetype<usize>(T) + TILE + (<usize>(i & 3) << 2);
    const bytes = <usize>T.length << 2;
    let to = own;
    for (let left = T.runs; left; left--) {
      // whole vectors: the next run overwrites what is too much
      const from = <usize>load<u32>(run);
      for (let z: usize = 0; z < bytes; z += 16) v128.store(to + z, v128.load(from + z));
      to += bytes;
      run += 16;
    }
    packFours(fours, i, own, p.k, T.scale0);
  }
}
