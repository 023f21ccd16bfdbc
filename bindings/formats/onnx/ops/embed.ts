/** Embeddings and normalizations of transformers in one node. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { FLOAT as float, INT32 } from "../types.ts";
import { real, toFloat } from "./cast.ts";
import { reshapedTo, sized } from "./move.ts";
import { normalized } from "./normalize.ts";

/** Rows of a table by index. */
const rowsOf = (n: OnnxNode, table: TensorId, indices: TensorId): TensorId =>
  n.add("gather", [table, indices], { axis: 0, batchDims: 0 }, float)[0] as TensorId;

/** Words, positions and segments summed and normalized; how many tokens each mask keeps. */
function embed(n: OnnxNode, table: (i: number) => TensorId, mask: number, positions: number): void {
  const ids = n.input(0);
  const [batch, length] = sized(n, ids.shape, 2);
  const words = rowsOf(n, table(2), n.plain(ids));
  const places =
    positions >= 0 && n.inputs[positions] !== undefined
      ? n.plain(n.input(positions))
      : n.b.integers(Array.from({ length }, (_, i) => i));
  let sum = real(n, "add", words, rowsOf(n, table(3), places));
  if (n.inputs[1] !== undefined) sum = real(n, "add", sum, rowsOf(n, table(4), n.plain(n.input(1))));
  const y = normalized(n, sum, [2], n.float("epsilon", 1e-12));
  n.setPlain(0, real(n, "add", real(n, "mul", y, table(5)), table(6)));
  if (n.outputs[1]) {
    const int32 = INT32;
    const counted = n.inputs[mask];
    if (counted === undefined) n.setPlain(1, n.b.integers(new Array<number>(batch).fill(0)));
    else {
      const [whole] = n.add("cast", [n.plain(counted)], {}, int32);
      n.setPlain(1, n.add("sum", [whole, n.b.integers([1])], { keepDims: false }, int32)[0] as TensorId);
    }
  }
  if (n.outputs[2]) n.setPlain(2, sum);
}

/** Constants of 8 bits as floats: their scale and zero point stand 6 and 11 inputs after the first table. */
function dequantizedTable(n: OnnxNode, i: number): TensorId {
  const x = toFloat(n, n.plain(n.input(i)));
  const scalar = (at: number) => reshapedTo(n, toFloat(n, n.plain(n.input(at))), []);
  return real(n, "mul", real(n, "sub", x, scalar(i + 11)), scalar(i + 6));
}

/** x + skip (+ bias), divided by the root of its mean square. */
function skipRms(n: OnnxNode): void {
  let sum = real(n, "add", n.plain(n.input(0)), n.plain(n.input(1)));
  if (n.inputs[3] !== undefined) sum = real(n, "add", sum, n.plain(n.input(3)));
  n.setPlain(0, rms(n, sum, n.input(0).shape.length - 1, n.plain(n.input(2)), n.float("epsilon", 1e-12)).y);
  if (n.outputs[3]) n.setPlain(3, sum);
}

/** x divided by the root of its mean square from an axis on, scaled; and that root. */
function rms(n: OnnxNode, x: TensorId, axis: number, scale: TensorId, epsilon: number) {
  const axes = n.b.integers(
    n.b
      .tensor(x)
      .shape.map((_, d) => d)
      .slice(axis),
  );
  const [mean] = n.add("mean", [real(n, "mul", x, x), axes], { keepDims: true }, float);
  const [root] = n.add("sqrt", [real(n, "add", mean as TensorId, n.b.float(epsilon))], {}, float) as [TensorId];
  return { y: real(n, "mul", real(n, "div", x, root), scale), root };
}

export const EMBEDDINGS: Conversions = {
  "com.microsoft.EmbedLayerNormalization": (n) => embed(n, (i) => n.plain(n.input(i)), 7, 8),
  "com.microsoft.QEmbedLayerNormalization": (n) => embed(n, (i) => dequantizedTable(n, i), 7, -1),
  "com.microsoft.SkipSimplifiedLayerNormalization": skipRms,
  SimplifiedLayerNormalization: (n) => {
    const x = n.input(0);
    const axis = n.int("axis", -1);
    const first = axis < 0 ? axis + x.shape.length : axis;
    const { y, root } = rms(n, n.plain(x), first, n.plain(n.input(1)), n.float("epsilon", 1e-5));
    n.setPlain(0, y);
    if (n.outputs[1]) n.setPlain(1, real(n, "div", n.b.float(1), root));
  },
};
