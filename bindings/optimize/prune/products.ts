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

/** The same for groups of few outputs, as depthwise layers have, each by itself, three columns at a time. */
function alone({ outputs, inputs, groups }: Layer, rows: number): Products {
  const values = new Float32Array(outputs * rows);
  const sums = new Float32Array(outputs * inputs);
  const nothing = new Float32Array(rows);
  const eachThree = (x: Float32Array, act: (o: number, at: number, columns: Three<Float32Array>) => void) => {
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor((o * groups) / outputs) * inputs;
      const column = (i: number) => (i < inputs ? x.subarray((first + i) * rows, (first + i + 1) * rows) : nothing);
      for (let i = 0; i < inputs; i += 3) act(o, i, [column(i), column(i + 1), column(i + 2)]);
    }
  };
  return {
    values(weights, x) {
      values.fill(0);
      eachThree(x, (o, i, columns) => {
        const own = (k: number) => (i + k < inputs ? (weights[o * inputs + i + k] as number) : 0);
        addThree(values.subarray(o * rows, (o + 1) * rows), columns, [own(0), own(1), own(2)]);
      });
      return values;
    },
    sums(errors, x) {
      eachThree(x, (o, i, columns) => {
        const found = dotThree(errors.subarray(o * rows, (o + 1) * rows), columns);
        sums.set(found.slice(0, inputs - i), o * inputs + i);
      });
      return sums;
    },
    close() {},
  };
}

type Three<T> = readonly [T, T, T];

function addThree(to: Float32Array, [a, b, c]: Three<Float32Array>, [p, q, s]: Three<number>): void {
  for (let r = 0; r < to.length; r++)
    to[r] = (to[r] as number) + p * (a[r] as number) + q * (b[r] as number) + s * (c[r] as number);
}

function dotThree(x: Float32Array, [a, b, c]: Three<Float32Array>): Three<number> {
  let [p, q, s] = [0, 0, 0];
  for (let r = 0; r < x.length; r++) {
    const value = x[r] as number;
    p += value * (a[r] as number);
    q += value * (b[r] as number);
    s += value * (c[r] as number);
  }
  return [p, q, s];
}
