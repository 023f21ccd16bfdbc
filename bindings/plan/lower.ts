/** Nodes → kernel calls, and those of the graphs that nodes run. */
import { ensure } from "../errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId, tensorOf } from "../graph.ts";
import { bind, endsOf } from "../ops/bind.ts";
import type { Lowering, Operators, Placed } from "../ops/types.ts";
import type { KernelCall } from "../primitives/registry.ts";
import { byteLength, portAffine, type Tensor, zeroOf } from "../tensor.ts";
import type { Stage } from "./apart.ts";
import type { Image } from "./image.ts";
import { addressIn, crossed, type GraphLayout, type Site } from "./layout.ts";
import { align, type HostStep, type PlanPort, type Range } from "./types.ts";

/** Threads' scratch areas begin on cache lines of their own. */
export const SCRATCH_ALIGNMENT = 64;

/** Kernel calls of one graph: networks have hundreds. */
const MAX_CALLS = 2 ** 15;
/** Turns of a loop at most, and steps in all its turns: about a second of steps that have next to nothing to do. */
const MAX_TURNS = 2 ** 24;
const MAX_TURNED_STEPS = 2 ** 25;

/** One kernel call and what is told of it. */
export interface Call {
  readonly call: KernelCall;
  readonly where: string;
  readonly macs: number;
  readonly elements: number;
  readonly bytes: number;
  /** The lists of calls that it walks. */
  readonly lists?: readonly (readonly Call[])[];
}

/** What all graphs of a plan have in common. */
interface Target extends Pick<Lowering, "module" | "optimize" | "packer"> {
  readonly operators: Operators;
  readonly image: Image;
  readonly variables: Variables;
  readonly stage: Stage;
  /** Multiply-accumulates and elements that one run, and so one loop, may take. */
  readonly work: number;
  /** Where a loop and those in it count what is left to them. */
  readonly left?: number;
}

interface Lowered {
  readonly calls: readonly Call[];
  readonly hosts: readonly HostStep[];
  readonly scratchBytes: number;
  readonly addressOf: (id: TensorId) => number;
}

/** Places of the variables of a graph and of all that its nodes run. */
interface Variables {
  readonly ranges: readonly Range[];
  addressOf(graph: Graph, id: TensorId): number | undefined;
}

/** Puts the start of every variable into the image; those of one `resource` are one. */
export function placeVariables(graph: Graph, image: Image): Variables {
  const ranges: Range[] = [];
  const named = new Map<string, number>();
  const own = new Map<Graph, Map<TensorId, number>>();
  const place = (tensor: Tensor): number => {
    const address = image.placeOwn(initialBytes(tensor));
    ranges.push({ address, bytes: byteLength(tensor) });
    return address;
  };
  const visit = (each: Graph) => {
    const places = new Map<TensorId, number>();
    own.set(each, places);
    for (const id of variablesOf(each)) {
      const tensor = tensorOf(each, id);
      const { resource } = tensor;
      const address = (resource === undefined ? undefined : named.get(resource)) ?? place(tensor);
      if (resource !== undefined) named.set(resource, address);
      places.set(id, address);
    }
    for (const node of each.nodes) for (const body of bodiesOf(node)) visit(body);
  };
  visit(graph);
  return { ranges, addressOf: (each, id) => own.get(each)?.get(id) };
}

/** The variables of a graph that anything reads or writes. */
function variablesOf({ tensors, nodes, inputs, outputs }: Graph): readonly TensorId[] {
  const used = new Set<TensorId>([...inputs, ...outputs].map(({ tensor }) => tensor));
  for (const node of nodes) for (const id of [...node.inputs, ...node.outputs]) used.add(id);
  return [...used].filter((id) => tensors[id]?.variable);
}

/** Bytes of the variables of a graph and of those that its nodes run, before any is made. */
export function variableBytes(graph: Graph): number {
  const own = variablesOf(graph).reduce((sum, id) => sum + byteLength(tensorOf(graph, id)), 0);
  return graph.nodes.reduce(
    (sum, node) => bodiesOf(node).reduce((inner, body) => inner + variableBytes(body), sum),
    own,
  );
}

