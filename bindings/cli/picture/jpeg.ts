import { readFile } from "node:fs/promises";
import { brotliDecompressSync } from "node:zlib";
import { ensure } from "../../errors.ts";
import { checkSize, type Picture } from "../../values/picture.ts";
import { pictureOf } from "../../values/pixels.ts";
import { orientationOf, upright } from "./orientation.ts";

/** libjpeg-turbo's TurboJPEG interface, compiled to WebAssembly; addresses are those of its memory. */
interface TurboJpeg {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  tjInitDecompress(): number;
  tjDecompressHeader3(
    handle: number,
    file: number,
    bytes: number,
    width: number,
    height: number,
    subsampling: number,
    colors: number,
  ): number;
  tjDecompress2(
    handle: number,
    file: number,
    bytes: number,
    pixels: number,
    width: number,
    pitch: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

/** TJPF_RGB; TJCS_RGB, TJCS_YCbCr and TJCS_GRAY are the colour spaces below 3, CMYK and YCCK the others. */
const RGB = 0;
const CMYK = 3;
/** As libjpeg decodes by default: the accurate transform, chroma interpolated. */
const ACCURATE = 4096;

/** Beside the bundles, compressed; the sources take it from its package. */
async function decoder(): Promise<Uint8Array<ArrayBuffer>> {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) return brotliDecompressSync(await readFile(new URL("./jpeg-turbo.wasm.br", here)));
  return readFile(new URL("../../../node_modules/@cwasm/jpeg-turbo/jpeg-turbo.wasm", here));
}

/** What the decoder imports; it leaves by an exception where it would jump. */
const IMPORTS = {
  env: {
    setjmp: () => 0,
    longjmp: () => {
      throw new Error("damaged bytes");
    },
  },
  wasi_snapshot_preview1: Object.fromEntries(
    ["environ_sizes_get", "environ_get", "proc_exit", "fd_close", "fd_seek", "fd_write"].map((name) => [name, () => 0]),
  ),
};

/**
 * Decodes a JPEG as libjpeg does, and turns it as its orientation tag says. Its colours are what its markers and the names
 * of its components say; four of them are refused.
 */
export async function decodeJpeg(bytes: Uint8Array, where: string): Promise<Picture> {
  const { instance } = await WebAssembly.instantiate(await decoder(), IMPORTS);
  const turbo = instance.exports as unknown as TurboJpeg;
  const file = turbo.malloc(bytes.length);
  const header = turbo.malloc(16);
  ensure(file !== 0 && header !== 0, "OUT_OF_MEMORY", () => ({
    where,
    expected: "memory for the file",
    received: `${bytes.length} bytes that are not to be had`,
  }));
  new Uint8Array(turbo.memory.buffer).set(bytes, file);
  const handle = turbo.tjInitDecompress();
  const [widthAt, heightAt, samplingAt, colorsAt] = [header, header + 4, header + 8, header + 12];
  if (turbo.tjDecompressHeader3(handle, file, bytes.length, widthAt, heightAt, samplingAt, colorsAt) !== 0)
    throw new Error("a damaged header");
  const fields = new Uint32Array(turbo.memory.buffer, header, 4);
  const [width, height, , colors] = fields as unknown as readonly [number, number, number, number];
  checkSize(width, height, where);
  ensure(colors < CMYK, "UNSUPPORTED", () => ({
    where,
    expected: "a JPEG of grey or of three colours",
    received: "one of four inks (CMYK)",
    hint: "Convert the picture to RGB, for example by saving it for the web.",
  }));
  const pixels = turbo.malloc(width * height * 3);
  ensure(pixels !== 0, "OUT_OF_MEMORY", () => ({
    where,
    expected: "memory for the picture",
    received: `${width}x${height} pixels that are not to be had`,
  }));
  if (turbo.tjDecompress2(handle, file, bytes.length, pixels, width, width * 3, height, RGB, ACCURATE) !== 0)
    throw new Error("damaged pixels");
  const data = new Uint8Array(turbo.memory.buffer, pixels, width * height * 3);
  return upright(pictureOf({ width, height, data }), orientationOf(bytes));
}
