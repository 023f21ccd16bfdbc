import { ensure } from "../errors.ts";
import { type Graph, NONE, type Port, type TensorId, tensorOf } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import { operators as table } from "../ops/index.ts";
import type { Lowering, Operators, Placed } from "../ops/types.ts";
import type { ModuleName, Optimize } from "../primitives/modules.ts";
import { PARAMS, type ParamBlocks, paramBytes } from "../primitives/params.ts";
import { editionOf, KERNELS, type KernelCall, kernelNumber } from "../primitives/registry.ts";
import { packer as inJavaScript } from "../primitives/requantize/packer.ts";
import type { Packer } from "../primitives/requantize/types.ts";
import { byteLength, MAX_BYTES, type Tensor } from "../tensor.ts";
import { placeBlocks } from "./arena.ts";
import { createImage, type Image } from "./image.ts";
import { assignStorage } from "./storage.ts";
import { ARENA_ADDRESS, align, type Plan, type PlanPort, type PlanStep, type Range, STEP_BYTES } from "./types.ts";

/** Threads' scratch areas begin on cache lines of their own. */
const SCRATCH_ALIGNMENT = 64;

export interface PlanOptions {
  readonly module: ModuleName;
  /** Hash of that module, in hexadecimal, as `loadModule` gives it. */
  readonly moduleHash: string;
  /** What to spare where an operator can choose; `"speed"` when absent. */
  readonly optimize?: Optimize;
  /** Who does the longest of the work, as `loadPacker` gives it; JavaScript when absent. The plan is the same. */
  readonly packer?: Packer;
  /** The operators; the library's own when absent. */
  readonly operators?: Operators;
}

interface Call {
  readonly call: KernelCall;
  readonly where: string;
  readonly macs: number;
  readonly elements: number;
  readonly bytes: number;
}

/**
 * Binds a graph that `runPasses` returned to one module: arena offsets first, so that addresses are known when each
 * operator packs its weights; then the image; scratch, whose size only lowering tells, comes last in memory.
 *
 * Errors: OUT_OF_MEMORY where all of it takes more than 4 GiB, with the largest tensors; whatever lowering refuses.
 */
export function planGraph(graph: Graph, options: PlanOptions): Plan {
  const { module, moduleHash, optimize = "speed", packer = inJavaScript, operators = table } = options;
  const storage = assignStorage(graph, operators);
  const arena = placeBlocks(storage.blocks);
  const imageAddress = ARENA_ADDRESS + arena.bytes;
  checkMemory(graph, imageAddress, "the arena");

  const image = createImage(imageAddress);
  const variables = new Map<TensorId, number>();
  for (const [id, tensor] of graph.tensors.entries())
    if (tensor.variable) variables.set(id as TensorId, image.placeOwn(initialBytes(tensor)));

  const addressOf = (id: TensorId): number => {
    const block = storage.blockOf(id);
    if (block !== undefined) return ARENA_ADDRESS + (arena.offsets[block] as number);
    const source = storage.sourceOf(id);
    return variables.get(source) ?? image.place(tensorOf(graph, source).data as Uint8Array);
  };

  const { calls, scratchBytes } = lowerAll(graph, operators, { module, optimize, packer }, image, addressOf);
  const inputs = ports(graph, graph.inputs, addressOf);
  const outputs = ports(graph, graph.outputs, addressOf);

  const paramsAddress = imageAddress + image.size();
  const sizes = calls.map(({ call }) => align(blockOf(call).length * 4));
  const stepsAddress = paramsAddress + sizes.reduce((sum, size) => sum + size, 0);
  const scratchAddress = align(stepsAddress + calls.length * STEP_BYTES, SCRATCH_ALIGNMENT);
  checkMemory(graph, scratchAddress + scratchBytes, "arena, weights and scratch");

  const steps: PlanStep[] = [];
  const stepTable = new Uint32Array(calls.length * 2);
  let params = paramsAddress;
  for (const [i, { call, ...rest }] of calls.entries()) {
    image.placeOwn(writeBlock(call, scratchAddress, scratchBytes));
    stepTable.set([kernelNumber(call.kernel), params], i * 2);
    steps.push({ kernel: call.kernel, params, note: call.note ?? "", ...rest });
    params += sizes[i] as number;
  }
  image.placeOwn(littleEndian(stepTable));
  return {
    module,
    edition: editionOf(calls.map(({ call }) => call.kernel)),
    moduleHash,
    arenaAddress: ARENA_ADDRESS,
    arenaBytes: arena.bytes,
    imageAddress,
    image: image.bytes(),
    scratchAddress,
    scratchBytes,
    stepsAddress,
    steps,
    inputs,
    outputs,
    variables: [...variables].map(([id, address]): Range => ({ address, bytes: byteLength(tensorOf(graph, id)) })),
  };
}