/** The initial value of a variable: its data, or zero in its own quantization, as the reference starts it. */
function initialBytes(tensor: Tensor): Uint8Array {
  if (tensor.data !== undefined) return tensor.data;
  const bytes = new Uint8Array(byteLength(tensor));
  return tensor.dtype === "int8" || tensor.dtype === "uint8" ? bytes.fill(zeroOf(tensor)) : bytes;
}

/** The calls of a graph that lies at a site. */
export function lowerGraph(site: Site, target: Target): Lowered {
  const { graph, storage, bodies } = site.layout;
  const { operators, image, variables, stage } = target;
  const addressOf = (id: TensorId): number => {
    const source = storage.sourceOf(id);
    return (
      addressIn(site, id) ??
      variables.addressOf(graph, source) ??
      image.place(tensorOf(graph, source).data as Uint8Array)
    );
  };
  const calls: Call[] = [];
  const hosts: HostStep[] = [];
  let scratchBytes = 0;
  for (const [number, node] of graph.nodes.entries()) {
    const inside = bodies.get(number);
    if (inside !== undefined) {
      const block = storage.blockInside(number);
      const base = block === undefined ? 0 : site.base + (site.layout.offsets[block] as number);
      const lowered = lowerControl(node, graph, inside, base, addressOf, target);
      for (const call of lowered.calls) calls.push(call);
      scratchBytes = Math.max(scratchBytes, lowered.scratchBytes);
      continue;
    }
    const { operator, view: lying } = bind(operators, node, graph.tensors);
    if (operator.alias || operator.lower === undefined) continue;
    const view = stage(node, lying);
    const pending: KernelCall[] = [];
    let bytes = 0;
    const lowering: Lowering = {
      ...target,
      products: operators.products,
      ...endsOf({
        inputs: node.inputs.map((id, i) => placed(view.inputs[i], id, addressOf)),
        outputs: node.outputs.map((id, i) => placed(view.outputs[i], id, addressOf) as Placed),
      }),
      place: (data) => {
        bytes += data.length;
        return image.place(data);
      },
      scratch: (size) => {
        scratchBytes = Math.max(scratchBytes, align(size, SCRATCH_ALIGNMENT));
        return { scratch: 0, scratchStride: 0 };
      },
      call: (call) => {
        ensure(calls.length + pending.length < MAX_CALLS, "UNSUPPORTED", () => ({
          where: node.where,
          expected: `at most ${MAX_CALLS} kernel calls in a graph`,
          received: "more",
        }));
        pending.push(call);
      },
      host: ({ name, options, ...ends }) =>
        hosts.push({
          step: calls.length,
          name,
          options,
          inputs: ends.inputs.map(portOf),
          outputs: ends.outputs.map(portOf),
        }),
    };
    operator.lower(view, lowering);
    operators.opening?.watched(lowering, image.placeOwn);
    const macs = operator.macs?.(view) ?? 0;
    const largest = [...view.inputs, ...view.outputs].reduce((most, each) => Math.max(most, elementsOf(each)), 0);
    const isOver = operator.touched && operator.inPlace?.(view).some((i) => lowering.input(i) === lowering.output(0));
    const elements = (isOver ? operator.touched?.(view) : undefined) ?? largest;
    for (const [i, call] of pending.entries())
      calls.push({ call, where: node.where, macs: i === 0 ? macs : 0, elements, bytes: i === 0 ? bytes : 0 });
  }
  return { calls, hosts, scratchBytes, addressOf };
}

/**
 * IF: one of two lists, each of which ends by copying its outputs to the node's. WHILE: the state lies in the node's outputs;
 * both lists read it there, and the second ends by copying the next state to it.
 */
