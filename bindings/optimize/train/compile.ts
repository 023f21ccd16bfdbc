/** A graph as one training step: forward, loss, backward and AdamW, as a plan of kernels of the edition `train`. */
import { type AnyNode, type Graph, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { bind } from "../../ops/bind.ts";
import { operators } from "../../ops/index.ts";
import type { Plan } from "../../plan/types.ts";
import { elementCount, sizeOf } from "../../tensor.ts";
import { gradientOf } from "./gradients/index.ts";
import type { Levels, LossWeights } from "./kinds.ts";
import { type Layout, slotOf } from "./layout.ts";
import { placeLoss } from "./loss.ts";
import type { Goal } from "./objective.ts";
import { requireGradient } from "./prepare.ts";
import { createProgram, type Program } from "./program.ts";
import { type Arrays, createMemory, createTape, type Memory, weightOf } from "./tape.ts";

export interface StepOptions {
  readonly loss: LossWeights;
  readonly decay: number;
  /** Largest magnitude of quantized weights by weight tensor: 127, 7; those that are not there are not rounded. */
  readonly weightLevels?: ReadonlyMap<TensorId, number>;
  readonly activationLevels?: ReadonlyMap<TensorId, Levels>;
  /** Whether weights have masks. */
  readonly masked: boolean;
  /** `step`: weights move in the plan itself. */
  readonly update: "step" | "none";
}

/**
 * The plan of one step of a graph of some batch, typed and with its passes run. Its inputs are the graph's, then `labels` int32, `teacher` and `targets`, of which a
 * loss has those that it reads, and `step`; its outputs `result` (loss and hit, or error, of each place), `logits`, and the arrays of the layout: `weights`, `gradients`, `first`, `second`,
 * `masks`, `running`; and `constant 0`, …, which get `constants` once.
 *
 * Errors: UNSUPPORTED for operators that cannot be trained.
 */
export function compileStep(
  graph: Graph,
  goal: Goal,
  layout: Layout,
  moduleHash: string,
  options: StepOptions,
): { readonly plan: Plan; readonly constants: readonly Float32Array[] } {
  const program = createProgram();
  const memory = createMemory(program, graph, layout, options.masked);
  const { arrays, canonical, floats, values, rounded, gradients, shares } = memory;
  const { tape, around } = createTape(program, graph, memory);

  for (const node of graph.nodes)
    around(node, () => {
      const { gradient, view } = trainable(graph, node);
      placeNorm(program, layout, memory, node);
      roundWeights(program, graph, memory, node, options);
      gradient.forward(node, view, tape);
      for (const y of node.outputs) {
        const levels = options.activationLevels?.get(y);
        if (levels !== undefined && !gradient.alias)
          rounded.set(y, roundActivation(program, values.get(y) as number, floats(y), levels, node));
      }
    });

  const logits = canonical(goal.tensor);
  const { shape } = tensorOf(graph, goal.tensor);
  gradients.set(logits, placeLoss(program, shape, goal, values.get(logits) as number, options.loss));

  for (const node of [...graph.nodes].reverse())
    around(node, () => {
      const { gradient, view } = trainable(graph, node);
      const used = node.outputs.filter((y) => gradients.has(canonical(y)));
      if (gradient.alias || used.length === 0) return;
      for (const y of used) {
        const levels = options.activationLevels?.get(y);
        if (levels === undefined) continue;
        passInside(program, tape.gradient(y), values.get(y) as number, floats(y), levels, node);
      }
      shares.open();
      gradient.backward(node, view, tape);
      shares.add(node);
      for (const y of used) program.release(tape.gradient(y));
    });
  if (options.update === "step") placeUpdate(program, layout, arrays, options);

  for (const [name, address] of Object.entries(arrays)) {
    const count =
      name === "running" ? layout.running : name === "step" ? 4 : name === "masks" ? layout.decayed : layout.floats;
    if (address !== 0) program.port(name === "step" ? "input" : "output", name, "float32", [count], address);
  }
  return { plan: program.plan(moduleHash), constants: program.constants };
}

function trainable(graph: Graph, node: AnyNode) {
  return { gradient: requireGradient(node), view: bind(operators, node, graph.tensors).view };
}

function placeNorm(
  program: Program,
  layout: Layout,
  { arrays, floats, norms, parameter }: Memory,
  node: AnyNode,
): void {
  const weight = weightOf(node);
  const gamma = parameter("gamma", weight);
  const beta = parameter("beta", weight);
  const running = slotOf(layout, "running", weight);
  if (gamma === undefined || beta === undefined || running === undefined) return;
  const y = node.outputs[0] as TensorId;
  const runningMean = arrays.running + running.offset * 4;
  const [mean, inverse, z] = [program.keep(running.floats), program.keep(running.floats), program.keep(floats(y))];
  norms.set(y, { gamma, beta, mean, inverse, z, runningMean, runningVariance: runningMean + running.floats * 4 });
}

/** Rounds a layer's weights, one scale for each output channel. */
function roundWeights(
  program: Program,
  graph: Graph,
  { roundedWeights: rounded, parameter }: Memory,
  node: AnyNode,
  { weightLevels }: StepOptions,
): void {
  const id = weightOf(node);
  const hi = weightLevels?.get(id);
  const weight = parameter("weight", id);
  const places = gradientOf(node as Node)?.weights;
  if (hi === undefined || weight === undefined || places === undefined || rounded.has(weight.value)) return;
  const { shape } = tensorOf(graph, id);
  const y = program.keep(elementCount(shape));
  rounded.set(weight.value, y);
  const outer = elementCount(shape.slice(0, places.axis));
  const inner = elementCount(shape.slice(places.axis + 1));
  const channels = sizeOf({ shape }, places.axis);
  const params = { x: weight.value, y, outer, channels, inner, scale: 0, zero: 0, lo: -hi, hi };
  program.call({ kernel: "fakeQuantF32", params }, { where: node.where, elements: elementCount(shape) });
}

function roundActivation(program: Program, x: number, count: number, levels: Levels, node: AnyNode): number {
  const y = program.keep(count);
  const { scale, zeroPoint: zero, lo, hi } = levels;
  program.call(
    { kernel: "fakeQuantF32", params: { x, y, outer: 1, channels: 1, inner: count, scale, zero, lo, hi } },
    { where: node.where, elements: count },
  );
  return y;
}

/** Straight through: the gradient passes where the value was within the levels. */
function passInside(program: Program, dy: number, x: number, count: number, levels: Levels, node: AnyNode): void {
  const { scale, zeroPoint, lo, hi } = levels;
  const bounds = { lo: (lo - zeroPoint - 0.5) * scale, hi: (hi - zeroPoint + 0.5) * scale };
  const params = { a: dy, b: x, y: dy, count, form: 3, accumulate: 0, ...bounds };
  program.call({ kernel: "pairGradF32", params }, { where: node.where, elements: count });
}

function placeUpdate(program: Program, layout: Layout, arrays: Arrays, { decay }: StepOptions): void {
  const part = (first: number, count: number, mask: number, own: number) => {
    if (count === 0) return;
    const at = (array: number) => array + first * 4;
    const rates = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: own, step: arrays.step };
    const params = { w: at(arrays.weights), d: at(arrays.gradients), m: at(arrays.first), v: at(arrays.second) };
    program.call(
      { kernel: "adamW", params: { ...params, ...rates, mask, count } },
      { where: "update", elements: count },
    );
  };
  part(0, layout.decayed, arrays.masks, decay);
  part(layout.decayed, layout.floats - layout.decayed, 0, 0);
}
