/** Files of data as bytes and where they are put, and what a data set holds as plain lists. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import type { Port } from "../../bindings/values/port.ts";

/** A folder that is there while the tests of a file run, and what writes files into it. */
export function dataFolder(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `pint8-${name}-`));
  after(() => rmSync(folder, { recursive: true }));
  const put = (file: string, bytes: Uint8Array): string => {
    const path = join(folder, file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  };
  return { folder, put };
}

/** A float input of this shape. */
export const port = (...shape: number[]): Port => ({ name: "x", dtype: "float32", shape, scale: 0, zeroPoint: 0 });

/** Three pictures of 2×2. */
export const IMAGES = idx([3, 2, 2], [0, 51, 102, 255, 0, 0, 0, 0, 255, 255, 255, 255]);

export const text = (value: string) => new TextEncoder().encode(value);

export function idx(shape: readonly number[], values: readonly number[], type = 8): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint8(2, type);
  head.setUint8(3, shape.length);
  for (const [i, size] of shape.entries()) head.setUint32(4 + 4 * i, size);
  return Uint8Array.from([...new Uint8Array(head.buffer), ...values]);
}

export function npy(descr: string, shape: readonly number[], data: ArrayBufferView): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }\n`;
  const length = Uint8Array.of(header.length & 255, header.length >> 8);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from([0x93, ...text("NUMPY"), 1, 0, ...length, ...text(header), ...bytes]);
}

export function wav(format: number, bits: number, channels: number, data: ArrayBufferView): Uint8Array {
  const head = new DataView(new ArrayBuffer(44));
  for (const [at, tag] of [
    [0, "RIFF"],
    [8, "WAVE"],
    [12, "fmt "],
    [36, "data"],
  ] as const)
    for (const [i, byte] of text(tag).entries()) head.setUint8(at + i, byte);
  head.setUint32(16, 16, true);
  head.setUint16(20, format, true);
  head.setUint16(22, channels, true);
  head.setUint32(24, 16000, true);
  head.setUint16(34, bits, true);
  head.setUint32(40, data.byteLength, true);
  return Uint8Array.from([
    ...new Uint8Array(head.buffer),
    ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

export async function all(data: AsyncIterable<Sample>): Promise<Sample[]> {
  const list: Sample[] = [];
  for await (const sample of data) list.push(sample);
  return list;
}

export const values = (samples: readonly Sample[]) => samples.map(({ inputs }) => inputs.map((input) => [...input]));
export const labels = (samples: readonly Sample[]) => samples.map(({ label }) => label);
