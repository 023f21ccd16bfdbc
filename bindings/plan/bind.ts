import { ensure, guarded } from "../errors.ts";
import { type Graph, type Port, type TensorId, tensorOf } from "../graph.ts";
import { chargeNodes, checkWork, type Limits, limitsOf, windowWork } from "../limits.ts";
import type { Operators } from "../ops/types.ts";
import type { ModuleName, Optimize } from "../primitives/modules.ts";
import { hasScratch, type ParamBlocks, paramBytes } from "../primitives/params.ts";
import { blockOf, editionOf, type KernelCall, kernelNumber } from "../primitives/registry.ts";
import { packer as inJavaScript } from "../primitives/requantize/packer.ts";
import type { Packer } from "../primitives/requantize/types.ts";
import { byteLength, portAffine, typeText } from "../tensor.ts";
import { createStage, takeApart } from "./apart.ts";
import { sharingOf } from "./blocks.ts";
import { createImage, type Image, type ImageOptions } from "./image.ts";
import { layoutGraph, type Site } from "./layout.ts";
import { type Call, lowerGraph, placeVariables, SCRATCH_ALIGNMENT, variableBytes } from "./lower.ts";
import { tablesOf } from "./tables.ts";
import { ARENA_ADDRESS, align, type Plan, type PlanPort, type PlanStep, type StepList } from "./types.ts";

/**
 * What a graph is planned for. With a pool or a memory, for sessions of this process, the plan puts its image together each time that
 * it is asked for.
 */
export interface BindOptions extends ImageOptions {
  /** The kernels that it will run on. */
  readonly module: ModuleName;
  /** Hash of that module, in hexadecimal, as `loadModule` gives it. */
  readonly moduleHash: string;
  /** What to spare where an operator can choose; `"speed"` when absent. */
  readonly optimize?: Optimize;
  /** Who does the longest of the work, as `loadPacker` gives it; JavaScript when absent. The plan is the same. */
  readonly packer?: Packer;
  /** What the model may ask for. */
  readonly limits?: Limits;
}

/** `planGraph`, by these operators. */
export function planGraphBy(operators: Operators, graph: Graph, options: BindOptions): Plan {
  return guarded("INVALID_GRAPH", "plan", () => planWithin(operators, graph, options));
}

function planWithin(operators: Operators, whole: Graph, options: BindOptions): Plan {
  const { module, moduleHash, pool, reach, resting, optimize = "speed", packer = inJavaScript } = options;
  const limits = limitsOf(whole, options.limits);
  chargeNodes(whole, limits);
  const layout = layoutGraph(whole, operators);
  const graph = resting === undefined ? whole : takeApart(whole, resting);
  const imageAddress = ARENA_ADDRESS + layout.bytes;
  checkMemory(graph, limits, imageAddress + variableBytes(graph), "arena and variables");

  const image = createImage(imageAddress, { pool, reach, resting });
  const variables = placeVariables(graph, image);
  const site: Site = { layout: { ...layout, graph }, base: ARENA_ADDRESS, inputs: new Map() };
  const stage = createStage(image, layout.bytes);
  const target = { module, optimize, packer, operators, image, variables, stage, work: limits.work };
  const { calls, hosts, scratchBytes, addressOf } = lowerGraph(site, target);
  if (resting !== undefined) new Uint8Array(resting.memory.buffer, ARENA_ADDRESS, layout.bytes).fill(0);
  checkWork(
    calls.reduce((sum, { macs, elements }) => sum + macs + elements, windowWork(graph)),
    limits,
  );
  const inputs = ports(graph, graph.inputs, addressOf);
  const outputs = ports(graph, graph.outputs, addressOf);

  const tables = tablesOf(calls, imageAddress + image.size());
  const scratchAddress = align(tables.end, SCRATCH_ALIGNMENT);
  checkMemory(graph, limits, scratchAddress + scratchBytes, "arena, weights and scratch");
  const bodies = tables.lists.map(({ calls: list, params, stepsAddress }): StepList => {
    const words = new Uint32Array(list.length * 2);
    const steps = list.map(({ call, lists: _, ...rest }, i): PlanStep => {
      const block = params[i] as number;
      image.placeOwn(writeBlock(tables.patched(list[i] as Call), scratchAddress));
      words.set([kernelNumber(call.kernel), block], i * 2);
      return { kernel: call.kernel, params: block, note: call.note ?? "", ...sharingOf(call), ...rest };
    });
    image.placeOwn(littleEndian(words));
    return { stepsAddress, steps };
  });
  const { stepsAddress, steps } = bodies.pop() as StepList;
  const plan = {
    module,
    edition: editionOf([...bodies, { steps }].flatMap((list) => list.steps.map(({ kernel }) => kernel))),
    moduleHash,
    arenaAddress: ARENA_ADDRESS,
    arenaBytes: layout.bytes,
    imageAddress,
    scratchAddress,
    scratchBytes,
    stepsAddress,
    steps,
    bodies,
    hosts,
    inputs,
    outputs,
    variables: variables.ranges,
  };
  return withImage(plan, image, pool !== undefined);
}

/** The plan with its image: its bytes, or who puts them together where that stands in memory or shares its chunks. */
function withImage(plan: Omit<Plan, "image">, image: Image, isShared: boolean): Plan {
  const memory = image.memory();
  if (!isShared && memory === undefined) return { ...plan, image: image.bytes() };
  return {
    ...plan,
    ...(memory === undefined ? {} : { memory }),
    get image() {
      return image.bytes();
    },
  };
}

/** A parameter block with its scratch, where it has some, set at last: that of the thread which runs it, whatever the part. */
function writeBlock(call: KernelCall, scratch: number): Uint8Array {
  const block = blockOf(call.kernel);
  const patch = hasScratch(block) ? { scratch, scratchStride: 0 } : {};
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
    return {
      name: unique,
      dtype: tensor.dtype,
      shape: tensor.shape,
      ...portAffine(tensor),
      address: addressOf(id),
      bytes: byteLength(tensor),
      ...(tensor.length === undefined ? {} : { lengthAddress: addressOf(tensor.length as TensorId) }),
    };
  });
}

function checkMemory(graph: Graph, { memory }: Required<Limits>, bytes: number, what: string): void {
  ensure(bytes <= memory, "OUT_OF_MEMORY", () => ({
    where: "plan",
    expected: `${what} within ${inUnits(memory)}`,
    received: `${inUnits(bytes)}; the largest tensors: ${largest(graph)}`,
    hint: "Use a smaller batch or input, or set limits.memory higher, 4 GiB at most.",
  }));
}

const inUnits = (bytes: number) =>
  bytes >= 2 ** 29 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${+(bytes / 2 ** 20).toFixed(2)} MiB`;

function largest(graph: Graph): string {
  return graph.nodes
    .flatMap(({ outputs }) => outputs)
    .concat(graph.inputs.map(({ tensor }) => tensor))
    .map((id) => tensorOf(graph, id))
    .sort((a, b) => byteLength(b) - byteLength(a))
    .slice(0, 3)
    .map((tensor) => `"${tensor.name}" ${typeText(tensor)}, ${byteLength(tensor)} bytes`)
    .join("; ");
}
