/** Networks from the wild: inputs made by the corpus's rule, goldens as `goldens.json` stores them. */
import { BITS, type DType } from "../../bindings/tensor.ts";
import type { CasePort, Golden, Invoke } from "./cases.ts";

/** An entry of `goldens.json`. */
export interface WildEntry {
  readonly name: string;
  readonly kind: string;
  readonly input: { readonly inputs: readonly (CasePort & { readonly constant?: number; readonly index?: boolean })[] };
  readonly outputs: readonly CasePort[];
  readonly sets?: readonly WildSet[];
}

interface WildOutputs {
  readonly out: readonly WildOutput[];
}

interface WildSet extends WildOutputs {
  readonly seed: number;
  readonly after3?: WildOutputs;
  readonly tflm?: WildOutputs & { readonly after3?: WildOutputs };
}

interface WildOutput {
  readonly sha256: string;
  readonly b64?: string;
  readonly every?: number;
  readonly sample_b64?: string;
  readonly max?: number;
}

/** One run for each seed; three where the third differs, of which the second's outputs are not known. */
export function wildSets(entry: WildEntry): readonly (readonly Invoke[])[] {
  return (entry.sets ?? []).map((set) => {
    const inputs = wildInputs(entry, set.seed);
    const first = references(entry, [set, set.tflm]);
    if (set.after3 === undefined) return [{ inputs, references: first }];
    const third = references(entry, [set.after3, set.tflm?.after3]);
    return [
      { inputs, references: first },
      { inputs, references: [] },
      { inputs, references: third },
    ];
  });
}

function references(entry: WildEntry, all: readonly (WildOutputs | undefined)[]): readonly (readonly Golden[])[] {
  return all.flatMap((one) =>
    one === undefined ? [] : [one.out.map((out, i) => golden(out, entry.outputs[i] as CasePort))],
  );
}

function golden({ sha256, b64, every, sample_b64, max }: WildOutput, port: CasePort): Golden {
  const bytes = (port.shape.reduce((all, size) => all * size, 1) * BITS[port.dtype]) / 8;
  const decode = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
  if (b64 !== undefined) return { bytes, data: decode(b64) };
  if (sample_b64 === undefined) return { bytes, sha256 };
  const values = new Float32Array(decode(sample_b64).buffer);
  return { bytes, sha256, sample: { every: every ?? 1, values, max: max ?? 0 } };
}

/** xorshift32 through all inputs: one draw per byte of 8- and 16-bit integers, per element of all else. */
function wildInputs({ input }: WildEntry, seed: number): readonly Uint8Array[] {
  let state = seed;
  const draw = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  return input.inputs.map((port) => {
    const count = port.shape.reduce((all, size) => all * size, 1);
    const size = BITS[port.dtype] / 8;
    const bytes = new Uint8Array(count * size);
    const view = new DataView(bytes.buffer);
    if (/^u?int(8|16)$/.test(port.dtype) && port.constant === undefined) return bytes.map(draw);
    for (let i = 0; i < count; i++) write(view, i * size, port.dtype, elementOf(port, draw));
    return bytes;
  });
}

function elementOf(port: WildEntry["input"]["inputs"][number], draw: () => number): number {
  if (port.constant !== undefined) return port.constant;
  if (port.dtype === "bool") return draw() & 1;
  if (port.index || !port.dtype.startsWith("float")) return draw() % 8;
  return ((draw() << 24) >> 24) / 128;
}

function write(view: DataView, at: number, dtype: DType, value: number): void {
  if (dtype === "float32") view.setFloat32(at, value, true);
  else if (dtype === "float64") view.setFloat64(at, value, true);
  else if (dtype === "int64" || dtype === "uint64") view.setBigInt64(at, BigInt(value), true);
  else if (dtype === "int32" || dtype === "uint32") view.setInt32(at, value, true);
  else if (dtype === "int16" || dtype === "uint16") view.setInt16(at, value, true);
  else if (dtype === "float16") view.setUint16(at, halfOf(value), true);
  else view.setUint8(at, value);
}

/** The bits of a multiple of 1/128 from −1 to 1, or of a small whole number, as float16. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const mantissa = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
}
