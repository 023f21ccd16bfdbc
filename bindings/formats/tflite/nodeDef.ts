/**
 * Options of Flex operators: a FlexBuffers list of the operator's name and its NodeDef, a protobuf message. So little is read of it that a
 * library, as the importer of .onnx files has, would be an eighth of what reads custom operators.
 */
import { readFlexText } from "./flexbuffer.ts";

/** An attribute's value as far as operators ask for it. */
interface NodeAttribute {
  readonly text: string;
  /** A list of integers; empty where it is none. */
  readonly ints: readonly number[];
}

/** The attributes of an operator, by name; a message that is cut short has those before. INVALID_MODEL where there is no message. */
export function readNodeDef(options: Uint8Array, where: string): ReadonlyMap<string, NodeAttribute> {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return new Map(
    fields(readFlexText(options, 1, where).subarray(0, MOST_BYTES), 5).map(({ bytes }) => {
      const value = last(bytes, 2);
      const ints = fields(last(value, 1), 3).flatMap((field) =>
        field.bytes === NONE ? field.value : numbers(field.bytes),
      );
      return [text(last(bytes, 1)), { text: text(last(value, 2)), ints }];
    }),
  );
}

/** Bytes of a NodeDef that are read: it has hundreds, and many operators may name the same ones. */
const MOST_BYTES = 4096;
const NONE = new Uint8Array(0);
const last = (message: Uint8Array, number: number) => fields(message, number).at(-1)?.bytes ?? NONE;

/** The fields of a message that have this number: their values, or their bytes. */
function fields(message: Uint8Array, number: number) {
  const found: { readonly value: number; readonly bytes: Uint8Array }[] = [];
  for (let at = 0, tag = 0, value = 0; at < message.length; ) {
    [tag, at] = numberAt(message, at);
    const type = tag % 8;
    if (type === 0 || type === 2) [value, at] = numberAt(message, at);
    const from = at;
    at += type === 2 ? value : type === 1 ? 8 : type === 5 ? 4 : 0;
    if (Math.floor(tag / 8) === number) found.push({ value, bytes: type === 2 ? message.subarray(from, at) : NONE });
  }
  return found;
}

function numbers(bytes: Uint8Array): readonly number[] {
  const found: number[] = [];
  for (let at = 0, value = 0; at < bytes.length; found.push(value)) [value, at] = numberAt(bytes, at);
  return found;
}

/** A number of seven bits a byte, lowest first, and where it ends. */
function numberAt(bytes: Uint8Array, from: number): readonly [number, number] {
  let [value, at, byte] = [0, from, 128];
  for (; byte > 127; at++) {
    byte = bytes[at] ?? 0;
    value += (byte % 128) * 128 ** (at - from);
  }
  return [value, at];
}