function lowerControl(
  node: AnyNode,
  graph: Graph,
  layouts: readonly GraphLayout[],
  base: number,
  addressOf: (id: TensorId) => number,
  target: Target,
): Pick<Lowered, "calls" | "scratchBytes"> {
  const { where } = node;
  const loops = node.kind === "while";
  const results = node.outputs.map(addressOf);
  const given = loops ? results : node.inputs.slice(1).map(addressOf);
  const left = target.left ?? (loops ? target.image.placeOwn(new Uint8Array(4)) : undefined);
  const lowered = layouts.map((layout) => {
    const inputs = new Map(layout.graph.inputs.map(({ tensor }, i) => [tensor, given[i] as number] as const));
    return { layout, ...lowerGraph({ layout, base, inputs }, { ...target, ...(left !== undefined && { left }) }) };
  });
  for (const [host] of lowered.map(({ hosts }) => hosts))
    ensure(host === undefined, "UNSUPPORTED", () => ({
      where,
      expected: "operators of the user outside of control flow",
      received: `"${host?.name}" inside`,
    }));
  const lists = lowered.map(({ layout, calls, addressOf: inner }, i) =>
    loops && i === 0 ? calls : [...calls, ...copyOutputs(where, layout, base, inner, results)],
  );
  const [first] = lowered;
  const condition = loops
    ? (first?.addressOf(first.layout.graph.outputs[0]?.tensor as TensorId) as number)
    : addressOf(node.inputs[0] as TensorId);
  const copies = loops
    ? node.inputs.flatMap((id, i) => copy(where, graph, id, addressOf(id), results[i] as number))
    : [];
  const cost = loops ? costOf(lists, target.work) : 0;
  const fresh = target.left === undefined ? MAX_TURNED_STEPS : 0;
  const params = { condition, steps0: 0, count0: 0, steps1: 0, count1: 0, fresh, left: left ?? 0, cost };
  const call: Call = {
    call: { kernel: loops ? "loop" : "branch", params },
    where,
    macs: 0,
    elements: 0,
    bytes: 0,
    lists,
  };
  return { calls: [...copies, call], scratchBytes: Math.max(...lowered.map(({ scratchBytes }) => scratchBytes)) };
}

/** What a turn costs of `MAX_TURNED_STEPS`, after which a loop is taken for one that never ends: loops within it pay for themselves. */
function costOf(lists: readonly (readonly Call[])[], most: number): number {
  let [steps, work] = [0, 0];
  const visit = (list: readonly Call[]) => {
    steps += list.length;
    for (const { call, macs, elements, lists: inside = [] } of list) {
      work += macs + elements;
      if (call.kernel !== "loop") for (const each of inside) visit(each);
    }
  };
  for (const list of lists) visit(list);
  const fits = Math.min(MAX_TURNS, MAX_TURNED_STEPS / Math.max(steps, 1), most / Math.max(work, 1));
  return Math.floor(MAX_TURNED_STEPS / Math.max(Math.floor(fits), 1));
}

/** Outputs of a body to where its caller wants them; those that are inputs in another order are put aside first. */
function copyOutputs(
  where: string,
  { graph, storage, spare }: GraphLayout,
  base: number,
  addressOf: (id: TensorId) => number,
  results: readonly number[],
): readonly Call[] {
  const aside: Call[] = [];
  const places = graph.outputs.map(({ tensor }) => addressOf(tensor));
  let at = base + spare;
  for (const i of crossed(graph, storage)) {
    const { tensor } = graph.outputs[i] as (typeof graph.outputs)[number];
    for (const call of copy(where, graph, tensor, places[i] as number, at)) aside.push(call);
    places[i] = at;
    at += align(byteLength(tensorOf(graph, tensor)));
  }
  const home = graph.outputs.flatMap(({ tensor }, i) =>
    copy(where, graph, tensor, places[i] as number, results[i] as number),
  );
  return [...aside, ...home];
}

function copy(where: string, graph: Graph, id: TensorId, x: number, y: number): readonly Call[] {
  const bytes = byteLength(tensorOf(graph, id));
  if (bytes === 0 || x === y) return [];
  const call: KernelCall = { kernel: "copy", params: { x, y, rows: 1, bytes, xStride: bytes, yStride: bytes } };
  return [{ call, where, macs: 0, elements: bytes, bytes: 0 }];
}

/** A tensor for whoever reads and writes it from outside. */
function portOf(tensor: Placed): PlanPort {
  const { name, dtype, shape, address } = tensor;
  return { name, dtype, shape, ...portAffine(tensor), address, bytes: byteLength(tensor) };
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
