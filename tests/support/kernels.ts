/** Runs operators on the kernels of every module, in a memory of their own with each buffer against its end in turn. */
import assert from "node:assert/strict";
import { Pint8Error } from "../../bindings/errors.ts";
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { endsOf } from "../../bindings/ops/bind.ts";
import { products } from "../../bindings/ops/product/products.ts";
import type { NodeView, Operator } from "../../bindings/ops/types.ts";
import type { Optimize } from "../../bindings/primitives/modules.ts";
import { MODULES, type ModuleName } from "../../bindings/primitives/modules.ts";
import { type ParamBlocks, paramBytes } from "../../bindings/primitives/params.ts";
import { bytesOf as packed } from "../../bindings/primitives/product/panels.ts";
import { blockOf, type KernelCall, type KernelName, kernelNumber } from "../../bindings/primitives/registry.ts";
import { packer } from "../../bindings/primitives/requantize/packer.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { byteLength, type DType, type Tensor } from "../../bindings/tensor.ts";
import { loweredRelaxed } from "./lowered.ts";

/** A module on this engine, or the reason why it does not run here. */
export interface Subject {
  readonly name: ModuleName;
  readonly module?: WebAssembly.Module;
  readonly skip: string | false;
}

/** Every module by name; one that the engine lacks has a reason to skip, any other failure is thrown. */
export async function runnable(): Promise<readonly Subject[]> {
  return Promise.all(
    MODULES.map(async (name): Promise<Subject> => {
      try {
        return { name, module: (await loadModule(name, undefined, "full")).module, skip: false };
      } catch (error) {
        if (error instanceof Pint8Error && error.code === "MODULE_UNAVAILABLE") return { name, skip: error.message };
        throw error;
      }
    }),
  );
}

/** The same for tests of kernels: a relaxed module that does not run here is lowered. */
export async function subjects(): Promise<readonly Subject[]> {
  const all = await runnable();
  return all.map((each) =>
    each.name === "relaxed" && each.skip !== false ? { ...each, module: loweredRelaxed(), skip: false } : each,
  );
}

type Kernel = (params: number, part: number, parts: number) => void;

/** The kernels of a module over a memory, by their names. */
export function kernelsOf(module: WebAssembly.Module, memory: WebAssembly.Memory): (name: KernelName) => Kernel {
  const { kernels } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return (name) => (kernels as WebAssembly.Table).get(kernelNumber(name)) as Kernel;
}

/** A node as tests write it: every tensor with its type; `values` are the bytes of the inputs, constants included. */
interface Example<K extends OpKind> {
  readonly attributes: Attributes[K];
  readonly inputs: readonly Tensor[];
  readonly values: readonly ArrayBufferView[];
  readonly output: Tensor;
}

/** What `infer` and `lower` see of an example; inputs that constraints ask to be constant carry their data. */
function viewOf<K extends OpKind>({ attributes, inputs, output }: Example<K>): NodeView<K> {
  return { where: "node 0 (TEST)", attributes, inputs, outputs: [output] };
}

/** A tensor for an example. */
export function tensor(dtype: DType, shape: readonly number[], affine?: Affine, data?: ArrayBufferView): Tensor {
  const { scale, zeroPoint } = affine ?? {};
  return {
    name: "t",
    dtype,
    shape,
    ...(scale !== undefined && zeroPoint !== undefined
      ? { quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: 0 } }
      : {}),
    ...(data !== undefined ? { data: bytesOf(data) } : {}),
  };
}

const PAGE = 65536;
const BASE = 1024;
const GUARD = 0xa5;

/**
 * Infers, lowers and runs the example in one to four parts, with each buffer in turn against the end of memory and in
 * place where the operator allows it, and compares: the output's bytes, and that no byte outside it changed. Where the
 * operator folds, the folded bytes are compared too.
 */
export function checkOperator<K extends OpKind>(
  subject: Subject,
  operator: Operator<K>,
  example: Example<K>,
  expected: ArrayBufferView,
  low: ArrayBufferView = expected,
): void {
  assert.ok(subject.module);
  const view = viewOf(example);
  const [type] = operator.infer(view);
  assert.ok(type);
  assert.equal(byteLength(type), expected.byteLength, "bytes of the inferred output");
  const inferred = { ...example, output: { ...example.output, ...type } };
  if (operator.fold !== undefined) {
    const inputs = example.inputs.map((input, i) => ({
      ...input,
      data: bytesOf(example.values[i] as ArrayBufferView),
    }));
    const folded = operator.fold({ ...viewOf(inferred), inputs });
    if (folded !== undefined) assert.deepEqual(folded[0], new Uint8Array(bytesOf(expected)), "folded");
  }
  if (operator.alias === true) return;
  const bytes = bytesOf(expected);
  // values, and what is packed of them
  const total = example.values.reduce((sum, { byteLength: n }) => sum + 2 * n + 32, bytes.length);
  const { room, placed } = run(subject, operator, inferred, bytes, { flush: "y", parts: 1 }, total + 2 ** 20);
  const layouts: Layout[] = [2, 3, 4].map((parts) => ({ flush: "y", parts }));
  for (const flush of [...example.inputs.keys(), ...PLACED.slice(0, placed)])
    layouts.push({ flush, parts: 1 }, { flush, parts: 3 });
  for (const over of operator.inPlace?.(viewOf(inferred)) ?? []) layouts.push({ flush: over, parts: 2, over });
  for (const layout of layouts) run(subject, operator, inferred, bytes, layout, room);
  const small: Layout = { flush: "second placed", parts: 2, optimize: "size" };
  run(subject, operator, inferred, bytesOf(low), small, total + 2 ** 20);
}

