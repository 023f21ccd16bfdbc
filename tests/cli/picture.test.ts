import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { encode as encodeBmp } from "bmp-ts";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { decodePicture, pictureFormat } from "../../bindings/cli/picture/decode.ts";
import { upright } from "../../bindings/cli/picture/orientation.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { grey, type Picture, resize } from "../../bindings/values/picture.ts";
import { shared, skipShared } from "../models/cases.ts";

/** Four pixels in two rows: red, green / blue, grey. */
const RGB = [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128];

const png = (bytes: Uint8Array) => decodePicture("PNG", bytes, "test.png");
const bmp = (bytes: Uint8Array) => decodePicture("BMP", bytes, "test.bmp");

/** A PNG of raw scanlines, for colour types and depths that the encoder does not write. */
function rawPng(
  header: { width: number; height: number; depth: number; type: number; interlace?: number },
  rows: number[][],
  more: [string, number[]][] = [],
): Uint8Array {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width, 0);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([header.depth, header.type, 0, 0, header.interlace ?? 0], 8);
  const data = deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])));
  const chunks: [string, Uint8Array][] = [
    ["IHDR", ihdr],
    ...more.map(([name, bytes]): [string, Uint8Array] => [name, Uint8Array.from(bytes)]),
    ["IDAT", data],
    ["IEND", new Uint8Array(0)],
  ];
  const parts = chunks.map(([name, bytes]) => {
    const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(bytes.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  });
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), ...parts]);
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const rounded = ({ data }: Picture) => Array.from(data, (value) => Math.round(value * 100) / 100);

test("PNG: truecolour, 8 and 16 bits", async () => {
  const picture = await png(encodePng({ width: 2, height: 2, data: Uint8Array.from(RGB), channels: 3 }));
  assert.deepEqual([picture.width, picture.height, rounded(picture)], [2, 2, RGB]);
  const deep = Uint16Array.from(RGB, (value) => value * 257 + (value === 128 ? 64 : 0));
  const picture16 = await png(encodePng({ width: 2, height: 2, data: deep, depth: 16, channels: 3 }));
  assert.deepEqual(rounded(picture16), [...RGB.slice(0, 9), 128.25, 128.25, 128.25]);
});

test("PNG: alpha is composited on black, for grey and colour", async () => {
  const colour = await png(
    encodePng({ width: 2, height: 1, data: Uint8Array.of(200, 100, 50, 0, 200, 100, 50, 51), channels: 4 }),
  );
  assert.deepEqual(rounded(colour), [0, 0, 0, 40, 20, 10]);
  const greys = await png(encodePng({ width: 2, height: 1, data: Uint8Array.of(200, 255, 200, 51), channels: 2 }));
  assert.deepEqual(rounded(greys), [200, 200, 200, 40, 40, 40]);
});

test("PNG: grey of 1, 2 and 4 bits, rows that end inside a byte", async () => {
  for (const [depth, row, expected] of [
    [1, [0b10110000, 0b10000000], [255, 0, 255, 255, 0, 0, 0, 0, 255]],
    [2, [0b00011011, 0b11000000], [0, 85, 170, 255, 255]],
    [4, [0x0f, 0x80], [0, 255, 136]],
  ] as const) {
    const width = expected.length;
    const picture = await png(rawPng({ width, height: 2, depth, type: 0 }, [[...row], [...row]]));
    assert.deepEqual(Array.from(grey(picture), Math.round), [...expected, ...expected], `${depth} bits`);
  }
});

test("PNG: palettes of 1, 2, 4 and 8 bits, with and without transparency", async () => {
  const palette: [string, number[]] = ["PLTE", [10, 20, 30, 200, 100, 50]];
  for (const [depth, row] of [
    [1, [0b01000000]],
    [2, [0b00010000]],
    [4, [0x01, 0x00]],
    [8, [0, 1, 0]],
  ] as const) {
    const plain = await png(rawPng({ width: 3, height: 1, depth, type: 3 }, [[...row]], [palette]));
    assert.deepEqual(rounded(plain), [10, 20, 30, 200, 100, 50, 10, 20, 30], `${depth} bits`);
    const clear = await png(rawPng({ width: 3, height: 1, depth, type: 3 }, [[...row]], [palette, ["tRNS", [0]]]));
    assert.deepEqual(rounded(clear), [0, 0, 0, 200, 100, 50, 0, 0, 0], `${depth} bits with transparency`);
  }
  const missing = rawPng({ width: 1, height: 1, depth: 8, type: 3 }, [[2]], [palette]);
  await assert.rejects(png(missing), { code: "INVALID_INPUT" });
});

