/** Writes FlexBuffers: maps of numbers, lists of numbers and strings, everything four bytes wide. */

export type FlexOption = number | string | readonly number[];

const [INT, FLOAT, STRING, MAP, INTS, FLOATS] = [1, 3, 5, 9, 11, 13];
const WIDTH = 4;
/** Type and width as a value's own byte has them. */
const packed = (type: number) => (type << 2) | 2;

/** The bytes of a map. Numbers that are whole are written as integers. */
export function flexMap(options: { readonly [key: string]: FlexOption }): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number, whole = true) => {
    const view = new DataView(new ArrayBuffer(WIDTH));
    if (whole) view.setInt32(0, value, true);
    else view.setFloat32(0, value, true);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const far = (target: number) => word(bytes.length - target);
  const text = (value: string) => {
    const at = bytes.push(...new TextEncoder().encode(value), 0) - value.length - 1;
    while (bytes.length % WIDTH !== 0) bytes.push(0);
    return at;
  };
  const keys = Object.keys(options).sort();
  const targets = keys.map((key) => {
    const value = options[key] as FlexOption;
    if (typeof value === "number") return { type: Number.isInteger(value) ? INT : FLOAT, value };
    word(value.length);
    if (typeof value === "string") return { type: STRING, at: text(value) };
    const at = bytes.length;
    const whole = value.every(Number.isInteger);
    for (const each of value) word(each, whole);
    return { type: whole ? INTS : FLOATS, at };
  });
  const names = keys.map(text);
  word(keys.length);
  const keysAt = bytes.length;
  for (const at of names) far(at);
  far(keysAt);
  word(WIDTH);
  word(keys.length);
  const map = bytes.length;
  for (const target of targets)
    if ("at" in target) far(target.at);
    else word(target.value, target.type === INT);
  for (const { type } of targets) bytes.push(packed(type));
  while (bytes.length % WIDTH !== 0) bytes.push(0);
  far(map);
  bytes.push(packed(MAP), WIDTH);
  return Uint8Array.from(bytes);
}