/** What the example gives in one part, for results that a reference knows only nearly; `checkOperator` then holds it everywhere. */
export function runOperator<K extends OpKind>(
  subject: Subject,
  operator: Operator<K>,
  example: Example<K>,
): Uint8Array {
  assert.ok(subject.module);
  const [type] = operator.infer(viewOf(example));
  assert.ok(type);
  const inferred = { ...example, output: { ...example.output, ...type } };
  const total = example.values.reduce((sum, { byteLength: n }) => sum + n + 32, byteLength(type)) + 2 ** 20;
  const blank = new Uint8Array(byteLength(type));
  return run(subject, operator, inferred, blank, { flush: "y", parts: 1, judge: false }, total).output;
}

const PLACED = ["first placed", "second placed"] as const;

/** Which buffer ends where memory ends, how many parts run, and which input the output overwrites. */
interface Layout {
  readonly flush: number | "y" | (typeof PLACED)[number];
  readonly parts: number;
  readonly over?: number;
  readonly optimize?: Optimize;
  /** False where nothing is known of the output. */
  readonly judge?: boolean;
}

/** Runs one layout in `room` bytes; returns the bytes that any layout needs, how many constants were placed, and the output. */
function run<K extends OpKind>(
  { name, module }: Subject,
  operator: Operator<K>,
  example: Example<K>,
  expected: Uint8Array,
  { flush, parts, over, optimize = "speed", judge = true }: Layout,
  room: number,
): { readonly room: number; readonly placed: number; readonly output: Uint8Array } {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(room / PAGE) });
  const kernels = kernelsOf(module as WebAssembly.Module, memory);
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(GUARD, BASE);
  let top = BASE;
  let last = bytes.length;
  const reserve = (length: number, atEnd: boolean) => {
    if (atEnd) {
      last -= length;
      return last;
    }
    const address = Math.ceil(top / 16) * 16 + 16;
    top = address + length;
    return address;
  };
  const inputs = example.inputs.map((input, i) => {
    const value = bytesOf(example.values[i] as ArrayBufferView);
    const address = reserve(value.length, flush === i);
    bytes.set(value, address);
    return { ...input, address };
  });
  const y = over === undefined ? reserve(expected.length, flush === "y") : (inputs[over]?.address as number);
  let scratch = 0;
  let placed = 0;
  const calls: KernelCall[] = [];
  operator.lower?.(viewOf(example), {
    module: name,
    optimize,
    packer,
    products,
    ...endsOf({ inputs, outputs: [{ ...example.output, address: y }] }),
    place(data) {
      const address = reserve(data.length, flush === PLACED[placed]);
      placed++;
      bytes.set(data instanceof Uint8Array ? data : packed(data), address);
      return address;
    },
    scratch(size) {
      scratch = Math.ceil(Math.max(scratch, size) / 16) * 16;
      return { scratch: 0, scratchStride: 0 };
    },
    call: (call) => calls.push(call),
  });
  assert.ok(calls.length > 0);
  const scratchAt = reserve(scratch * parts, false);
  const blocks = calls.map(({ kernel, params }) => {
    const block = blockOf(kernel);
    const values = "scratch" in params ? { ...params, scratch: scratchAt, scratchStride: scratch } : params;
    const data = paramBytes(block, values as ParamBlocks[typeof block]);
    const address = reserve(data.length, false);
    bytes.set(data, address);
    return { kernel: kernels(kernel), address };
  });
  const wanted = bytes.slice();
  for (const { kernel, address } of blocks) for (let part = 0; part < parts; part++) kernel(address, part, parts);
  const output = bytes.slice(y, y + expected.length);
  wanted.set(judge ? expected : output, y);
  wanted.set(bytes.subarray(scratchAt, scratchAt + parts * scratch), scratchAt);
  const params = JSON.stringify(calls[0]?.params);
  assert.equal(difference(bytes, wanted, y), "", `${calls[0]?.kernel}, ${flush} at the end, ${parts} parts, ${params}`);
  return { room: top + bytes.length - last + 4 * scratch + 256, placed, output };
}

function difference(actual: Uint8Array, expected: Uint8Array, y: number): string {
  if (Buffer.compare(actual, expected) === 0) return "";
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  return `byte ${at - y} of the output: ${actual[at]}, not ${expected[at]}`;
}

/** The bytes of any typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Repeatable numbers: xorshift32. */
export interface Random {
  /** A whole number from lo to hi. */
  int(lo: number, hi: number): number;
  /** int8 values, one in eight an extreme. */
  int8(count: number): Int8Array;
  /** One of these. */
  pick<T>(values: readonly T[]): T;
  /** A scale between 2^−10 and 2^2, a float32; one in three a power of two, which brings ties. */
  scale(): number;
}

/** Marsaglia's xorshift32: 32 bits a call. */
export function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function random(seed: number): Random {
  const next = xorshift(seed | 1);
  const int = (lo: number, hi: number) => lo + (next() % (hi - lo + 1));
  return {
    int,
    int8: (count) =>
      Int8Array.from({ length: count }, () => (int(0, 7) === 0 ? (int(0, 1) ? -128 : 127) : int(-128, 127))),
    pick: (values) => values[int(0, values.length - 1)] as (typeof values)[number],
    scale: () => Math.fround(2 ** (int(0, 2) === 0 ? int(-4, 0) : int(-1000, 200) / 100)),
  };
}
