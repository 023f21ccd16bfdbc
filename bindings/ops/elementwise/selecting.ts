/** SELECT and SELECT_V2: one of two operands by a condition. */
import { broadcastStrides, denseStrides, pairLoops, type Six } from "../../primitives/broadcast.ts";
import { BITS, type DType, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { NodeView, Operator, Placed } from "../types.ts";
import { readIntegers } from "./integers.ts";
import { loopsOf, requireBroadcast } from "./pairs.ts";

const TYPES = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "float16",
  "float32",
  "float64",
  "bool",
] as const satisfies readonly DType[];

/** The condition's shape: a list as long as the first dimension selects whole slices in the older operator. */
function conditionShape<K extends "select" | "selectV2">(kind: K, node: NodeView<K>): readonly number[] {
  const { shape } = inputOf(node, 0);
  const rank = inputOf(node, 1).shape.length;
  return kind === "select" && shape.length === 1 && rank > 1
    ? [...shape, ...new Array<number>(rank - 1).fill(1)]
    : shape;
}

/**
 * C1: three inputs, one output. C2: the condition bool, the others of one type. C3: the older operator has operands of one
 * shape. C4, C5: see `requireBroadcast`. The bytes are copied, whatever their scales.
 */
export function selecting<K extends "select" | "selectV2">(kind: K): Operator<K> {
  return {
    infer(node) {
      requireInputs(node, 3);
      const [a, b] = [inputOf(node, 1), inputOf(node, 2)];
      requireDType(node, "C2", inputOf(node, 0), "bool");
      const dtype = requireDType(node, "C2", a, ...TYPES);
      requireDType(node, "C2", b, dtype);
      requireDType(node, "C2", outputOf(node), dtype);
      constrain(node, "C3", kind === "selectV2" || a.shape.join() === b.shape.join(), () => ({
        expected: "operands of one shape",
        received: `${listText(a.shape)} and ${listText(b.shape)}`,
      }));
      const condition = conditionShape(kind, node);
      const shape = requireBroadcast(node, condition, a.shape, b.shape);
      constrain(node, "C3", kind === "selectV2" || elementCount(shape) === elementCount(a.shape), () => ({
        expected: "a condition of the operands' shape",
        received: listText(condition),
      }));
      return [{ dtype, shape: kind === "select" ? a.shape : shape }];
    },
    fold(node) {
      const condition = readIntegers(inputOf(node, 0));
      if (condition === undefined) return undefined;
      if (condition.length !== 1) return kind === "select" ? undefined : foldEach(node, condition);
      const chosen = inputOf(node, condition[0] === 0n ? 2 : 1);
      const whole = elementCount(chosen.shape) === elementCount(outputOf(node).shape);
      return whole && chosen.data ? [chosen.data] : undefined;
    },
    lower(node, to) {
      const [condition, a, b] = to.inputs as readonly [Placed, Placed, Placed];
      const y = to.outputs[0] as Placed;
      const size = BITS[y.dtype] / 8;
      const c = { shape: conditionShape(kind, node), address: condition.address };
      const { sizes, strides } = loopsOf(y.shape, [a, b, c], [size, size, 1]);
      const [aStrides, bStrides, cStrides] = strides as [Six, Six, Six];
      const [c0, c1, c2, c3, c4, c5] = cStrides;
      to.call({
        kernel: "select",
        params: {
          a: a.address,
          b: b.address,
          y: y.address,
          condition: c.address,
          size,
          ...pairLoops(sizes, aStrides, bStrides),
          c0,
          c1,
          c2,
          c3,
          c4,
          c5,
        },
      });
    },
  };
}

/** Longest constant that is chosen element by element when planned. */
const MOST = 1 << 16;

/** Constants chosen by a constant of several conditions. */
function foldEach<K extends "select" | "selectV2">(
  node: NodeView<K>,
  condition: readonly bigint[],
): readonly Uint8Array[] | undefined {
  const { shape, dtype } = outputOf(node);
  const [a, b] = [inputOf(node, 1), inputOf(node, 2)];
  const count = elementCount(shape);
  if (a.data === undefined || b.data === undefined || count > MOST) return undefined;
  const size = BITS[dtype] / 8;
  const dense = denseStrides(shape);
  const at = (strides: readonly number[], i: number) =>
    dense.reduce((sum, stride, d) => sum + (Math.floor(i / stride) % (shape[d] as number)) * (strides[d] as number), 0);
  const [sc, sa, sb] = [inputOf(node, 0), a, b].map((each) => broadcastStrides(each.shape, shape)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const y = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    const isFirst = condition[at(sc, i)] !== 0n;
    const from = at(isFirst ? sa : sb, i) * size;
    y.set(((isFirst ? a : b).data as Uint8Array).subarray(from, from + size), i * size);
  }
  return [y];
}
