import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, diagonal. */
    readonly matrixSetDiag: Record<never, never>;
  }
}

/** Copies of diagonals that one operator may become. */
const MOST_COPIES = 4096;

/**
 * Matrices with other diagonals. C1: x and diagonals, one output. C2: one type of whole bytes. C3: x of two dimensions or
 * more, diagonals of one less and as long as the shorter side. C4: at most 4096 matrices, or 4096 long diagonals. Source:
 * TFLite's matrix_set_diag.
 */
export const matrixSetDiag: Operator<"matrixSetDiag"> = {
  infer(node) {
    requireInputs(node, 2);
    const x = inputOf(node, 0);
    const diagonal = inputOf(node, 1);
    requireBytes(node, "C2", x);
    requireDType(node, "C2", diagonal, x.dtype);
    requireDType(node, "C2", outputOf(node), x.dtype);
    const [rows = 0, columns = 0] = x.shape.slice(-2);
    const expected = [...x.shape.slice(0, -2), Math.min(rows, columns)];
    constrain(node, "C3", x.shape.length >= 2 && `${diagonal.shape}` === `${expected}`, () => ({
      expected: `diagonals [${expected.join(",")}] for [${x.shape.join(",")}]`,
      received: `[${diagonal.shape.join(",")}]`,
    }));
    const copies = Math.min(elementCount(x.shape.slice(0, -2)), Math.min(rows, columns));
    constrain(
      node,
      "C4",
      copies <= MOST_COPIES,
      () => ({ expected: `at most ${MOST_COPIES} diagonals`, received: `${copies}` }),
      "UNSUPPORTED",
    );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const size = requireBytes(node, "C2", inputOf(node, 0));
    const total = elementCount(shape) * size;
    if (total === 0) return;
    const [x = 0, diagonal = 0] = to.inputs.map((input) => input?.address ?? 0);
    const y = to.outputs[0]?.address ?? 0;
    to.call({ kernel: "copy", params: { x, y, rows: 1, bytes: total, xStride: 0, yStride: 0 } });
    const [rows = 0, columns = 0] = shape.slice(-2);
    const length = Math.min(rows, columns);
    const batch = elementCount(shape.slice(0, -2));
    const step = { x: size, y: (columns + 1) * size };
    const matrix = { x: length * size, y: rows * columns * size };
    const [inner, outer, inside, outside] =
      batch <= length ? [length, batch, step, matrix] : [batch, length, matrix, step];
    for (let i = 0; i < outer; i++)
      to.call({
        kernel: "copy",
        params: {
          ...{ x: diagonal + i * outside.x, y: y + i * outside.y, rows: inner, bytes: size },
          ...{ xStride: inside.x, yStride: inside.y },
        },
        note: "copy diagonal",
      });
  },
};
