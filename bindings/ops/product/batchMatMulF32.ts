/** BATCH_MATMUL of float32, b float32 or a constant of int8 (hybrid). */
import { offsetsF32, packPanelsF32, packPanelsHybrid } from "../../primitives/product/gemmF32.ts";
import { floatsOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { callGemm, int8Or4, placeScales } from "./floats.ts";
import { matricesOf, requireSizes } from "./matrices.ts";

/** C2: a and y float32; b float32, or constant int8 or int4 with zero points 0 and one scale or one for each column. */
export function requireFloatMatrices(node: NodeView<"batchMatMul">): void {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  requireDType(node, "C2", a, "float32");
  requireDType(node, "C2", outputOf(node), "float32");
  if (requireDType(node, "C2", b, "float32", "int8", "int4") === "float32") return;
  const { n } = requireSizes(node);
  const { scale = [], zeroPoint = [], axis = 0 } = b.quantization ?? {};
  const column = b.shape.length - (node.attributes.adjointB ? 2 : 1);
  const scales = scale.length === 1 || (scale.length === n && axis === column);
  constrain(
    node,
    "C2",
    b.data !== undefined && !node.attributes.adjointA && scales && zeroPoint.every((zero) => zero === 0),
    () => ({
      expected: "constant int8 weights with zero point 0, and one scale or one for each column",
      received: b.data === undefined ? "a computed tensor" : `${scale.length} scales along dimension ${axis}`,
    }),
    "UNSUPPORTED",
  );
}

export function lowerBatchMatMulF32(node: NodeView<"batchMatMul">, to: Lowering): void {
  const { m, k, n, batch } = requireSizes(node);
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  const { adjointA } = node.attributes;
  const [own, other] = [a, b].map(({ shape }) => matricesOf(shape.slice(0, -2), batch)) as [
    readonly number[],
    readonly number[],
  ];
  if (own.length === 0) return;
  // a stack of rows with one b is one product
  const one = !adjointA && other.every((at) => at === 0) && own.every((at, i) => at === i);
  const rows = one ? own.length * m : m;
  const { bytes, ...weights } = weightsOf(node, to, k, n);
  const offsets = own.slice(0, one ? 1 : own.length).map((at, i) => {
    return [at * m * k * 4, (other[i] as number) * bytes, i * m * n * 4] as const;
  });
  const hybrid = b.dtype !== "float32";
  const product = {
    x: to.input(0),
    y: to.output(0),
    ...weights,
    m: rows,
    n,
    k,
    batches: offsets.length,
    offsetsTable: to.place(offsetsF32(offsets)),
    ...(adjointA ? { xStride: 4, xStep: m * 4 } : {}),
    ...(hybrid ? { scaleTable: placeScales(to, b, 0, n), asymmetric: node.attributes.asymmetric ?? false } : {}),
  };
  const note = `${hybrid ? "hybrid" : "gemmF32"} ${offsets.length} of ${rows}x${n}x${k}`;
  callGemm(to, hybrid ? "gemmHybrid" : "gemmF32", product, note);
}

/** b as panels where it is constant, else where it stands; and the bytes from one matrix to the next. */
function weightsOf(node: NodeView<"batchMatMul">, to: Lowering, k: number, n: number) {
  const b = inputOf(node, 1);
  const { adjointB } = node.attributes;
  if (b.data === undefined) {
    const steps = adjointB ? { wStep: 4, wColumn: k * 4 } : { wStep: n * 4, wColumn: 4 };
    return { w: to.input(1), ...steps, bytes: k * n * 4 };
  }
  const values = b.dtype === "float32" ? floatsOf(b) : int8Or4(b);
  const panels: Uint8Array[] = [];
  for (let first = 0; first < values.length; first += k * n) {
    const matrix = values.slice(first, first + k * n);
    if (!adjointB)
      for (let i = 0; i < k * n; i++) matrix[i] = values[first + (i % k) * n + Math.floor(i / k)] as number;
    panels.push(
      matrix instanceof Float32Array ? packPanelsF32(matrix, n, k) : packPanelsHybrid(matrix, n, 1, k, to.packer),
    );
  }
  const [{ length: bytes } = new Uint8Array()] = panels;
  const all = new Uint8Array(bytes * panels.length);
  for (const [i, panel] of panels.entries()) all.set(panel, i * bytes);
  return { w: to.place(all), bytes };
}
