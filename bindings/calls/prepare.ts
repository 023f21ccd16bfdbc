import { ensure } from "../errors.ts";
import type { OpKind } from "../graph.ts";
import { endsOf } from "../ops/bind.ts";
import type { Lowering, Operator } from "../ops/types.ts";
import { align, STEP_BYTES } from "../plan/types.ts";
import type { ModuleName } from "../primitives/modules.ts";
import { hasScratch, type ParamBlocks, paramBytes } from "../primitives/params.ts";
import { bytesOf } from "../primitives/product/panels.ts";
import { blockOf, type KernelCall, kernelNumber } from "../primitives/registry.ts";
import { packer } from "../primitives/requantize/packer.ts";
import type { KernelExports } from "../session/instantiate.ts";
import { listText, type Tensor } from "../tensor.ts";
import type { Stack } from "./memory.ts";
import { type Affine, allocateTensor, asTensor, type KernelTensor, requireTensor } from "./tensor.ts";

/** What a prepared call is made in. */
export interface Engine {
  readonly name: ModuleName;
  readonly exports: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly stack: Stack;
}

/** A kernel call with packed weights and parameters in place: `run` is one call into wasm and allocates nothing. */
export interface Call {
  /** Where the result is. */
  readonly y: KernelTensor<"int8">;
  /** The kernels that run, in order, with what is worth saying of each. */
  readonly kernels: readonly { readonly kernel: string; readonly note: string }[];
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  /** Bytes of packed weights and tables. */
  readonly bytes: number;
  /** Computes `y` from what the input holds now. Errors: CLOSED after its memory was released. */
  run(): void;
}

/** Where a result goes: a tensor, or the quantization of one to allocate. */
export type Target = KernelTensor<"int8"> | Affine;

/** Infers and lowers one operator as planning a graph of it would. */
export function prepareOperator<K extends OpKind>(
  engine: Engine,
  where: string,
  operator: Operator<K>,
  attributes: Parameters<Operator<K>["infer"]>[0]["attributes"],
  x: KernelTensor<"int8">,
  constants: readonly (Tensor | undefined)[],
  target: Target,
): Call {
  requireTensor(`${where}, x`, engine.memory, x, "int8");
  const inputs = [asTensor("x", x), ...constants];
  const { scale, zeroPoint } = target;
  const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
  const declared: Tensor = { name: "y", dtype: "int8", shape: "data" in target ? target.shape : [], quantization };
  const [type] = operator.infer({ where, attributes, inputs, outputs: [declared] });
  const y = resultTensor(engine, where, target, type?.shape ?? []);
  requireApart(where, x, y);
  const view = { where, attributes, inputs, outputs: [asTensor("y", y)] };
  return prepareCalls(engine, y, operator.macs?.(view) ?? 0, (to) => operator.lower?.(view, to), {
    inputs: inputs.map((tensor, i) => tensor && { ...tensor, address: i === 0 ? x.address : 0 }),
    outputs: [{ ...asTensor("y", y), address: y.address }],
  });
}

/** The tensor of a result: the caller's, of this shape, or a new one. */
export function resultTensor({ memory, stack }: Engine, where: string, target: Target, shape: readonly number[]) {
  if (!("data" in target)) return allocateTensor(stack, memory, "int8", shape, target);
  requireTensor(`${where}, y`, memory, target, "int8");
  const same = target.shape.length === shape.length && shape.every((size, i) => size === target.shape[i]);
  ensure(same, "INVALID_INPUT", () => ({
    where: `${where}, y`,
    expected: `a tensor ${listText(shape)}`,
    received: listText(target.shape),
  }));
  return target;
}

/** Kernels read while they write: the result may not stand where the input does. */
export function requireApart(where: string, x: KernelTensor, y: KernelTensor): void {
  ensure(x.address !== y.address || x.data.length === 0, "INVALID_INPUT", () => ({
    where: `${where}, y`,
    expected: "another tensor than x",
    received: "x itself",
  }));
}

/** Collects kernel calls, places their parameters and step table after them, and returns how to run them. */
export function prepareCalls(
  engine: Engine,
  y: KernelTensor<"int8">,
  macs: number,
  lower: (to: Lowering) => void,
  tensors: Pick<Lowering, "inputs" | "outputs"> = { inputs: [], outputs: [] },
): Call {
  const { name, exports, memory, stack } = engine;
  const heap = new Uint8Array(memory.buffer);
  const calls: KernelCall[] = [];
  let bytes = 0;
  let scratch = 0;
  const write = (data: Uint8Array, what: string) => {
    const address = stack.allocate(data.length, what);
    heap.set(data, address);
    return address;
  };
  lower({
    ...endsOf(tensors),
    module: name,
    optimize: "speed",
    packer,
    place(data) {
      bytes += data.length;
      return write(data instanceof Uint8Array ? data : bytesOf(data), "packed weights");
    },
    scratch(size) {
      scratch = Math.max(scratch, align(size));
      return { scratch: 0, scratchStride: 0 };
    },
    call: (call) => calls.push(call),
  });
  const scratchAddress = stack.scratch(scratch);
  const table = new DataView(new ArrayBuffer(calls.length * STEP_BYTES));
  for (const [i, call] of calls.entries()) {
    table.setUint32(i * STEP_BYTES, kernelNumber(call.kernel), true);
    table.setUint32(i * STEP_BYTES + 4, write(blockBytes(call, scratchAddress, scratch), "parameters"), true);
  }
  const steps = write(new Uint8Array(table.buffer), "steps");
  const { region } = stack;
  const count = calls.length;
  return Object.freeze({
    y,
    kernels: calls.map(({ kernel, note = "" }) => ({ kernel, note })),
    macs,
    bytes,
    run() {
      if (!region.live) refuseReleased();
      exports.run(steps, count, 0, 1);
    },
  });
}

function refuseReleased(): void {
  ensure(false, "CLOSED", () => ({
    where: "run",
    expected: "a call in use",
    received: "one whose memory was released",
  }));
}

/** A parameter block with its scratch fields, where it has them, set at last. */
function blockBytes({ kernel, params }: KernelCall, scratch: number, scratchStride: number): Uint8Array {
  const block = blockOf(kernel);
  const patch = hasScratch(block) ? { scratch, scratchStride } : {};
  return paramBytes(block, { ...params, ...patch } as ParamBlocks[typeof block]);
}
