/** Recurrent layers → LSTM, GRU and RNN: weights of all gates and directions as one constant, integers where they are integers. */
import { NONE, type TensorId } from "../../../graph.ts";
import type { Tensor } from "../../../tensor.ts";
import { realsOf } from "../../steps/numbers.ts";
import type { Emitter } from "./emit.ts";
import type { OnnxAttribute } from "./model.ts";
import { biasOf, reshaped } from "./steps.ts";

/** A tensor of the graph, or real values by name. */
export type Part = TensorId | string;

/** One direction. Gates in ONNX' order: input, output, forget, cell of LSTM, update, reset, hidden of GRU. */
export interface Direction {
  readonly isReverse: boolean;
  /** Rows of all gates one after the other, `[gates · hidden, inputs]` in all, and of the state, `[gates · hidden, hidden]`. */
  readonly w: readonly Part[];
  readonly r: readonly Part[];
  /** `[gates · hidden]` each in all: numbers, or by name. */
  readonly biases: readonly [readonly Numbers[], readonly Numbers[]];
  /** Of the input, output and forget gates. */
  readonly peepholes?: readonly Numbers[];
  /** States before the first step, `[batch, hidden]` by name; zeros where they are absent. */
  readonly h?: string | undefined;
  readonly c?: string | undefined;
}

/** Constant numbers, or real values by name. */
export type Numbers = Float32Array | string;

