/**
 * How much a model may ask for. A file of a few bytes can ask for terabytes and years: each of these is asked before it is
 * granted. Whoever trusts a model and has the memory can set them higher.
 */
import { ensure, kindOf } from "./errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE } from "./graph.ts";
import { elementCount, type Tensor } from "./tensor.ts";

/** Bounds of memory and work; a model that asks for more is refused with OUT_OF_MEMORY or UNSUPPORTED. */
export interface Limits {
  /** Bytes of linear memory; when absent 192 MiB and four times the constants' bytes, at most 4 GiB in any case. */
  readonly memory?: number;
  /** Multiply-accumulates and elements of one run; 2^40 when absent. */
  readonly work?: number;
  /** Bytes of constants and quantization that nodes read while planning; 256 MiB and 32 times the constants' bytes when absent. */
  readonly planning?: number;
}

const MEBI = 2 ** 20;
const MEMORY = 192 * MEBI;
const MEMORY_FOR_CONSTANTS = 4;
/** What 32-bit addresses reach, less a page. */
const MOST_MEMORY = 2 ** 32 - 65536;
const WORK = 2 ** 40;
const PLANNING = 256 * MEBI;
const PLANNING_FOR_CONSTANTS = 32;
/** Bytes that one scale with its zero point counts for, and one node. */
const SCALE = 16;
const NODE = 256;

/** Refuses limits that are none. Errors: INVALID_OPTION. */
export function requireLimits(given: Limits = {}): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    ensure(["memory", "work", "planning"].includes(name), "INVALID_OPTION", () => ({
      where: "option limits",
      expected: "limits of memory, work and planning",
      received: `"${name}"`,
    }));
    ensure(value === undefined || (typeof value === "number" && value >= 0), "INVALID_OPTION", () => ({
      where: `limits.${name}`,
      expected: "a number from 0",
      received: kindOf(value),
    }));
  }
}

/** The limits of a graph: those given, and the defaults for others. */
export function limitsOf(graph: Graph, given: Limits = {}): Required<Limits> {
  requireLimits(given);
  const constants = constantBytes(graph);
  const memory = given?.memory ?? MEMORY + MEMORY_FOR_CONSTANTS * constants;
  return {
    memory: Math.min(memory, MOST_MEMORY),
    work: given?.work ?? WORK,
    planning: given?.planning ?? PLANNING + PLANNING_FOR_CONSTANTS * constants,
  };
}

/** Bytes of all constants, those that share bytes counted once. */
function constantBytes(graph: Graph): number {
  const seen = new Map<ArrayBufferLike, Set<number>>();
  let sum = 0;
  const visit = (each: Graph) => {
    for (const { data } of each.tensors) {
      if (data === undefined) continue;
      const starts = seen.get(data.buffer) ?? new Set();
      seen.set(data.buffer, starts);
      if (!starts.has(data.byteOffset)) sum += data.byteLength;
      starts.add(data.byteOffset);
    }
    for (const node of each.nodes) for (const body of bodiesOf(node)) visit(body);
  };
  visit(graph);
  return sum;
}

/** Counts what nodes read while a graph is planned; UNSUPPORTED once it is more than the limit. */
export function chargeNodes(graph: Graph, { planning }: Required<Limits>): void {
  let left = planning;
  const costOf = (tensor: Tensor | undefined) =>
    (tensor?.data?.byteLength ?? 0) + SCALE * (tensor?.quantization?.scale.length ?? 0);
  const charge = (each: Graph, node: AnyNode) => {
    left -= NODE;
    for (const id of [...node.inputs, ...node.outputs]) if (id !== NONE) left -= costOf(each.tensors[id]);
    ensure(left >= 0, "UNSUPPORTED", () => ({
      where: node.where,
      expected: `nodes that read ${Math.round(planning / MEBI)} MiB of constants and scales at most, all together`,
      received: "more: the same ones again and again",
      hint: "Set limits.planning higher if you trust the model.",
    }));
  };
  const visit = (each: Graph) => {
    for (const node of each.nodes) {
      charge(each, node);
      for (const body of bodiesOf(node)) visit(body);
    }
  };
  visit(graph);
}

/**
 * Additions that the windows of pools take, which count as no multiply-accumulates, and products of transposed convolutions whose
 * kernels are larger than their inputs: each output gathers all taps that its phase has, of which few may meet an input.
 */
export function windowWork(graph: Graph): number {
  let work = 0;
  for (const node of graph.nodes) {
    for (const body of bodiesOf(node)) work += windowWork(body);
    const [y = [], w = []] = [node.outputs[0], node.inputs[1]].map((id) => graph.tensors[id ?? NONE]?.shape);
    if ("filter" in node.attributes) work += elementCount(node.attributes.filter) * elementCount(y);
    if (!/^transposeConv|Transpose$/.test(node.kind) || !("stride" in node.attributes)) continue;
    work += (elementCount(y) * elementCount(w)) / elementCount([...node.attributes.stride, y.at(-1) ?? 1]);
  }
  return work;
}

/** Refuses more work than a run may take. */
export function checkWork(work: number, limits: Required<Limits>): void {
  ensure(work <= limits.work, "UNSUPPORTED", () => ({
    where: "model",
    expected: `at most ${limits.work.toExponential(2)} multiply-accumulates and elements in one run`,
    received: work.toExponential(2),
    hint: "Set limits.work higher if you trust the model and have the time.",
  }));
}
