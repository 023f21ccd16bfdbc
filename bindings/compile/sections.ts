/** The outermost layer of a WebAssembly binary: enough to read a custom section and to measure the rest. */

/** One section; `start` to `end` is its content, `header` where its id stands. */
interface Section {
  readonly id: number;
  /** The name of a custom section, else "". */
  readonly name: string;
  readonly header: number;
  readonly start: number;
  readonly end: number;
}

export const DATA_SECTION = 11;
const PREAMBLE = 8;

/** The sections of a well-formed binary, in their order. */
export function sectionsOf(wasm: Uint8Array): readonly Section[] {
  const sections: Section[] = [];
  for (let at = PREAMBLE; at < wasm.length; ) {
    const header = at;
    const id = wasm[at] as number;
    const size = readSize(wasm, at + 1);
    const end = size.next + size.value;
    const name = id === 0 ? readSize(wasm, size.next) : undefined;
    const start = name === undefined ? size.next : name.next + name.value;
    sections.push({ id, name: name === undefined ? "" : text(wasm.subarray(name.next, start)), header, start, end });
    at = end;
  }
  return sections;
}

/** The binary without its custom sections. */
export function withoutCustom(wasm: Uint8Array): Uint8Array {
  const kept = sectionsOf(wasm).filter(({ id }) => id !== 0);
  const parts = [wasm.subarray(0, PREAMBLE), ...kept.map(({ header, end }) => wasm.subarray(header, end))];
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Bytes that a binary's section of this id takes, with its header; 0 where there is none. */
export function sectionBytes(wasm: Uint8Array, wanted: number): number {
  const section = sectionsOf(wasm).find(({ id }) => id === wanted);
  return section === undefined ? 0 : section.end - section.header;
}

/** An unsigned LEB128 number of 32 bits. */
function readSize(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80 || shift > 28) return { value, next: at };
  }
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
