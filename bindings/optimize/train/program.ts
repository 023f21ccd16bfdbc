/** A plan of training kernels, put together call by call: memory first come, first placed, and what is given back is used again. */
import { sharingOf } from "../../plan/blocks.ts";
import { ARENA_ADDRESS, align, type Plan, type PlanPort, type PlanStep, STEP_BYTES } from "../../plan/types.ts";
import { hasScratch, type ParamBlocks, paramBytes } from "../../primitives/params.ts";
import { blockOf, type KernelCall, kernelNumber } from "../../primitives/registry.ts";
import type { DType } from "../../tensor.ts";

/** Vectors of a kernel may read this far beyond a tensor. */
const SLACK = 32;
const LINE = 64;

/** What a call costs, for the threads that share it, and where it comes from. */
interface Cost {
  readonly where: string;
  readonly macs?: number;
  readonly elements?: number;
}

export interface Program {
  /** An address for as many floats, for the whole run. */
  keep(floats: number): number;
  /** The same until it is given back. */
  borrow(floats: number): number;
  release(address: number): void;
  /** An address for these numbers, which whoever opens the plan writes to the output of the name `constant 0`, `constant 1`, … */
  constant(values: Float32Array): number;
  readonly constants: readonly Float32Array[];
  /** Appends a call; scratch of each thread in bytes. */
  call(call: KernelCall, cost: Cost, scratchBytes?: number): void;
  /** Names a range of memory: an input that each run is given, or an output. */
  port(kind: "input" | "output", name: string, dtype: DType, shape: readonly number[], address: number): void;
  /** The plan, bound to the simd module with this hash. */
  plan(moduleHash: string): Plan;
}

interface Step {
  readonly call: KernelCall;
  readonly cost: Cost;
}

export function createProgram(): Program {
  let end = ARENA_ADDRESS;
  let scratchBytes = 0;
  const free = new Map<number, number[]>();
  const sizes = new Map<number, number>();
  const steps: Step[] = [];
  const ports: { readonly kind: "input" | "output"; readonly port: PlanPort }[] = [];
  const constants: Float32Array[] = [];
  const bytesOf = (floats: number) => align(floats * 4 + SLACK, LINE);
  const take = (bytes: number) => {
    const address = end;
    end += bytes;
    return address;
  };
  const port: Program["port"] = (kind, name, dtype, shape, address) => {
    const bytes = shape.reduce((product, size) => product * size, 1) * 4;
    ports.push({ kind, port: { name, dtype, shape, scale: 0, zeroPoint: 0, address, bytes } });
  };
  return {
    port,
    constants,
    constant(values) {
      const address = take(bytesOf(values.length));
      port("output", `constant ${constants.push(values) - 1}`, "float32", [values.length], address);
      return address;
    },
    keep: (floats) => take(bytesOf(floats)),
    borrow(floats) {
      const bytes = bytesOf(floats);
      const address = free.get(bytes)?.pop() ?? take(bytes);
      sizes.set(address, bytes);
      return address;
    },
    release(address) {
      const bytes = sizes.get(address) as number;
      free.set(bytes, [...(free.get(bytes) ?? []), address]);
    },
    call(call, cost, scratch = 0) {
      scratchBytes = Math.max(scratchBytes, align(scratch, LINE));
      steps.push({ call, cost });
    },
    plan: (moduleHash) => finish(steps, ports, { moduleHash, imageAddress: align(end, LINE), scratchBytes }),
  };
}

function finish(
  steps: readonly Step[],
  ports: readonly { readonly kind: "input" | "output"; readonly port: PlanPort }[],
  { moduleHash, imageAddress, scratchBytes }: Pick<Plan, "moduleHash" | "imageAddress" | "scratchBytes">,
): Plan {
  const blocks = steps.map(({ call }) => bytesOfCall(call).length);
  const tableBytes = align(steps.length * STEP_BYTES);
  const imageBytes = blocks.reduce((sum, bytes) => sum + align(bytes), tableBytes);
  const scratchAddress = align(imageAddress + imageBytes, LINE);
  const image = new Uint8Array(imageBytes);
  const table = new DataView(image.buffer);
  let offset = tableBytes;
  const planned = steps.map(({ call, cost }, i): PlanStep => {
    const bytes = bytesOfCall(call, scratchAddress);
    image.set(bytes, offset);
    const params = imageAddress + offset;
    table.setUint32(i * STEP_BYTES, kernelNumber(call.kernel), true);
    table.setUint32(i * STEP_BYTES + 4, params, true);
    offset += align(bytes.length);
    const { where, macs = 0, elements = 0 } = cost;
    return { kernel: call.kernel, params, where, note: call.note ?? "", macs, elements, bytes: 0, ...sharingOf(call) };
  });
  const portsOf = (kind: "input" | "output") => ports.filter((each) => each.kind === kind).map(({ port }) => port);
  return {
    module: "simd",
    edition: "train",
    moduleHash,
    imageAddress,
    image,
    scratchAddress,
    scratchBytes,
    arenaAddress: ARENA_ADDRESS,
    arenaBytes: imageAddress - ARENA_ADDRESS,
    stepsAddress: imageAddress,
    steps: planned,
    bodies: [],
    hosts: [],
    inputs: portsOf("input"),
    outputs: portsOf("output"),
    variables: [],
  };
}

/** A parameter block. Threads have their scratch in blocks of their own, so the stride by parts is 0. */
function bytesOfCall({ kernel, params }: KernelCall, scratch = 0): Uint8Array {
  const block = blockOf(kernel);
  const patch = hasScratch(block) ? { scratch, scratchStride: 0 } : {};
  return paramBytes(block, { ...params, ...patch } as ParamBlocks[typeof block]);
}