export interface Layer {
  readonly type: "LSTM" | "GRU" | "RNN";
  /** `[time, batch, inputs]`. */
  readonly x: string;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  /** One, or the one from the start and the one from the end. */
  readonly directions: readonly Direction[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** Names of what a layer gives: `[time, directions, batch, hidden]`, and the last states `[directions, batch, hidden]`. */
interface Given {
  readonly y: string;
  readonly h: string;
  readonly c: string;
}

const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const;

/** Writes a layer. */
export function writeLayer(to: Emitter, layer: Layer): Given {
  const { type, x, batch, inputs, hidden, directions, attributes = {} } = layer;
  const [count, rows] = [directions.length, GATES[type] * hidden];
  const matrix = (name: string, parts: readonly Part[], depth: number) =>
    stacked(to, name, parts, [count, rows, depth]);
  const vectors = (name: string, parts: readonly Numbers[], size: number) => joined(to, name, parts, [count, size]);
  const state = (names: readonly (string | undefined)[]) => {
    const given = names.filter((name) => name !== undefined);
    if (given.length < count) return "";
    const apart = given.map((name) => reshaped(to, name, [1, batch, hidden]));
    return apart.length === 1 ? (apart[0] as string) : to.step("Concat", apart, { axis: 0 });
  };
  const list = [
    x,
    matrix(
      "W",
      directions.flatMap(({ w }) => w),
      inputs,
    ),
    matrix(
      "R",
      directions.flatMap(({ r }) => r),
      hidden,
    ),
    vectors(
      "B",
      directions.flatMap(({ biases }) => biases.flat()),
      2 * rows,
    ),
    "",
    state(directions.map(({ h }) => h)),
    ...(type === "LSTM" ? [state(directions.map(({ c }) => c))] : []),
    ...(directions[0]?.peepholes
      ? [
          vectors(
            "P",
            directions.flatMap(({ peepholes = [] }) => peepholes),
            3 * hidden,
          ),
        ]
      : []),
  ];
  while (list.at(-1) === "") list.pop();
  const way = count === 2 ? "bidirectional" : directions[0]?.isReverse ? "reverse" : undefined;
  const [y, h, c] = [to.fresh(type), to.fresh(`${type}/h`), to.fresh(`${type}/c`)];
  const all = { hidden_size: hidden, ...(way && { direction: way }), ...attributes };
  to.add(type, list, y, all, type === "LSTM" ? [h, c] : [h]);
  return { y, h, c };
}

/** Rows of constants of int8, with a scale for all rows or one for each, no zero point. */
function isPlainRows({ dtype, data, quantization, shape }: Tensor): boolean {
  const { scale = [], zeroPoint = [], block } = quantization ?? {};
  const isScaled = scale.length === 1 || scale.length === shape[0];
  return (
    dtype === "int8" && data !== undefined && block === undefined && isScaled && zeroPoint.every((zero) => zero === 0)
  );
}

/** Matrices below each other, in that shape: one constant where all are constants of one type, in integers where they are. */
function stacked(to: Emitter, name: string, parts: readonly Part[], shape: readonly number[]): string {
  const tensors = parts.flatMap((part) => (typeof part === "string" ? [] : [to.tensor(part)]));
  const areAll = (is: (tensor: Tensor) => boolean) => tensors.length === parts.length && tensors.every(is);
  const bytes = () => {
    const all = new Uint8Array(tensors.reduce((sum, { data }) => sum + (data?.length ?? 0), 0));
    let at = 0;
    for (const { data = new Uint8Array(0) } of tensors) {
      all.set(data, at);
      at += data.length;
    }
    return all;
  };
  if (areAll(({ dtype, data }) => dtype === "float32" && data !== undefined))
    return to.constant(name, "float32", shape, bytes());
  const shaped = (value: string) => reshaped(to, value, shape);
  if (areAll(isPlainRows)) {
    const scale = tensors.flatMap(({ quantization, shape: [rows = 0] }) => {
      const own = quantization?.scale ?? [];
      return own.length === rows ? own : new Array<number>(rows).fill(own[0] as number);
    });
    const flat = [scale.length, shape.at(-1) as number];
    const quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
    return shaped(to.dequantized(to.constant(name, "int8", flat, bytes()), "int8", quantization, flat));
  }
  const names = parts.map((part) => (typeof part === "string" ? part : to.real(part)));
  return shaped(names.length === 1 ? (names[0] as string) : to.step("Concat", names, { axis: 0 }));
}

/** Vectors one after the other, in that shape. */
function joined(to: Emitter, name: string, parts: readonly Numbers[], shape: readonly number[]): string {
  if (parts.every((part) => typeof part !== "string")) {
    const values = parts.flatMap((part) => [...part]);
    return values.every((value) => value === 0) ? "" : to.constant(name, "float32", shape, Float32Array.from(values));
  }
  const names = parts.map((part) =>
    typeof part === "string" ? part : to.constant(name, "float32", [part.length], part),
  );
  const whole = names.length === 1 ? (names[0] as string) : to.step("Concat", names, { axis: 0 });
  return reshaped(to, whole, shape);
}

/** The numbers of a bias or of other weights of a vector; of sums of products of x and w where it has no scale of its own; zeros where there is none. */
export function numbersOf(to: Emitter, id: TensorId | undefined, size: number, x?: TensorId, w?: TensorId): Numbers {
  if (id === undefined || id === NONE) return new Float32Array(size);
  const tensor = to.tensor(id);
  if (tensor.data === undefined) return x === undefined || w === undefined ? to.real(id) : biasOf(to, id, x, w);
  const [scaleX = 1] = x === undefined ? [] : (to.tensor(x).quantization?.scale ?? []);
  const scales =
    w === undefined ? [] : (to.tensor(w).quantization?.scale ?? []).map((each) => Math.fround(each * scaleX));
  return realsOf(tensor, tensor.quantization?.scale ?? scales);
}

/** A state as it begins; undefined where it is zeros. */
export function startOf(to: Emitter, id: TensorId): string | undefined {
  const tensor = to.tensor(id);
  if (tensor.data === undefined) return tensor.variable === true ? undefined : to.real(id);
  return realsOf(tensor, tensor.quantization?.scale ?? []).every((value) => value === 0) ? undefined : to.real(id);
}

/** Tells that nothing is kept of a sequence. */
export const sayFirst = (to: Emitter, { kind }: { readonly kind: string }) =>
  to.say(`${kind} begins each run with its first state`);
