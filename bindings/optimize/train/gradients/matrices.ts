/** Products of stacks of matrices: each operand gets the output's gradient times the other one. */
import type { TensorId } from "../../../graph.ts";
import { inputOf } from "../../../ops/constraints.ts";
import { matricesOf, requireSizes } from "../../../ops/product/matrices.ts";
import { gemmF32Params, offsetsF32 } from "../../../primitives/product/gemmF32.ts";
import { elementCount } from "../../../tensor.ts";
import { mix, spreading, turned } from "./mixture.ts";
import type { Gradient, Tape } from "./types.ts";

/** Matrices in memory: element (i, j) of one stands `i · row + j · column` floats after its first; `which` of them each product takes. */
interface Matrices {
  readonly address: number;
  readonly row: number;
  readonly column: number;
  readonly which: readonly number[];
}

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** y = a · b, matrix by matrix. */
function multiply(tape: Tape, a: Matrices, b: Matrices, y: number, { m, k, n }: Sizes): void {
  const offsets = a.which.map((at, i) => [at * m * k * 4, (b.which[i] as number) * k * n * 4, i * m * n * 4] as const);
  const { params, scratchBytes } = gemmF32Params({
    ...{ x: a.address, w: b.address, y, m, k, n },
    ...{ xStride: a.row * 4, xStep: a.column * 4, wStep: b.row * 4, wColumn: b.column * 4 },
    batches: offsets.length,
    offsetsTable: tape.constant(new Float32Array(offsetsF32(offsets).buffer)),
  });
  tape.call({ kernel: "gemmF32", params }, { macs: offsets.length * m * n * k }, scratchBytes);
}

const transposed = ({ row, column, ...rest }: Matrices): Matrices => ({ ...rest, row: column, column: row });

export const batchMatMul: Gradient<"batchMatMul"> = {
  forward(node, view, tape) {
    const { sizes, a, b } = operandsOf(view, tape, node.inputs);
    multiply(tape, a, b, tape.value(node.outputs[0] as TensorId), sizes);
  },
  /** da = dy · bᵀ, db = aᵀ · dy; turned round where the operand is stored turned. */
  backward(node, view, tape) {
    const { adjointA, adjointB } = view.attributes;
    const { sizes, a, b, batch } = operandsOf(view, tape, node.inputs);
    const { m, k, n } = sizes;
    const which = Array.from(a.which.keys());
    const dy: Matrices = { address: tape.gradient(node.outputs[0] as TensorId), row: n, column: 1, which };
    const give = (i: 0 | 1, [left, right]: readonly [Matrices, Matrices], own: Sizes) => {
      const target = tape.give(node.inputs[i] as TensorId);
      if (target === undefined) return;
      const { shape } = inputOf(view, i);
      const all = [...batch, ...shape.slice(-2)];
      if (target.accumulate === 0 && elementCount(all) === elementCount(shape))
        return multiply(tape, left, right, target.address, own);
      const each = tape.temporary(elementCount(all));
      multiply(tape, left, right, each, own);
      mix(tape, turned(spreading(shape, all)), each, target.address, target.accumulate);
    };
    if (adjointA) give(0, [b, transposed(dy)], { m: k, k: n, n: m });
    else give(0, [dy, transposed(b)], { m, k: n, n: k });
    if (adjointB) give(1, [transposed(dy), a], { m: n, k: m, n: k });
    else give(1, [transposed(a), dy], { m: k, k: m, n });
  },
};

/** The operands as they are multiplied, whichever way they are stored. */
function operandsOf(
  view: Parameters<Gradient<"batchMatMul">["forward"]>[1],
  tape: Tape,
  ids: readonly TensorId[],
): { readonly sizes: Sizes; readonly batch: readonly number[]; readonly a: Matrices; readonly b: Matrices } {
  const { batch, m, k, n } = requireSizes(view);
  const { adjointA, adjointB } = view.attributes;
  const operand = (i: 0 | 1, rows: number, columns: number, adjoint: boolean): Matrices => ({
    address: tape.value(ids[i] as TensorId),
    which: matricesOf(inputOf(view, i).shape.slice(0, -2), batch),
    ...(adjoint ? { row: 1, column: rows } : { row: columns, column: 1 }),
  });
  return { sizes: { m, k, n }, batch, a: operand(0, m, k, adjointA), b: operand(1, k, n, adjointB) };
}
