import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { bytesOfNumbers, integersOf } from "../values.ts";
import { OPEN_LENGTH, requireOpen } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** start, limit, delta. */
    readonly range: Record<never, never>;
  }
}

const TYPES = ["int32", "int64", "float32"] as const;

/** start, limit and delta, where they are constants. */
function valuesOf(node: NodeView<"range">): readonly [number, number, number] | undefined {
  if (node.inputs.some((tensor) => tensor?.data === undefined)) return undefined;
  return [0, 1, 2].map((i) => integersOf(inputOf(node, i))[0]) as [number, number, number];
}

/** More elements than this no model counts. */
const MOST = 2 ** 31;

/**
 * start, start + delta, … below (or above) the limit. C1: start, limit and delta, one output. C2: one type, int32, int64
 * or float32. C3: one element each. C4: a constant delta is not 0 and leads from start to
 * the limit; where one is computed the length is open, at most 65,536.
 */
export const range: Operator<"range"> = {
  infer(node) {
    requireOpen(node, 3, 1);
    const dtype = requireDType(node, "C2", inputOf(node, 0), ...TYPES);
    for (const i of [1, 2]) requireDType(node, "C2", inputOf(node, i), dtype);
    requireDType(node, "C2", outputOf(node), dtype);
    for (const i of [0, 1, 2])
      constrain(
        node,
        "C3",
        inputOf(node, i).shape.every((n) => n === 1),
        () => ({
          expected: "one element",
          received: listText(inputOf(node, i).shape),
        }),
      );
    const values = valuesOf(node);
    if (values === undefined) return [{ dtype, shape: [OPEN_LENGTH], open: "rows" }];
    const [start, limit, delta] = values;
    const count = Math.ceil(Math.abs((limit - start) / delta));
    constrain(node, "C4", (limit - start) * delta >= 0 && delta !== 0 && count < MOST, () => ({
      expected: "a delta that leads from start to the limit",
      received: `start ${start}, limit ${limit}, delta ${delta}`,
    }));
    return [{ dtype, shape: [count] }];
  },
  fold(node) {
    const [start, , delta] = valuesOf(node) as readonly [number, number, number];
    const y = outputOf(node);
    const count = y.shape[0] as number;
    const values: number[] = [];
    // float32 sums are rounded one after another, as the reference adds them up.
    for (
      let i = 0, value = start;
      i < count;
      i++, value = y.dtype === "float32" ? Math.fround(value + delta) : value + delta
    )
      values.push(value);
    return [bytesOfNumbers(y.dtype, values)];
  },
  lower(node, to) {
    const y = outputOf(node);
    const count = y.shape[0] as number;
    const lengthAt = to.outputs[1]?.address;
    if (lengthAt !== undefined) {
      const [start, limit, delta] = [to.input(0), to.input(1), to.input(2)];
      const fields = { start, limit, delta, y: to.output(0), lengthAt, bound: count };
      to.call({ kernel: "rangeOpen", params: { ...fields, type: TYPES.indexOf(y.dtype as "int32") } });
      return;
    }
    if (count === 0) return;
    const type = ["int32", "int64", "float32"].indexOf(y.dtype);
    to.call({ kernel: "range", params: { start: to.input(0), delta: to.input(2), y: to.output(0), count, type } });
  },
};
