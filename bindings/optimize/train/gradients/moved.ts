/** Operators that only move numbers. Where each comes from is what the operator's own folding says of numbered elements. */
import { ensure } from "../../../errors.ts";
import type { Node, OpKind, TensorId } from "../../../graph.ts";
import { operators } from "../../../ops/index.ts";
import type { NodeView, Operator } from "../../../ops/types.ts";
import { elementCount, type Tensor } from "../../../tensor.ts";
import { type Mixture, mix, type Term, turned } from "./mixture.ts";
import type { Gradient } from "./types.ts";

/** Every number goes where it goes, and its gradient comes back from there: cutting, stacking, repeating, turning round. */
export const moved: Gradient<OpKind> = {
  forward(node, view, tape) {
    for (const [j, i] of floatsOf(view).entries())
      for (const [o, mixture] of mixturesOf(node, view, i).entries()) {
        const [x, y] = [tape.value(node.inputs[i] as TensorId), tape.value(node.outputs[o] as TensorId)];
        mix(tape, mixture, x, y, j === 0 ? 0 : 1);
      }
  },
  backward(node, view, tape) {
    for (const i of floatsOf(view))
      for (const [o, mixture] of mixturesOf(node, view, i).entries()) {
        const dy = tape.gradient(node.outputs[o] as TensorId);
        const target = dy === 0 ? undefined : tape.give(node.inputs[i] as TensorId);
        if (target !== undefined) mix(tape, turned(mixture), dy, target.address, target.accumulate);
      }
  },
};

/** The inputs that are moved: the others say where to. */
const floatsOf = (view: NodeView<OpKind>): readonly number[] =>
  view.inputs.flatMap((tensor, i) => (tensor?.dtype === "float32" ? [i] : []));

/** For each output where its numbers come from, of those of one input. */
function mixturesOf(node: Node, view: NodeView<OpKind>, input: number): readonly Mixture[] {
  const inputs = view.inputs.map((tensor, i): Tensor | undefined => {
    if (tensor?.dtype !== "float32") return tensor;
    const count = elementCount(tensor.shape);
    const numbers = i === input ? Uint32Array.from({ length: count }, (_, at) => at + 1) : new Uint32Array(count);
    return { ...tensor, data: new Uint8Array(numbers.buffer) };
  });
  const known = inputs.every((tensor) => tensor === undefined || tensor.data !== undefined);
  const { fold } = operators[node.kind] as Operator<OpKind>;
  const outputs = known ? fold?.({ ...view, inputs }) : undefined;
  ensure(outputs !== undefined, "UNSUPPORTED", () => ({
    where: node.where,
    expected: "constant parameters to train",
    received: `${node.kind} by a computed tensor`,
  }));
  return outputs.map((bytes, o) => {
    const sources = new Uint32Array(bytes.slice().buffer);
    return mixtureOf(sources, (view.inputs[input] as Tensor).shape, (view.outputs[o] as Tensor).shape);
  });
}

/** Rows as wide as whole ones are moved, image by image where no number leaves its image. Sources count from 1; 0 is nothing. */
function mixtureOf(sources: Uint32Array, from: readonly number[], to: readonly number[]): Mixture {
  const [count = 1] = from;
  const images = count > 0 && count === to[0] && isSame(sources, elementCount(from) / count, count) ? count : 1;
  const [inputs, outputs] = [elementCount(from) / images, sources.length / images];
  let width = divisor(inputs, outputs);
  while (!areRows(sources, outputs, width)) width = nextDivisor(inputs, outputs, width);
  const rows = Array.from({ length: outputs / width }, (_, row): readonly Term[] => {
    const source = sources[row * width] as number;
    return source === 0 ? [] : [[(source - 1) / width, 1]];
  });
  return { images, from: inputs / width, width, rows };
}

/** True where all images are moved as the first is. */
function isSame(sources: Uint32Array, size: number, images: number): boolean {
  const own = sources.length / images;
  for (let i = 0; i < sources.length; i++) {
    const first = sources[i % own] as number;
    const source = sources[i] as number;
    if (first > size || (first === 0 ? source !== 0 : source !== first + Math.floor(i / own) * size)) return false;
  }
  return true;
}

/** True where rows of this width stay together. */
function areRows(sources: Uint32Array, count: number, width: number): boolean {
  for (let i = 0; i < count; i++) {
    const [first, source] = [sources[i - (i % width)] as number, sources[i] as number];
    if (first === 0 ? source !== 0 : source !== first + (i % width) || (first - 1) % width !== 0) return false;
  }
  return true;
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** The next smaller number that divides both; 1 divides all. */
function nextDivisor(a: number, b: number, below: number): number {
  let width = below - 1;
  while (width > 1 && (a % width !== 0 || b % width !== 0)) width--;
  return Math.max(width, 1);
}
