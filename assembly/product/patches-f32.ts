/** Where the patches of a float or hybrid convolution stand: the runs of its tiles' rows. */
import { ConvF32 } from "./f32-params";
import { TILE, Tile } from "./tile-f32";

/** Where a patch begins on its image. */
@unmanaged
class Place {
  image: u32;
  z: i32;
  top: i32;
  left: i32;
}
const PLACE: usize = 16;
/** Bytes that `convTiles` needs for itself. */
export const PLACES: usize = 4 * PLACE;

/** Whether a kernel's line is one run of the input where it lies on it. */
// @ts-ignore: decorator
@inline function hasLongRuns(p: ConvF32, pixel: u32): bool {
  return p.kW == 1 || (p.dilationW == 1 && pixel == p.inC << 2);
}

/**
 * Tiles of `size` bytes for `rows` output pixels from pixel `first` on, the last one repeated until there are whole tiles. `images`:
 * where the images are, `pixel` bytes a pixel; `zeros`: a run of zeros.
 */
export function convTiles(p: ConvF32, first: u32, rows: u32, places: usize, zeros: usize, table: usize, size: usize, images: usize, pixel: u32, scale: f32): void {
  const line = first / p.outW;
  const plane = line / p.outH;
  let batch = plane / p.outD;
  let ox = first - line * p.outW;
  let oy = line - plane * p.outH;
  let oz = plane - batch * p.outD;
  const imageBytes = p.inD * p.inH * p.inW * pixel;
  const long = hasLongRuns(p, pixel);
  const last = <i32>(3 * p.strideW + (p.kW - 1) * p.dilationW);
  const down = <i32>((p.kH - 1) * p.dilationH);
  const far = <i32>((p.kD - 1) * p.dilationD);
  for (; ; table += size) {
    const T = changetype<Tile>(table);
    const count = min(rows, 4);
    let z = <i32>(oz * p.strideD) - p.padFront;
    let top = <i32>(oy * p.strideH) - p.padTop;
    let left = <i32>(ox * p.strideW) - p.padLeft;
    let y = p.y + batch * p.yBatch + oz * p.yPlane + oy * p.yLine + ox * p.yStride;
    T.scale0 = scale;
    T.scale1 = scale;
    T.scale2 = scale;
    T.scale3 = scale;
    if (
      count == 4 && ox + 4 <= p.outW && (left | top | z) >= 0 &&
      left + last < <i32>p.inW && top + down < <i32>p.inH && z + far < <i32>p.inD
    ) {
      T.y0 = y;
      T.y1 = y + p.yStride;
      T.y2 = y + 2 * p.yStride;
      T.y3 = y + 3 * p.yStride;
      insideRuns(p, T, <u32>images + batch * imageBytes + ((<u32>z * p.inH + <u32>top) * p.inW + <u32>left) * pixel, pixel, long);
      ox += 4;
    } else {
      let whole = long;
      for (let i: u32 = 0; i < 4; i++) {
        store<u32>(table + (<usize>i << 2), y, 8);
        const place = changetype<Place>(places + <usize>i * PLACE);
        place.image = <u32>images + batch * imageBytes;
        place.z = z;
        place.top = top;
        place.left = left;
        whole = whole && left >= 0 && left + <i32>p.kW <= <i32>p.inW;
        if (i + 1 >= count) continue;
        ox++;
        left += p.strideW;
        y += p.yStride;
        if (ox < p.outW) continue;
        ox = 0;
        oy++;
        if (oy == p.outH) {
          oy = 0;
          oz++;
        }
        if (oz == p.outD) {
          oz = 0;
          batch++;
        }
        z = <i32>(oz * p.strideD) - p.padFront;
        top = <i32>(oy * p.strideH) - p.padTop;
        left = -p.padLeft;
        y = p.y + batch * p.yBatch + oz * p.yPlane + oy * p.yLine;
      }
      ox++;
      T.runs = p.kD * p.kH * (whole ? 1 : p.kW);
      T.length = whole ? p.kW * p.inC : p.inC;
      for (let i: usize = 0; i < 4; i++) edgeRuns(p, changetype<Place>(places + i * PLACE), table + TILE + (i << 2), zeros, pixel, whole);
    }
    if (rows <= 4) return;
    rows -= 4;
    if (ox < p.outW) continue;
    ox = 0;
    oy++;
    if (oy == p.outH) {
      oy = 0;
      oz++;
    }
    if (oz == p.outD) {
      oz = 0;
      batch++;
    }
  }
}

/** Neighbours of one line whose patches all lie on the input; `at`: the first one's beginning. */
// @ts-ignore: decorator
@inline function insideRuns(p: ConvF32, T: Tile, at: u32, pixel: u32, long: bool): void {
  const runs: u32 = long ? 1 : p.kW;
  const next = p.strideW * pixel;
  const across = p.dilationW * pixel;
  const down = p.dilationH * p.inW * pixel;
  let run = changetype<usize>(T) + TILE;
  for (let kz: u32 = 0; kz < p.kD; kz++) {
    let line = at + kz * p.dilationD * p.inH * p.inW * pixel;
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      let tap = line;
      for (let kx: u32 = 0; kx < runs; kx++) {
        store<u32>(run, tap);
        store<u32>(run, tap + next, 4);
        store<u32>(run, tap + 2 * next, 8);
        store<u32>(run, tap + 3 * next, 12);
        run += 16;
        tap += across;
      }
      line += down;
    }
  }
  T.runs = p.kD * p.kH * runs;
  T.length = long ? p.kW * p.inC : p.inC;
}

/** The runs of one row, `whole` kernel lines or taps; zeros where they are not on the input. */
function edgeRuns(p: ConvF32, place: Place, run: usize, zeros: usize, pixel: u32, whole: bool): void {
  const runs: u32 = whole ? 1 : p.kW;
  for (let kz: u32 = 0; kz < p.kD; kz++) {
    const z = <u32>(place.z + <i32>(kz * p.dilationD));
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      const y = <u32>(place.top + <i32>(ky * p.dilationH));
      const inside = z < p.inD && y < p.inH;
      const line = place.image + (z * p.inH + y) * p.inW * pixel;
      let x = place.left;
      for (let kx: u32 = 0; kx < runs; kx++) {
        store<u32>(run, inside && <u32>x < p.inW ? line + <u32>x * pixel : <u32>zeros);
        run += 16;
        x += p.dilationW;
      }
    }
  }
}
