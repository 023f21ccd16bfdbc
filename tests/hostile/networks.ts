/** Random valid int8 networks: chains with branches of what ordinary networks have, every shape inferred by the operators themselves. */
import type { AnyNode, Attributes, Graph, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { elementCount, type Tensor } from "../../bindings/tensor.ts";
import { graph, node, tensor } from "../passes/graphs.ts";

/** A tensor of the network so far, by its number. */
interface Step<K extends OpKind = OpKind> {
  readonly kind: K;
  readonly attributes: Attributes[K];
  /** Constants after the first input, or other tensors of the network by number. */
  readonly rest?: readonly (Tensor | number)[];
  /** Scale and zero point of the result where the operator fixes them. */
  readonly fixed?: readonly [number, number];
  /** The result has the input's scale and zero point. */
  readonly same?: boolean;
}

/** Random numbers, one after the other. */
export type Next = () => number;

export const pick = <T>(next: Next, list: readonly T[]): T => list[next() % list.length] as T;
const scaleOf = (next: Next) => Math.fround(0.004 * (1 + (next() % 50)));

function weights(next: Next, shape: readonly number[], channels: number, axis: number): Tensor {
  const perChannel = next() % 2 === 0;
  const count = perChannel ? channels : 1;
  // Some networks are pruned.
  const zeros = pick(next, [0, 0, 50, 85]);
  return tensor("w", shape, {
    data: Uint8Array.from({ length: elementCount(shape) }, () =>
      next() % 100 < zeros ? 0 : (next() % 255) ^ 128 || 1,
    ),
    quantization: {
      scale: Array.from({ length: count }, () => scaleOf(next)),
      zeroPoint: Array.from({ length: count }, () => 0),
      axis,
    },
  });
}

/** A bias whose scales are those of the products. */
function bias(next: Next, x: Tensor, w: Tensor, channels: number): Tensor {
  const scales = w.quantization?.scale ?? [];
  const values = Int32Array.from({ length: channels }, () => (next() % 20001) - 10000);
  return tensor("b", [channels], {
    dtype: "int32",
    data: new Uint8Array(values.buffer),
    quantization: {
      scale: scales.map((scale) => Math.fround((x.quantization?.scale[0] ?? 1) * scale)),
      zeroPoint: scales.map(() => 0),
      axis: 0,
    },
  });
}

const ints = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => {
  const { quantization: _, ...plain } = tensor("ints", shape);
  return { ...plain, dtype: "int32", data: new Uint8Array(Int32Array.from(values).buffer) };
};

const of = <K extends OpKind>(step: Step<K>): Step => step as unknown as Step;

/** What may follow a picture `[n,h,w,c]`. */
const PICTURE: readonly ((next: Next, x: Tensor, others: readonly number[]) => Step)[] = [
  (next, x) => {
    const channels = pick(next, [1, 3, 4, 8, 9, 16, 24, 33]);
    const [h, w] = [pick(next, [1, 1, 2, 3, 5]), pick(next, [1, 1, 3, 3, 4])];
    const weight = weights(next, [channels, h, w, x.shape[3] as number], channels, 0);
    return of({ kind: "conv2d", attributes: window(next), rest: [weight, bias(next, x, weight, channels)] });
  },
  (next, x) => {
    const channels = (x.shape[3] as number) * pick(next, [1, 1, 1, 2]);
    const weight = weights(
      next,
      [1, pick(next, [1, 3, 3, 5, 9]), pick(next, [1, 3, 3, 5])].concat(channels),
      channels,
      3,
    );
    return of({ kind: "depthwiseConv2d", attributes: window(next), rest: [weight, bias(next, x, weight, channels)] });
  },
  (next) => of({ kind: pick(next, ["averagePool2d", "maxPool2d"]), attributes: pool(next), same: true }),
  (next, { shape }) => {
    const pads = shape.flatMap((_, d) => (d === 0 ? [0, 0] : [next() % 3, next() % 3]));
    return of({ kind: "pad", attributes: {}, rest: [ints(pads, [4, 2])], same: true });
  },
  (next) => {
    const kind = pick(next, ["resizeBilinear", "resizeNearestNeighbor"] as const);
    const attributes = pick(next, [
      { alignCorners: false, halfPixelCenters: false },
      { alignCorners: false, halfPixelCenters: true },
      { alignCorners: true, halfPixelCenters: false },
    ]);
    return of({ kind, attributes, rest: [ints([1 + (next() % 9), 1 + (next() % 9)])], same: true });
  },
  (next) =>
    of({
      kind: "transpose",
      attributes: {},
      rest: [
        ints([
          0,
          ...pick(next, [
            [2, 1, 3],
            [3, 1, 2],
            [1, 3, 2],
          ]),
        ]),
      ],
      same: true,
    }),
  (_next) => of({ kind: "mean", attributes: { keepDims: true }, rest: [ints([1, 2])] }),
];

/** What may follow anything. */
const ANY: readonly ((next: Next, x: Tensor, others: readonly number[]) => Step)[] = [
  (next, _x, others) =>
    of({
      kind: pick(next, ["add", "sub", "mul"]),
      attributes: { activation: clamp(next) },
      rest: [pick(next, others)],
    }),
  (next, _x, others) =>
    of({ kind: pick(next, ["maximum", "minimum"]), attributes: {}, rest: [pick(next, others)], same: true }),
  () => of({ kind: "logistic", attributes: {}, fixed: [1 / 256, -128] }),
  () => of({ kind: "tanh", attributes: {}, fixed: [1 / 128, 0] }),
  (next) => of({ kind: pick(next, ["relu", "relu6", "hardSwish", "elu"]), attributes: {} }),
  () => of({ kind: "softmax", attributes: { beta: 1 }, fixed: [1 / 256, -128] }),
  (_next, x) =>
    of({ kind: "reshape", attributes: { shape: [x.shape[0] as number, elementCount(x.shape.slice(1))] }, same: true }),
  (next, _x, others) =>
    of({ kind: "concat", attributes: { axis: -1, activation: "none" }, rest: [pick(next, others)] }),
];

const clamp = (next: Next) => pick(next, ["none", "none", "relu", "relu6"] as const);
const window = (next: Next) => ({
  stride: pick(next, [
    [1, 1],
    [1, 1],
    [2, 2],
    [1, 2],
  ] as const),
  dilation: pick(next, [
    [1, 1],
    [1, 1],
    [1, 1],
    [2, 2],
    [2, 1],
  ] as const),
  padding: pick(next, ["same", "valid"] as const),
  activation: clamp(next),
});
const pool = (next: Next) => ({
  filter: pick(next, [
    [2, 2],
    [3, 3],
    [1, 4],
  ] as const),
  stride: pick(next, [
    [1, 1],
    [2, 2],
    [2, 1],
  ] as const),
  padding: pick(next, ["same", "valid"] as const),
  activation: clamp(next),
});

/** A network of up to a dozen nodes. Steps that the operators refuse are left out. */
export function randomNetwork(next: Next): Graph {
  const quantization = () => ({ scale: [scaleOf(next)], zeroPoint: [(next() % 256) - 128], axis: 0 });
  const shape = [pick(next, [1, 1, 2]), 1 + (next() % 12), 1 + (next() % 12), pick(next, [1, 3, 4, 8, 16, 19])];
  const tensors: Tensor[] = [tensor("x", shape, { quantization: quantization() })];
  const nodes: AnyNode[] = [];
  const computed = [0];
  for (let tries = 0; tries < 12; tries++) {
    const at = next() % 4 === 0 ? pick(next, computed) : (computed.at(-1) as number);
    const x = tensors[at] as Tensor;
    const alike = computed.filter((i) => `${tensors[i]?.shape.slice(0, -1)}` === `${x.shape.slice(0, -1)}`);
    const step = pick(next, x.shape.length === 4 && next() % 3 ? PICTURE : ANY)(next, x, alike);
    const result = quantizationOf(step, x, quantization);
    const inputs = [
      x,
      ...(step.rest ?? []).map((each) => (typeof each === "number" ? (tensors[each] as Tensor) : each)),
    ];
    const y = tensor(`t${tensors.length}`, [], { quantization: result });
    const inferred = inferredBy(step, inputs, y);
    if (inferred === undefined) continue;
    const ids = [at];
    for (const each of step.rest ?? []) ids.push(typeof each === "number" ? each : tensors.push(each) - 1);
    const out = tensors.push({ ...y, name: `t${tensors.length}`, shape: inferred }) - 1;
    nodes.push(node(step.kind, ids, [out], step.attributes as never));
    computed.push(out);
  }
  return graph(tensors, nodes, [0], [computed.at(-1) as number]);
}

function quantizationOf({ fixed, same }: Step, x: Tensor, other: () => NonNullable<Tensor["quantization"]>) {
  if (fixed !== undefined) return { scale: [fixed[0]], zeroPoint: [fixed[1]], axis: 0 };
  return same ? (x.quantization as NonNullable<Tensor["quantization"]>) : other();
}

/** The shape of the result; undefined where the operator refuses the step, or the result is empty or large. */
function inferredBy(step: Step, inputs: readonly Tensor[], y: Tensor): readonly number[] | undefined {
  try {
    const operator = operators[step.kind] as unknown as Operator<OpKind>;
    const [type] = operator.infer({ where: "node", attributes: step.attributes, inputs, outputs: [y] });
    const count = elementCount(type?.shape ?? [0]);
    return count > 0 && count < 20_000 ? type?.shape : undefined;
  } catch {
    return undefined;
  }
}
