/** Tiles of small float convolutions, made once instead of in every run: `assembly/product/patches-f32.ts` has their meaning. */
import type { PatchesF32, ProductF32 } from "./gemmF32.ts";

/** Rows of a tile, and the words of its head: runs, their length, four addresses of y, four scales. */
const ROWS = 4;
const HEAD = 10;
/** Tables that stay in the nearest cache beside what they point at. */
const MOST_BYTES = 32 * 1024;
/** Of few panels, which would take less time than the table. */
const MOST_OF_FEW = 96 * 1024;
const FEW = 16;

/** Bytes of the table; `undefined` where it is too large to be worth its memory. */
export function tilesBytes(
  { m, n }: Pick<ProductF32, "m" | "n">,
  { kernel: [kD, kH, kW] }: PatchesF32,
  optimize: "speed" | "size",
): number | undefined {
  const bytes = Math.ceil(m / ROWS) * (HEAD + kD * kH * kW * ROWS) * 4;
  return bytes <= (optimize === "speed" && n <= FEW ? MOST_OF_FEW : MOST_BYTES) ? bytes : undefined;
}

/** The table of all rows of a product; `zeros` is the address of a kernel's line of zeros. */
export function tilesF32(product: ProductF32, patches: PatchesF32, zeros: number): Uint8Array {
  const { m, x, y, n, k } = product;
  const { channels, yBatch, yPlane, yLine } = patches;
  const [kD, kH, kW] = patches.kernel;
  const [inD, inH, inW] = patches.input;
  const [outD, outH, outW] = patches.output;
  const [stepD, stepH, stepW] = patches.stride;
  const [spreadD, spreadH, spreadW] = patches.dilation;
  const pixel = product.xStride ?? k * 4;
  const long = kW === 1 || (spreadW === 1 && pixel === channels * 4);
  const size = HEAD + kD * kH * kW * ROWS;
  const words = new Uint32Array(Math.ceil(m / ROWS) * size);
  const scales = new Float32Array(words.buffer);
  for (let tile = 0; tile * ROWS < m; tile++) {
    const at = tile * size;
    const places = Array.from({ length: ROWS }, (_, i) => {
      const row = Math.min(tile * ROWS + i, m - 1);
      const ox = row % outW;
      const oy = Math.floor(row / outW) % outH;
      const oz = Math.floor(row / (outW * outH)) % outD;
      const image = Math.floor(row / (outW * outH * outD));
      words[at + 2 + i] = y + image * yBatch + oz * yPlane + oy * yLine + ox * (product.yStride ?? n * 4);
      return {
        image: x + image * inD * inH * inW * pixel,
        z: oz * stepD - patches.before[0],
        top: oy * stepH - patches.before[1],
        left: ox * stepW - patches.before[2],
      };
    });
    const whole = long && places.every(({ left }) => left >= 0 && left + kW <= inW);
    const runs = whole ? 1 : kW;
    words[at] = kD * kH * runs;
    words[at + 1] = channels * (whole ? kW : 1);
    scales.fill(1, at + 6, at + HEAD);
    let run = at + HEAD;
    for (let kz = 0; kz < kD; kz++)
      for (let ky = 0; ky < kH; ky++)
        for (let kx = 0; kx < runs; kx++)
          for (const place of places) {
            const z = place.z + kz * spreadD;
            const row = place.top + ky * spreadH;
            const column = place.left + kx * spreadW;
            const inside = z >= 0 && z < inD && row >= 0 && row < inH && column >= 0 && column < inW;
            words[run++] = inside ? place.image + ((z * inH + row) * inW + column) * pixel : zeros;
          }
  }
  return new Uint8Array(words.buffer);
}
