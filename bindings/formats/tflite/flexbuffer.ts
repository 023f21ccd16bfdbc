/** FlexBuffers: the maps of numbers that custom operators have for options, and lists of texts. */
import { ensure } from "../../errors.ts";

export type FlexValue = number | boolean | string | readonly number[] | undefined;

/** Types of values, by number. */
const [INT, UINT, FLOAT, STRING, FAR_INT, FAR_UINT, FAR_FLOAT, MAP, LIST, BOOL] = [1, 2, 3, 5, 6, 7, 8, 9, 10, 26];
/** Lists of one type with their length before them, and after these such of two, three and four elements. */
const [INTS, UINTS, FLOATS, PAIRS, LAST_QUADS] = [11, 12, 13, 16, 24];
/** Keys that a map may have, bytes of one key, elements of a list. */
const MOST = 1024;

/** Checked reads of a buffer of options. */
function cursorOf(bytes: Uint8Array, where: string, expected: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const check = (holds: boolean, received: string) =>
    ensure(holds, "INVALID_MODEL", () => ({ where, expected, received }));
  const within = (at: number, width: number) =>
    check(at >= 0 && at + width <= bytes.length && [1, 2, 4, 8].includes(width), `${width} bytes at ${at}`);
  const uint = (at: number, width: number): number => {
    within(at, width);
    if (width === 1) return view.getUint8(at);
    if (width === 2) return view.getUint16(at, true);
    return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
  };
  const int = (at: number, width: number): number => {
    within(at, width);
    if (width === 1) return view.getInt8(at);
    if (width === 2) return view.getInt16(at, true);
    return width === 4 ? view.getInt32(at, true) : Number(view.getBigInt64(at, true));
  };
  const float = (at: number, width: number): number => {
    within(at, width);
    check(width >= 4, `a float of ${width} bytes`);
    return width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  };
  return { check, uint, int, float };
}

/**
 * The scalars, strings and lists of numbers of a root map, by key; values of other types are undefined. An empty buffer is
 * an empty map.
 * INVALID_MODEL where the root is no map, or an offset leads outside.
 */
export function readFlexMap(bytes: Uint8Array, where: string): ReadonlyMap<string, FlexValue> {
  const values = new Map<string, FlexValue>();
  if (bytes.length === 0) return values;
  const { check, uint, int, float } = cursorOf(bytes, where, "options as a FlexBuffers map");
  const text = (from: number, length?: number): string => {
    let to = from;
    while (to - from < (length ?? MOST) && uint(to, 1) !== 0) to++;
    return new TextDecoder().decode(bytes.subarray(from, to));
  };
  const READERS = [int, uint, float];
  const list = (from: number, width: number, kind: number, count: number): readonly number[] => {
    check(count <= MOST, `a list of ${count} numbers`);
    return Array.from({ length: count }, (_, i) => (READERS[kind] as typeof int)(from + i * width, width));
  };
  const value = (at: number, width: number, packed: number): FlexValue => {
    const own = 1 << (packed & 3);
    const far = () => at - uint(at, width);
    const type = packed >> 2;
    if (type >= PAIRS && type <= LAST_QUADS)
      return list(far(), own, (type - PAIRS) % 3, 2 + Math.floor((type - PAIRS) / 3));
    switch (type) {
      case INTS:
      case UINTS:
      case FLOATS:
        return list(far(), own, type - INTS, uint(far() - own, own));
      case INT:
        return int(at, width);
      case UINT:
        return uint(at, width);
      case FLOAT:
        return float(at, width);
      case BOOL:
        return uint(at, width) !== 0;
      case FAR_INT:
        return int(far(), own);
      case FAR_UINT:
        return uint(far(), own);
      case FAR_FLOAT:
        return float(far(), own);
      case STRING:
        return text(far(), uint(far() - own, own));
      default:
        return undefined;
    }
  };

  const rootWidth = uint(bytes.length - 1, 1);
  const packed = uint(bytes.length - 2, 1);
  check(packed >> 2 === MAP, `a root of type ${packed >> 2}`);
  const width = 1 << (packed & 3);
  const root = bytes.length - 2 - rootWidth;
  const map = root - uint(root, rootWidth);
  const size = uint(map - width, width);
  check(size <= MOST, `${size} keys`);
  const keysAt = map - 3 * width - uint(map - 3 * width, width);
  const keyWidth = uint(map - 2 * width, width);
  for (let i = 0; i < size; i++) {
    const key = keysAt + i * keyWidth;
    values.set(text(key - uint(key, keyWidth)), value(map + i * width, width, uint(map + size * width + i, 1)));
  }
  return values;
}

/** The bytes of the text at `index` of a root list. INVALID_MODEL where there is none. */
export function readFlexText(bytes: Uint8Array, index: number, where: string): Uint8Array {
  const { check, uint } = cursorOf(bytes, where, "options as a FlexBuffers list of texts");
  const rootWidth = uint(bytes.length - 1, 1);
  const packed = uint(bytes.length - 2, 1);
  const width = 1 << (packed & 3);
  const root = bytes.length - 2 - rootWidth;
  const list = root - uint(root, rootWidth);
  const at = list + index * width;
  const element = uint(list + uint(list - width, width) * width + index, 1);
  check(packed >> 2 === LIST && element >> 2 === STRING, `types ${packed >> 2}, ${element >> 2}`);
  const own = 1 << (element & 3);
  const from = at - uint(at, width);
  return bytes.subarray(from, from + uint(from - own, own));
}
