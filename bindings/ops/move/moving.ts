import type { OpKind } from "../../graph.ts";
import type { View } from "../../primitives/move/view.ts";
import { callCount, type Walk, walkBytes, walkCalls } from "../../primitives/move/walk.ts";
import { BITS, byteLength, type DType, listText, type Tensor, zeroOf } from "../../tensor.ts";
import { constrain, requireBytes, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

/** A copy from input `x` (or from what is written of output `y` already) to output `y`. */
export interface Move {
  readonly x: number | "y";
  readonly y: number;
  readonly from: View;
  readonly to: View;
}

/** More dimensions than any kernel of this family looks at. */
const MOST_DIMENSIONS = 8;
/** Copies that one operator may become. */
const MOST_MOVES = 4096;

/** Room for results whose length neither model nor shapes bound, in elements. */
export const OPEN_LENGTH = 65536;

/** C1 of operators whose output may have a length of its own beside it. */
export function requireOpen(node: NodeView<OpKind>, inputs: number, outputs: number): void {
  requireTensors(node, inputs, node.outputs.length === outputs + 1 ? outputs + 1 : outputs);
}

/** C2 of operators that move data: elements of whole bytes, the same type in all outputs, at most eight dimensions. */
export function requireData(node: NodeView<OpKind>, x: Tensor): void {
  requireBytes(node, "C2", x);
  for (const y of node.outputs) requireDType(node, "C2", y, x.dtype);
  requireRank(node, x.shape);
}

/** C2: at most eight dimensions. */
export function requireRank(node: NodeView<OpKind>, shape: readonly number[]): void {
  constrain(
    node,
    "C2",
    shape.length <= MOST_DIMENSIONS,
    () => ({ expected: `at most ${MOST_DIMENSIONS} dimensions`, received: listText(shape) }),
    "UNSUPPORTED",
  );
}

/** The copies are so few that a plan can hold them. */
export function requireMoves(node: NodeView<OpKind>, number: string, moves: readonly Move[]): void {
  const calls = moves.map(({ from, to }) => callCount({ from, to, size: 1 }));
  const fits = calls.every((count) => count !== undefined) && calls.length <= MOST_MOVES;
  constrain(
    node,
    number,
    fits,
    () => ({ expected: `at most ${MOST_MOVES} copies`, received: `${moves.length}` }),
    "UNSUPPORTED",
  );
}

const bytesOf = ({ dtype }: Tensor) => BITS[dtype] / 8;

/** What stands for zero in a tensor: its zero point where it is quantized. */
export function zeroBytes(tensor: Tensor): Uint8Array {
  const bytes = new Uint8Array(bytesOf(tensor));
  if (tensor.dtype === "int8" || tensor.dtype === "uint8") bytes[0] = zeroOf(tensor);
  return bytes;
}

/**
 * `fold` and `lower` of an operator that is nothing but copies. Where `fillOf` gives an element's bytes, the outputs are
 * filled with it first.
 */
export function moving<K extends OpKind>(
  movesOf: (node: NodeView<K>) => readonly Move[],
  fillOf?: (node: NodeView<K>) => Uint8Array | undefined,
): Required<Pick<Operator<K>, "fold" | "lower">> {
  return {
    fold(node) {
      const value = fillOf?.(node);
      const outputs = node.outputs.map((y) => {
        const bytes = new Uint8Array(byteLength(y));
        return value === undefined ? bytes : fillBytes(bytes, value);
      });
      for (const move of movesOf(node)) {
        const y = outputs[move.y] as Uint8Array;
        const x = move.x === "y" ? y : (node.inputs[move.x]?.data as Uint8Array);
        walkBytes(walkOf(node, move), x, y);
      }
      return outputs;
    },
    lower(node, to) {
      const value = fillOf?.(node);
      if (value !== undefined) for (const y of to.outputs) fill(y, to.place(value), to.call);
      for (const move of movesOf(node)) {
        const y = to.output(move.y);
        const x = move.x === "y" ? y : to.input(move.x);
        for (const call of walkCalls(walkOf(node, move), x, y)) to.call(call);
      }
    },
  };
}

function walkOf(node: NodeView<OpKind>, { y, from, to }: Move): Walk {
  return { from, to, size: bytesOf(node.outputs[y] as Tensor) };
}

/** Repeats an element over all of `bytes`. */
export function fillBytes(bytes: Uint8Array, value: Uint8Array): Uint8Array {
  for (let i = 0; i < bytes.length; i += value.length) bytes.set(value, i);
  return bytes;
}

/** A call that repeats the element at address `value` over all of y. */
export function fill(
  y: { readonly dtype: DType; readonly shape: readonly number[]; readonly address: number },
  value: number,
  call: Parameters<Required<Operator<OpKind>>["lower"]>[1]["call"],
): void {
  const yBytes = byteLength(y);
  if (yBytes === 0) return;
  call({
    kernel: "pad",
    params: {
      x: 0,
      y: y.address,
      yBytes,
      value,
      size: BITS[y.dtype] / 8,
      offset: 0,
      bytes: 0,
      d0: 0,
      d1: 1,
      d2: 1,
      d3: 1,
      d4: 1,
      y0: 0,
      y1: 0,
      y2: 0,
      y3: 0,
      y4: 0,
    },
  });
}

/**
 * `fold` and `lower` of an operator whose one output depends on its inputs' types alone: small, and a constant in any
 * case.
 */
export function fromTypes<K extends OpKind>(
  bytesOf: (node: NodeView<K>) => Uint8Array,
): Required<Pick<Operator<K>, "fold" | "lower" | "fromTypes">> {
  return {
    fromTypes: true,
    fold: (node) => [bytesOf(node)],
    lower(node, to) {
      const bytes = bytesOf(node);
      if (bytes.length === 0) return;
      const y = to.output(0);
      const at = { rows: 1, bytes: bytes.length, xStride: bytes.length, yStride: bytes.length };
      to.call({ kernel: "copy", params: { x: to.place(bytes), y, ...at } });
    },
  };
}