function lowerAll(
  graph: Graph,
  operators: Operators,
  target: Pick<Lowering, "module" | "optimize" | "packer">,
  image: Image,
  addressOf: (id: TensorId) => number,
): { readonly calls: readonly Call[]; readonly scratchBytes: number } {
  const calls: Call[] = [];
  let scratchBytes = 0;
  for (const node of graph.nodes) {
    const { operator, view } = bind(operators, node, graph.tensors);
    if (operator.alias || operator.lower === undefined) continue;
    const pending: KernelCall[] = [];
    let bytes = 0;
    const lowering: Lowering = {
      ...target,
      inputs: node.inputs.map((id, i) => placed(view.inputs[i], id, addressOf)),
      outputs: node.outputs.map((id, i) => placed(view.outputs[i], id, addressOf) as Placed),
      place: (data) => {
        bytes += data.length;
        return image.place(data);
      },
      scratch: (size) => {
        scratchBytes = Math.max(scratchBytes, align(size, SCRATCH_ALIGNMENT));
        return { scratch: 0, scratchStride: 0 };
      },
      call: (call) => pending.push(call),
    };
    operator.lower(view, lowering);
    const macs = operator.macs?.(view) ?? 0;
    const elements = Math.max(0, ...[...view.inputs, ...view.outputs].map(elementsOf));
    for (const [i, call] of pending.entries())
      calls.push({ call, where: node.where, macs: i === 0 ? macs : 0, elements, bytes: i === 0 ? bytes : 0 });
  }
  return { calls, scratchBytes };
}

const elementsOf = (tensor: Tensor | undefined): number =>
  tensor === undefined || tensor.data !== undefined ? 0 : tensor.shape.reduce((all, size) => all * size, 1);

/**
 * The tensor with its address. A constant is put into the image only when the operator asks for its address: most are
 * packed, and their plain bytes never needed.
 */
function placed(tensor: Tensor | undefined, id: TensorId, addressOf: (id: TensorId) => number): Placed | undefined {
  if (tensor === undefined || id === NONE) return undefined;
  return {
    ...tensor,
    get address() {
      return addressOf(id);
    },
  };
}

/** The initial value of a variable: its data, or zero in its own quantization, as the reference starts it. */
function initialBytes(tensor: Tensor): Uint8Array {
  if (tensor.data !== undefined) return tensor.data;
  const bytes = new Uint8Array(byteLength(tensor));
  const zero = tensor.quantization?.zeroPoint[0] ?? 0;
  return tensor.dtype === "int8" || tensor.dtype === "uint8" ? bytes.fill(zero) : bytes;
}

const blockOf = (call: KernelCall): readonly string[] => {
  const [, block] = KERNELS[kernelNumber(call.kernel)] as (typeof KERNELS)[number];
  return Object.keys(PARAMS[block]);
};

/** A parameter block with its scratch fields, where it has them, set at last. */
function writeBlock(call: KernelCall, scratch: number, scratchStride: number): Uint8Array {
  const [, block] = KERNELS[kernelNumber(call.kernel)] as (typeof KERNELS)[number];
  const patch = "scratch" in PARAMS[block] ? { scratch, scratchStride } : {};
  return paramBytes(block, { ...call.params, ...patch } as ParamBlocks[typeof block]);
}

function littleEndian(words: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  return new Uint8Array(view.buffer);
}

/** Names are unique, so that inputs and outputs can be told apart by them; `__proto__` is no name in JavaScript. */
function ports(graph: Graph, list: readonly Port[], addressOf: (id: TensorId) => number): readonly PlanPort[] {
  const taken = new Set(["__proto__", ""]);
  return list.map(({ name, tensor: id }, i) => {
    const tensor = tensorOf(graph, id);
    let unique = name;
    for (let suffix = i; taken.has(unique); suffix++) unique = `${name || "tensor"}:${suffix}`;
    taken.add(unique);
    const quantized = tensor.quantization?.scale.length === 1;
    return {
      name: unique,
      dtype: tensor.dtype,
      shape: tensor.shape,
      scale: quantized ? (tensor.quantization?.scale[0] as number) : 0,
      zeroPoint: quantized ? (tensor.quantization?.zeroPoint[0] ?? 0) : 0,
      address: addressOf(id),
      bytes: byteLength(tensor),
    };
  });
}

function checkMemory(graph: Graph, bytes: number, what: string): void {
  ensure(bytes <= MAX_BYTES - 65536, "OUT_OF_MEMORY", () => ({
    where: "plan",
    expected: `${what} within 4 GiB`,
    received: `${(bytes / 2 ** 30).toFixed(2)} GiB; the largest tensors: ${largest(graph)}`,
    hint: "Use a smaller batch or input.",
  }));
}

function largest(graph: Graph): string {
  return graph.nodes
    .flatMap(({ outputs }) => outputs)
    .concat(graph.inputs.map(({ tensor }) => tensor))
    .map((id) => tensorOf(graph, id))
    .sort((a, b) => byteLength(b) - byteLength(a))
    .slice(0, 3)
    .map((tensor) => `"${tensor.name}" [${tensor.shape}] ${tensor.dtype}, ${byteLength(tensor)} bytes`)
    .join("; ");
}
