/** Where everything of one training step lies in memory, and what its nodes write their steps into. */
import { ensure } from "../../errors.ts";
import { type AnyNode, type Graph, NONE, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { floatsOf } from "../constants.ts";
import { gradientOf } from "./gradients/index.ts";
import type { Norm, Parameter, Tape } from "./gradients/types.ts";
import { type Layout, type Slot, slotOf } from "./layout.ts";
import type { Program } from "./program.ts";
import { sharesOf } from "./ties.ts";

/** Addresses of the arrays that all parameters lie in, by name. */
export type Arrays = ReturnType<typeof placeArrays>;

function placeArrays(program: Program, layout: Layout, masked: boolean) {
  return {
    weights: program.keep(layout.floats),
    gradients: program.keep(layout.floats),
    first: program.keep(layout.floats),
    second: program.keep(layout.floats),
    masks: masked ? program.keep(layout.decayed) : 0,
    running: program.keep(layout.running),
    step: program.keep(4),
  };
}

/** Which tensor's bytes a tensor has: reshapes share their input's. */
function aliasesOf(graph: Graph): (id: TensorId) => TensorId {
  const own = new Map<TensorId, TensorId>();
  for (const node of graph.nodes) {
    const [x, y] = [node.inputs[0] as TensorId, node.outputs[0] as TensorId];
    if (gradientOf(node as Node)?.alias) own.set(y, own.get(x) ?? x);
  }
  return (id) => own.get(id) ?? id;
}

/** The weights of a layer; NONE where it is none. */
export const weightOf = (node: AnyNode | Node): TensorId =>
  node.inputs[gradientOf(node as Node)?.weights?.input ?? -1] ?? NONE;

/** The memory of a step of this graph, whose activations and inputs have their places, and its inputs their names. */
export function createMemory(program: Program, graph: Graph, layout: Layout, masked: boolean) {
  const arrays = placeArrays(program, layout, masked);
  const canonical = aliasesOf(graph);
  const floats = (id: TensorId) => elementCount(tensorOf(graph, id).shape);
  const zeros = program.keep(4);
  const values = new Map<TensorId, number>();
  for (const { name, tensor } of graph.inputs) {
    const address = program.keep(floats(tensor));
    values.set(tensor, address);
    program.port("input", `input ${name}`, "float32", tensorOf(graph, tensor).shape, address);
  }
  for (const node of graph.nodes)
    for (const id of node.outputs) if (canonical(id) === id) values.set(id, program.keep(floats(id)));
  const shares = sharesOf(program, arrays.gradients);
  return {
    arrays,
    zeros,
    canonical,
    /** Numbers of a tensor. */
    floats,
    /** Of inputs, activations and constants. */
    values,
    /** Of activations that are rounded as integers will be. */
    rounded: new Map<TensorId, number>(),
    gradients: new Map<TensorId, number>(),
    norms: new Map<TensorId, Norm>(),
    /** Of rounded weights, by the place of those that they are made of. */
    roundedWeights: new Map<number, number>(),
    shares,
    /** A parameter of this tensor; undefined where it is none. */
    parameter(role: Slot["role"], id: TensorId): Parameter | undefined {
      const slot = slotOf(layout, role, id);
      return slot && { value: arrays.weights + slot.offset * 4, gradient: shares.gradient(slot) };
    },
  };
}

export type Memory = ReturnType<typeof createMemory>;

/** What nodes write their steps into, and what sets the node whose turn it is: what it had borrowed is given back after it. */
export function createTape(program: Program, graph: Graph, memory: Memory) {
  const { canonical, floats, values, rounded, gradients, norms, roundedWeights, parameter } = memory;
  const sources = new Set(graph.inputs.map(({ tensor }) => tensor));
  let current: AnyNode;
  let temporaries: number[] = [];
  const tape: Tape = {
    zeros: memory.zeros,
    value(id) {
      const own = canonical(id);
      const { data } = tensorOf(graph, own);
      if (data !== undefined && !values.has(own)) values.set(own, program.constant(floatsOf(tensorOf(graph, own))));
      return (current.outputs.includes(id) ? undefined : rounded.get(own)) ?? (values.get(own) as number);
    },
    weights(node) {
      const id = weightOf(node);
      const found = parameter("weight", id);
      ensure(found !== undefined, "UNSUPPORTED", () => ({
        where: current.where,
        expected: "weights that are constants of float32",
        received: `"${tensorOf(graph, id).name}", which is computed or stored in fewer bits`,
        hint: "Begin with the network of floats that it was made from.",
      }));
      return { ...found, value: roundedWeights.get(found.value) ?? found.value };
    },
    bias: (node) => parameter("bias", node.inputs[gradientOf(node)?.weights?.bias ?? NONE] ?? NONE),
    norm: (node) => norms.get(node.outputs[0] as TensorId),
    gradient: (id) => gradients.get(canonical(id)) ?? 0,
    give(id) {
      const own = canonical(id);
      if (sources.has(own) || tensorOf(graph, own).data !== undefined) return undefined;
      const known = gradients.get(own);
      if (known !== undefined) return { address: known, accumulate: 1 };
      const address = program.borrow(floats(own));
      gradients.set(own, address);
      return { address, accumulate: 0 };
    },
    keep: program.keep,
    constant: program.constant,
    temporary(count) {
      const address = program.borrow(count);
      temporaries.push(address);
      return address;
    },
    call: (call, work, scratchBytes) => program.call(call, { where: current.where, ...work }, scratchBytes),
  };
  const around = (node: AnyNode, act: () => void) => {
    current = node;
    act();
    for (const address of temporaries) program.release(address);
    temporaries = [];
  };

  return { tape, around };
}
