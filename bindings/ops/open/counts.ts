/** Arithmetic on the lengths of open tensors, as nodes on int32 scalars. */
import { ensure } from "../../errors.ts";
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import { type DType, elementCount, type Tensor } from "../../tensor.ts";
import { bytesOfNumbers } from "../values.ts";

const activation = "none" as const;

/** Functions that make nodes; `taken` gives those made since it was called last. Their types are inferred, or are int32 scalars. */
export function countsOf(where: string, tensors: Tensor[]) {
  let nodes: AnyNode[] = [];
  const declare = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const ints = (shape: readonly number[], values: readonly number[]) =>
    declare({ name: "", dtype: "int32", shape, data: bytesOfNumbers("int32", values) });
  const int = (value: number) => ints([], [value]);
  /** A node of one output: of a type, or of a tensor's type and quantization. */
  const append = (
    kind: OpKind,
    inputs: readonly TensorId[],
    attributes: object = {},
    like: DType | Tensor = "int32",
    output?: TensorId,
  ): TensorId => {
    const { dtype, quantization } = typeof like === "string" ? { dtype: like, quantization: undefined } : like;
    const y = output ?? declare({ name: "", dtype, shape: [], ...(quantization && { quantization }) });
    nodes.push({ kind, where, inputs, outputs: [y], attributes } as unknown as AnyNode);
    return y;
  };
  const two = (kind: OpKind, a: TensorId, b: TensorId) => append(kind, [a, b], { activation });
  const gathered = { axis: 0, batchDims: 0 };

  /** 0 … all − 1. Large ones are computed by each run. */
  const places = (all: number) => append("range", [int(0), int(all), int(1)]);

  /** The number of rows of an open tensor. */
  const rowsOf = (id: TensorId): TensorId => {
    const tensor = tensors[id] as Tensor;
    if (tensor.rows !== undefined) return tensor.rows as TensorId;
    const inner = elementCount(tensor.shape.slice(1));
    const length = tensor.length as TensorId;
    const rows = inner > 1 ? two("div", length, int(inner)) : length;
    tensors[id] = { ...tensor, rows };
    return rows;
  };
  return {
    append,
    ints,
    int,
    two,
    places,
    rowsOf,
    times: (a: TensorId, by: number) => (by === 1 ? a : two("mul", a, int(by))),
    /** Element i of a vector of integers, as int32. */
    element(vector: TensorId, i: number): TensorId {
      const dtype = tensors[vector]?.dtype;
      ensure(dtype !== undefined, "INVALID_GRAPH", () => ({ where, expected: "a list of places", received: "none" }));
      const one = append("gather", [vector, int(i)], gathered, dtype);
      return dtype === "int32" ? one : append("cast", [one], {}, "int32");
    },
    /** A place in 0 … all, from the end where it is below 0. */
    held(place: TensorId, all: number): TensorId {
      const isBack = append("less", [place, int(0)], {}, "bool");
      const forward = append("selectV2", [isBack, two("add", place, int(all)), place]);
      return two("minimum", two("maximum", forward, int(0)), int(all));
    },
    /** Places held in 0 … all − 1. */
    within: (places: TensorId, all: number) => two("minimum", two("maximum", places, int(0)), int(all - 1)),
    /** Rows from `first` on; behind the last one it again. */
    shifted(x: TensorId, first: TensorId, all: number, like: Tensor): TensorId {
      const places = ints(
        [all],
        Array.from({ length: all }, (_, i) => i),
      );
      return append("gather", [x, two("add", places, first)], gathered, like);
    },
    /** The first rows of x. Their number of elements is computed when x's type is known: by its own sizes. */
    prefix(x: TensorId, rows: TensorId, output: TensorId): void {
      const sizes = append("shape", [x], { dtype: "int32" });
      const one = append("slice", [sizes, ints([1], [1]), ints([1], [-1])]);
      const inner = append("reduceProd", [one, ints([1], [0])], { keepDims: false });
      append("prefix", [x, two("mul", rows, inner)], {}, "int32", output);
    },
    taken(): readonly AnyNode[] {
      const taken = nodes;
      nodes = [];
      return taken;
    },
  };
}
