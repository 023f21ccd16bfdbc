/** Packed files unpack to what they hold, and take no memory for what they only claim. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zipSync } from "fflate";
import { unpacked } from "../../bindings/optimize/data/bytes.ts";
import { readIdx } from "../../bindings/optimize/data/idx.ts";
import { readNpz } from "../../bindings/optimize/data/npy.ts";
import { parquetDataset } from "../../bindings/optimize/data/parquet.ts";
import { IMAGES, npy, port, text } from "./data-files.ts";
import { LISTS, PICTURES } from "./parquet-files.ts";

const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** The bytes with a little-endian u32 somewhere, from the end where negative. */
function withU32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at < 0 ? copy.length + at : at, value, true);
  return copy;
}

/** Refused, in words, within some megabytes. */
function refuses(read: () => unknown, message: RegExp) {
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(
    read,
    (error: Error & { code: string }) => error.code === "INVALID_INPUT" && message.test(error.message),
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 64e6, "memory");
}

test("gzip of one member, of several, and of nothing", () => {
  const noise = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  for (const parts of [[noise], [text("")], [text("hello"), text("wo")], [noise, text("x"), noise, noise], [IMAGES]])
    assert.deepEqual(unpacked(joined(parts.map((part) => gzipSync(part))), "f"), joined(parts));
  assert.equal(unpacked(IMAGES, "f"), IMAGES);
});

test("gzip whose end claims another size", () => {
  const packed = gzipSync(IMAGES);
  refuses(() => readIdx(withU32(packed, -4, 0xfffffff0), "f"), /whole gzip file, received 28 bytes where its end says/);
  refuses(() => readIdx(withU32(packed, -4, 5), "f"), /received 28 bytes where its end says 5/);
  for (let end = 2; end < packed.length; end++)
    refuses(() => unpacked(packed.subarray(0, end), "f"), /whole gzip file/);
});

test(".npz whose arrays claim sizes that they cannot have", () => {
  const file = zipSync({ "x.npy": npy("<f4", [2], Float32Array.of(1, 2)) });
  assert.deepEqual(Array.from(readNpz(file).get("x")?.values ?? []), [1, 2]);
  // The unpacked size stands at 24 of the entry of the directory that the end points to.
  const directory = new DataView(file.buffer).getUint32(file.length - 6, true);
  refuses(() => readNpz(withU32(file, directory + 24, 0xfffffff0)), /bytes of \d+ packed ones/);
  refuses(() => readNpz(withU32(file, directory + 24, 40)), /f4|bytes|numbers/);
});

test("Parquet that claims rows which it does not hold", async () => {
  const decode = async () => ({ width: 1, height: 1, data: new Float32Array(3) });
  for (const [file, ports] of [
    [LISTS, [port(1, 2)]],
    [PICTURES, [port(1, 1, 2, 1)]],
  ] as const) {
    const start = file.length - 8 - new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true);
    let refused = 0;
    for (let at = start; at < file.length - 9; at++) {
      // `16 06`: a number of 64 bits, 3, as rows are counted; in its place 2^40.
      if (file[at] !== 0x16 || file[at + 1] !== 0x06) continue;
      const claims = joined([
        file.subarray(0, at + 1),
        Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x40),
        file.subarray(at + 2),
      ]);
      const longer = withU32(claims, -8, file.length - 8 - start + 5);
      const read = async () => {
        const data = await parquetDataset(ports, longer, decode, "f");
        let count = 0;
        for await (const _ of data) count++;
        assert.equal(count, data.size);
      };
      await read().catch((error: Error & { code?: string }) => {
        refused++;
        assert.equal(error.code, "INVALID_INPUT", String(error));
      });
    }
    assert.ok(refused >= 2, `${refused}`);
  }
});

test("Parquet: runs of more values than their page, within its bytes and beyond", async () => {
  const decode = async () => ({ width: 1, height: 1, data: new Float32Array(3) });
  // the definition levels of the first page are one run of three
  for (const [run, message] of [
    [[0xfe, 0x7f], /a run of 8191 values after 0 of 3/],
    [[0xfe, 0xff, 0xff, 0x7f], /bytes that contradict each other/],
  ] as const) {
    const bytes = PICTURES.slice();
    bytes.set(run, 62);
    await assert.rejects(parquetDataset([port(1, 1, 2, 1)], bytes, decode, "f"), { code: "INVALID_INPUT", message });
  }
});
