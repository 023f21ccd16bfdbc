/** Many rows of a layer's inputs times the weights of all its outputs, and errors times inputs, on the engine's float kernels. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import type { Layer } from "../linear/layers.ts";
import { openRunner } from "../run.ts";

/** Outputs of a group below which packing what a kernel takes would be most of the work. */
const FEW = 4;

export interface Products {
  /** Weights `[outputs][inputs]` times inputs `[groups][inputs][rows]`: `[outputs][rows]`, which the next call overwrites. */
  values(weights: Float32Array, x: Float32Array): Float32Array;
  /** Errors `[outputs][rows]` times inputs: `[outputs][inputs]`, which the next call overwrites. */
  sums(errors: Float32Array, x: Float32Array): Float32Array;
  close(): void;
}

/** Products of so many rows. */
export async function openProducts(layer: Layer, rows: number): Promise<Products> {
  const { outputs, inputs, groups } = layer;
  if (outputs / groups < FEW) return alone(layer, rows);
  const [w, x, y] = [
    [groups, outputs / groups, inputs],
    [groups, inputs, rows],
    [groups, outputs / groups, rows],
  ] as const;
  const [forward, backward] = [await openRunner(product(w, x, y, false)), await openRunner(product(y, x, w, true))];
  return {
    values: (...given) => forward.run(given)[0] as Float32Array,
    sums: (...given) => backward.run(given)[0] as Float32Array,
    close() {
      forward.close();
      backward.close();
    },
  };
}

type Shape = readonly [number, number, number];

/** y = a · b of stacks of matrices, or a · bᵀ. */
function product(a: Shape, b: Shape, y: Shape, adjointB: boolean): Graph {
  const node = { kind: "batchMatMul", where: "products", inputs: [0, 1], outputs: [2] };
  return {
    name: "products",
    subgraphs: [],
    tensors: [a, b, y].map((shape, i) => ({ name: `${i}`, dtype: "float32", shape })),
    nodes: [{ ...node, attributes: { adjointA: false, adjointB } } as unknown as AnyNode],
    inputs: [0, 1].map((i) => ({ name: `${i}`, tensor: i as TensorId })),
    outputs: [{ name: "y", tensor: 2 as TensorId }],
  };
}

/** The same for groups of few outputs, as depthwise layers have, each by itself. */
function alone({ outputs, inputs, groups }: Layer, rows: number): Products {
  const values = new Float32Array(outputs * rows);
  const sums = new Float32Array(outputs * inputs);
  const each = (x: Float32Array, act: (o: number, column: (i: number) => Float32Array) => void) => {
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor((o * groups) / outputs) * inputs;
      act(o, (i) => x.subarray((first + i) * rows, (first + i + 1) * rows));
    }
  };
  return {
    values(weights, x) {
      values.fill(0);
      each(x, (o, column) => {
        const to = values.subarray(o * rows, (o + 1) * rows);
        for (let i = 0; i < inputs; i++)
          if (weights[o * inputs + i]) addColumn(to, column(i), weights[o * inputs + i] as number);
      });
      return values;
    },
    sums(errors, x) {
      each(x, (o, column) => {
        const own = errors.subarray(o * rows, (o + 1) * rows);
        for (let i = 0; i < inputs; i++) sums[o * inputs + i] = dotColumn(own, column(i));
      });
      return sums;
    },
    close() {},
  };
}

function addColumn(to: Float32Array, column: Float32Array, weight: number): void {
  for (let r = 0; r < to.length; r++) to[r] = (to[r] as number) + weight * (column[r] as number);
}

function dotColumn(x: Float32Array, column: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let r = 0;
  for (; r + 4 <= x.length; r += 4) {
    s0 += (x[r] as number) * (column[r] as number);
    s1 += (x[r + 1] as number) * (column[r + 1] as number);
    s2 += (x[r + 2] as number) * (column[r + 2] as number);
    s3 += (x[r + 3] as number) * (column[r + 3] as number);
  }
  for (; r < x.length; r++) s0 += (x[r] as number) * (column[r] as number);
  return s0 + s1 + (s2 + s3);
}
