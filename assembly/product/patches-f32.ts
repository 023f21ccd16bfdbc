/** The patches of four output pixels of a float or hybrid convolution, side by side. */
import { ConvF32 } from "./gemm-f32";
import { interleaveFour } from "./pack-f32";

/** Of each row of a block: where its C is, its scale, and where its patch begins. */
@unmanaged
export class Row {
  y: u32;
  scale: f32;
  image: u32;
  z: i32;
  top: i32;
  left: i32;
}
export const ROW: usize = 24;

/** Where line (kz, ky) of a row's patch stands; 0 where it is outside. */
// @ts-ignore: decorator
@inline function lineOf(p: ConvF32, row: usize, kz: u32, ky: u32, pixel: u32): usize {
  const r = changetype<Row>(row);
  const z = r.z + <i32>(kz * p.dilationD);
  const y = r.top + <i32>(ky * p.dilationH);
  if (<u32>z >= p.inD || <u32>y >= p.inH) return 0;
  return <usize>r.image + <usize>((z * p.inH + y) * p.inW) * pixel;
}

// @ts-ignore: decorator
@inline function tapOf(line: usize, x: i32, inW: u32, pixel: u32, zeros: usize): usize {
  return line != 0 && <u32>x < inW ? line + <usize>x * pixel : zeros;
}

// @ts-ignore: decorator
@inline function within(row: usize, reach: i32, inW: i32): bool {
  const left = changetype<Row>(row).left;
  return left >= 0 && left + reach <= inW;
}

/** The patches of four rows, whole kernel rows at a time where all four lie on the input. */
export function packTile(p: ConvF32, row: usize, zeros: usize, target: usize, pixel: u32): void {
  const inW = p.inW;
  const kW = p.kW;
  const inC = p.inC;
  const x0 = changetype<Row>(row).left;
  const x1 = changetype<Row>(row + ROW).left;
  const x2 = changetype<Row>(row + 2 * ROW).left;
  const x3 = changetype<Row>(row + 3 * ROW).left;
  let inside = (p.dilationW == 1 || kW == 1) && (pixel == inC << 2 || kW == 1);
  for (let i: usize = 0; i < 4; i++) inside = inside && within(row + i * ROW, kW, inW);
  for (let kz: u32 = 0; kz < p.kD; kz++) {
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const l0 = lineOf(p, row, kz, ky, pixel);
      const l1 = lineOf(p, row + ROW, kz, ky, pixel);
      const l2 = lineOf(p, row + 2 * ROW, kz, ky, pixel);
      const l3 = lineOf(p, row + 3 * ROW, kz, ky, pixel);
      if (inside && l0 && l1 && l2 && l3) {
        const length = kW * inC;
        // Neighbours of one channel: what four rows read is four floats in a row.
        if (ASC_FEATURE_SIMD && pixel == 4 && inC == 1 && p.strideW == 1 && l0 == l1 && l0 == l2 && l0 == l3 && x3 == x0 + 3) {
          let from = l0 + (<usize>x0 << 2);
          for (const end = from + (<usize>kW << 2); from < end; from += 4) {
            v128.store(target, v128.load(from));
            target += 16;
          }
          continue;
        }
        interleaveFour(target, l0 + <usize>x0 * pixel, l1 + <usize>x1 * pixel, l2 + <usize>x2 * pixel, l3 + <usize>x3 * pixel, length);
        target += <usize>length << 4;
        continue;
      }
      for (let kx: u32 = 0; kx < kW; kx++) {
        const d = <i32>(kx * p.dilationW);
        const s0 = tapOf(l0, x0 + d, inW, pixel, zeros);
        const s1 = tapOf(l1, x1 + d, inW, pixel, zeros);
        const s2 = tapOf(l2, x2 + d, inW, pixel, zeros);
        const s3 = tapOf(l3, x3 + d, inW, pixel, zeros);
        interleaveFour(target, s0, s1, s2, s3, inC);
        target += <usize>inC << 4;
      }
    }
  }
}
