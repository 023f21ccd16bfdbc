/** FlexBuffers: the maps of numbers and flags that custom operators have for options. */

const WIDTH = 8;
/** Types of values, by number, and the exponent of their width in the two low bits. */
const [INT, FLOAT, BOOL, MAP] = [1, 3, 26, 9].map((type) => (type << 2) | 3);

/**
 * A map of numbers and flags: keys, the vector of their places, then the map itself with every value in eight bytes. Source:
 * FlexBuffers internals.
 */
export function writeFlexMap(values: ReadonlyMap<string, number | boolean>): Uint8Array {
  const keys = [...values.keys()].sort((a, b) => (a < b ? -1 : 1));
  const texts = keys.map((key) => new TextEncoder().encode(`${key}\0`));
  const textBytes = Math.ceil(texts.reduce((sum, { length }) => sum + length, 0) / WIDTH) * WIDTH;
  const keysAt = textBytes + WIDTH;
  const map = keysAt + WIDTH * (keys.length + 3);
  const types = map + WIDTH * keys.length;
  const root = types + keys.length;
  const bytes = new Uint8Array(root + 3);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number) => view.setBigInt64(at, BigInt(value), true);

  word(textBytes, keys.length);
  let at = 0;
  for (const [i, text] of texts.entries()) {
    bytes.set(text, at);
    word(keysAt + WIDTH * i, keysAt + WIDTH * i - at);
    at += text.length;
  }
  word(map - 3 * WIDTH, map - 3 * WIDTH - keysAt);
  word(map - 2 * WIDTH, WIDTH);
  word(map - WIDTH, keys.length);
  for (const [i, key] of keys.entries()) {
    const value = values.get(key) as number | boolean;
    const isWhole = typeof value === "boolean" || Number.isInteger(value);
    if (isWhole) word(map + WIDTH * i, Number(value));
    else view.setFloat64(map + WIDTH * i, value, true);
    bytes[types + i] = (typeof value === "boolean" ? BOOL : isWhole ? INT : FLOAT) as number;
  }
  bytes.set([root - map, MAP as number, 1], root);
  // The distance back to the map may not fit one byte: then it takes two.
  return root - map < 256 ? bytes : withWideRoot(bytes, root, map);
}

function withWideRoot(bytes: Uint8Array, root: number, map: number): Uint8Array {
  const wide = new Uint8Array(root + (root % 2) + 4);
  wide.set(bytes.subarray(0, root));
  const at = root + (root % 2);
  new DataView(wide.buffer).setUint16(at, at - map, true);
  wide.set([MAP as number, 2], at + 2);
  return wide;
}