test("PNG: a transparent colour is black", async () => {
  const bytes = rawPng(
    { width: 3, height: 1, depth: 8, type: 2 },
    [[9, 8, 7, 9, 8, 6, 1, 1, 1]],
    [["tRNS", [0, 9, 0, 8, 0, 7]]],
  );
  assert.deepEqual(rounded(await png(bytes)), [0, 0, 0, 9, 8, 6, 1, 1, 1]);
});

test("PNG: interlaced pixels of few bits are refused, not mangled", async () => {
  await assert.rejects(png(rawPng({ width: 2, height: 1, depth: 1, type: 0, interlace: 1 }, [[0]])), {
    code: "UNSUPPORTED",
  });
});

test("JPEG: colour and size", async () => {
  const data = Buffer.alloc(16 * 8 * 4, Buffer.from([200, 60, 30, 255]));
  const picture = await decodePicture("JPEG", jpeg.encode({ width: 16, height: 8, data }, 95).data, "test.jpg");
  assert.deepEqual([picture.width, picture.height, picture.data.length], [16, 8, 16 * 8 * 3]);
  for (const [i, expected] of [200, 60, 30].entries())
    assert.ok(Math.abs((picture.data[i] as number) - expected) < 4, `channel ${i} is ${picture.data[i]}`);
});

/** Pixels as the BMP encoder takes them: alpha, blue, green, red. */
const abgr = Buffer.from([0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 128, 128, 128]);

test("BMP: 24 bits, wherever the header says that its pixels begin", async () => {
  const file = encodeBmp({ width: 2, height: 2, data: abgr, bitPP: 24 }).data;
  assert.deepEqual(rounded(await bmp(file)), RGB);
  const start = file.readUInt32LE(10);
  const moved = Buffer.concat([file.subarray(0, start), Buffer.alloc(84, 77), file.subarray(start)]);
  moved.writeUInt32LE(start + 84, 10);
  assert.deepEqual(rounded(await bmp(moved)), RGB);
});

test("BMP: 32 bits and palettes of 1 and 8 bits", async () => {
  assert.deepEqual(rounded(await bmp(encodeBmp({ width: 2, height: 2, data: abgr, bitPP: 32 }).data)), RGB);
  const colors = [
    [0, 0, 0],
    [50, 100, 200],
  ];
  for (const [bits, row] of [
    [1, [0b01000000, 0, 0, 0]],
    [8, [0, 1, 0, 0]],
  ] as const) {
    const palette = Buffer.alloc(2 ** bits * 4);
    for (const [i, color] of colors.entries()) palette.set(color, i * 4);
    const header = Buffer.alloc(54);
    header.write("BM", 0, "latin1");
    for (const [at, value] of [
      [10, 54 + palette.length],
      [14, 40],
      [18, 3],
      [22, 1],
    ] as const)
      header.writeUInt32LE(value, at);
    header.writeUInt16LE(1, 26);
    header.writeUInt16LE(bits, 28);
    const file = Buffer.concat([header, palette, Buffer.from(row)]);
    assert.deepEqual(rounded(await bmp(file)), [0, 0, 0, 200, 100, 50, 0, 0, 0], `${bits} bits`);
  }
});

test("pictures are known by their first bytes", () => {
  assert.equal(pictureFormat(encodePng({ width: 1, height: 1, data: Uint8Array.of(1), channels: 1 })), "PNG");
  assert.equal(pictureFormat(encodeBmp({ width: 2, height: 2, data: abgr, bitPP: 24 }).data), "BMP");
  assert.equal(pictureFormat(jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256) }, 90).data), "JPEG");
  assert.equal(pictureFormat(Uint8Array.of(0x52, 0x49, 0x46, 0x46)), undefined);
  assert.equal(pictureFormat(new Uint8Array(0)), undefined);
});

test("damaged pictures end in a result or an INVALID_INPUT error", async () => {
  const noise = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 7919) & 255);
  const files = {
    PNG: encodePng({ width: 32, height: 32, data: noise, channels: 3 }),
    JPEG: jpeg.encode({ width: 32, height: 32, data: Buffer.alloc(4096, 90) }, 80).data,
    BMP: encodeBmp({ width: 32, height: 32, data: Buffer.alloc(4096, 90), bitPP: 24 }).data,
  };
  let refused = 0;
  for (const [format, file] of Object.entries(files) as ["PNG" | "JPEG" | "BMP", Uint8Array][])
    for (let i = 0; i < 60; i++) {
      const damaged = Uint8Array.from(i < 30 ? file.subarray(0, Math.floor((file.length * i) / 30)) : file);
      if (i >= 30) damaged[(i * 7) % 64] = i * 37;
      try {
        await decodePicture(format, damaged, "damaged");
      } catch (error) {
        assert.ok(error instanceof Pint8Error, `${format} ${i}: ${error}`);
        assert.ok(!error.message.includes("\n"), error.message);
        refused++;
      }
    }
  assert.ok(refused > 90, `${refused} of 180 refused`);
});

test("a picture of absurd size is refused before it is decoded", async () => {
  const huge = rawPng({ width: 100_000, height: 100_000, depth: 8, type: 0 }, [[0]]);
  await assert.rejects(png(huge), { code: "INVALID_INPUT", hint: "Scale the picture down first." });
});

test("resize samples at half-pixel centres, edges repeat", () => {
  const picture: Picture = { width: 2, height: 1, data: Float32Array.of(0, 0, 0, 100, 200, 40) };
  const wide = resize(picture, 4, 2);
  const row = [0, 0, 0, 25, 50, 10, 75, 150, 30, 100, 200, 40];
  assert.deepEqual([wide.width, wide.height, Array.from(wide.data)], [4, 2, [...row, ...row]]);
  assert.deepEqual(Array.from(resize(picture, 1, 1).data), [50, 100, 20]);
  assert.equal(resize(picture, 2, 1), picture);
});

test("grey is BT.601 luma and keeps grey pixels", () => {
  const picture: Picture = { width: 3, height: 1, data: Float32Array.of(255, 0, 0, 77, 77, 77, 10, 20, 30) };
  assert.deepEqual(
    Array.from(grey(picture), (value) => Math.round(value * 1000) / 1000),
    [76.245, 77, 18.15],
  );
});

describe("pictures that others read otherwise", { skip: skipShared }, () => {
  const jpegOf = (name: string) => decodePicture("JPEG", shared(`bugs/${name}.jpg`), name);
  const at = ({ width, data }: Picture, x: number, y: number) => [
    ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
  ];

  test("RGB in a JPEG is RGB; four inks are refused by name", async () => {
    assert.deepEqual(at(await jpegOf("rgb_adobe0"), 3, 3), [200, 30, 60]);
    await assert.rejects(jpegOf("cmyk_plain"), { code: "UNSUPPORTED", message: /CMYK/ });
  });

  test("the orientation that a camera wrote is applied", async () => {
    const picture = await jpegOf("exif6");
    assert.deepEqual([picture.width, picture.height], [32, 48]);
    assert.deepEqual(at(picture, 0, 0), [0, 0, 0]);
    assert.deepEqual(at(picture, 30, 0), [254, 0, 0]);
  });

  test("chroma is interpolated as libjpeg does it", async () => {
    const { data } = await jpegOf("p_q95_420");
    // The SHA-256 of what Pillow 12 makes of it, with libjpeg-turbo.
    const hash = createHash("sha256").update(Uint8Array.from(data)).digest("hex");
    assert.equal(hash, "28f1cd7f35b000a36de7749799b591c3b0e01dbbb7ca31edcb5dec239eb603c2");
  });
});

test("all eight orientations bring a corner where it was seen", () => {
  const picture: Picture = {
    width: 3,
    height: 2,
    data: Float32Array.from({ length: 18 }, (_, i) => Math.floor(i / 3)),
  };
  const seen = (orientation: number) => {
    const { width, height, data } = upright(picture, orientation);
    return [width, height, ...data.filter((_, i) => i % 3 === 0)].join("");
  };
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8].map(seen), [
    ...["32012345", "32210543", "32543210", "32345012"],
    ...["23031425", "23304152", "23524130", "23251403"],
  ]);
});

test("a PNG inflates to what its header says, or is refused before it inflates to more", async () => {
  const bomb = deflateSync(Buffer.alloc(50_000_000));
  const around = (more: [string, number[]][], rows: number[][]) =>
    rawPng({ width: 2, height: 2, depth: 8, type: 0 }, rows, more);
  await assert.rejects(
    png(around([["IDAT", [...bomb]]], [])),
    (error) =>
      error instanceof Pint8Error && /pixels of \d+ bytes, received data that inflates to more/.test(error.message),
  );
  const rows = [
    [1, 2],
    [3, 4],
  ];
  const profile: [string, number[]] = ["iCCP", [...Buffer.from("profile\0\0", "latin1"), ...bomb]];
  assert.deepEqual((await png(around([profile], rows))).data, (await png(around([], rows))).data);
});
