/** .onnx bytes → Graph. */
import { ensure, kindOf, Pint8Error } from "../../errors.ts";
import type { Graph, Port, TensorId } from "../../graph.ts";
import type { Operators } from "../../ops/types.ts";
import { bytesOfNumbers } from "../../ops/values.ts";
import { byteLength, type DType, elementCount, listText, type Tensor, type TypedArray } from "../../tensor.ts";
import { uniqueNames } from "../names.ts";
import { KNOWN_OPERATORS, shorten, someOf } from "../text.ts";
import { createBuilder, NEEDS_OPERATORS } from "./builder.ts";
import { ORDINARY } from "./conversions.ts";
import {
  asValue,
  conversionsIn,
  type Inner,
  keyOf,
  NEEDS_RARE,
  type Rare,
  type Scope,
  type Shared,
  whereOf,
} from "./convert.ts";
import { graphOf } from "./fused.ts";
import { plain } from "./layout.ts";
import type { GraphProto, ModelProto, ValueProto } from "./messages.ts";
import { readModel } from "./proto.ts";
import { createScope } from "./scope.ts";
import { dtypeOf, type ExternalData } from "./tensors.ts";
import { NONE } from "./types.ts";

export { externalNames } from "./external.ts";

/** What the importer takes besides the bytes. */
export interface OnnxOptions {
  /** Size of the first dimension where the model leaves it open; 1 where absent. */
  readonly batch?: number | undefined;
  /** Shapes of inputs by name, for models that leave dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Values of inputs by name that are known when planned: these become constants, and are no inputs any more. */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>> | undefined;
  /** Files with tensors that the model keeps outside, by the names that it gives them. */
  readonly externalData?: ExternalData | undefined;
}

/** What importing stops for. */
export type Needed = "rare" | "operators";

/** Opsets of the default domain that conversions know. */
const OLDEST_OPSET = 1;

/**
 * Reads an ONNX model: functions inlined, shapes inferred and folded on the way by these operators, channels last wherever an
 * operator wants them so. What comes out ends with the graph; where the model needs what is not at hand it stops first, saying
 * `rare` or `operators`, and goes on from there with what is rare, or with the operators that are in the table then.
 *
 * Errors: INVALID_MODEL, INVALID_GRAPH, UNSUPPORTED (all unknown operators at once), INVALID_OPTION (shapes, batch), IO
 * (external data that is not given), OUT_OF_MEMORY.
 */
export function* importing(
  bytes: Uint8Array,
  options: OnnxOptions,
  operators: Operators,
  atHand?: Rare,
): Generator<Needed, Graph, Rare | undefined> {
  let given = atHand;
  const rare = (): Rare => {
    if (given === undefined) throw NEEDS_RARE;
    return given;
  };
  /** The result of work that may need what is not at hand: once more when that is there. */
  function* finished<T>(work: () => T): Generator<Needed, T, Rare | undefined> {
    for (;;) {
      let needed: Needed;
      try {
        return work();
      } catch (cause) {
        if (cause !== NEEDS_RARE && cause !== NEEDS_OPERATORS) throw cause;
        needed = cause === NEEDS_RARE ? "rare" : "operators";
      }
      given = (yield needed) ?? given;
    }
  }
  const conversionOf = (key: string) => ORDINARY[key] ?? given?.conversions[key];
  const { graph, functions, opsets } = readModel(bytes);
  ensure(graph !== undefined && graph.nodes.length + graph.outputs.length > 0, "INVALID_MODEL", () => ({
    where: "file",
    expected: "a graph",
    received: "none",
  }));
  checkOpset(opsets);
  const inlined = functions.length === 0 ? graph : yield* finished(() => rare().inlineFunctions(graph, functions));
  yield* finished(() => requireKnown(inlined, conversionOf, rare));
  const b = createBuilder(operators);
  const { externalData = {} } = options;
  const shared: Shared = { b, conversionOf, opsets, external: externalData, rare, inner: INNER };
  const scope = createScope(shared, inlined);
  const inputs = declareInputs(inlined, scope, options);
  yield* finished(conversionsIn(inlined, scope));
  const outputs = yield* finished(() => inlined.outputs.map((output) => outputOf(output, scope)));
  const names = uniqueNames(
    inlined.outputs.map(({ name }) => name),
    "output",
  );
  const ports = outputs.map((tensor, i) => ({ name: names[i] as string, tensor }));
  return graphOf(b, inlined.name || "main", inputs, ports, given);
}

/** `importing` with everything at hand. */
export const importOnnx = (bytes: Uint8Array, options: OnnxOptions, operators: Operators, rare: Rare): Graph =>
  importing(bytes, options, operators, rare).next().value as Graph;

const INNER: Inner = {
  createBuilder,
  createScope,
  convertGraph: (graph, scope) => conversionsIn(graph, scope)(),
  graphOf,
};

function checkOpset(opsets: ModelProto["opsets"]): void {
  const version = opsets.get("");
  if (version === undefined) return;
  ensure(version >= OLDEST_OPSET, "UNSUPPORTED", () => ({
    where: "file",
    expected: `opset ${OLDEST_OPSET} or newer`,
    received: `opset ${version}`,
    hint: "Convert the model with onnx.version_converter.",
  }));
}

/** Every input that no initializer and no option fills, with all its dimensions known. */
function declareInputs(graph: GraphProto, scope: Scope, options: OnnxOptions): readonly Port[] {
  const filled = new Set(graph.initializers.map(({ name }) => name));
  const open = graph.inputs.filter(({ name }) => !filled.has(name));
  const { constants = {} } = options;
  for (const where of ["shapes", "constants"] as const)
    for (const [name, given] of Object.entries<unknown>(options[where] ?? {})) {
      ensure(
        open.some((input) => input.name === name),
        "INVALID_OPTION",
        () => ({ where, expected: open.map((input) => shorten(input.name)).join(", "), received: shorten(name) }),
      );
      ensure(Array.isArray(given) || (where === "constants" && ArrayBuffer.isView(given)), "INVALID_OPTION", () => ({
        where: `${where}, ${shorten(name)}`,
        expected: "a list",
        received: kindOf(given),
      }));
    }
  return open.flatMap((input) => {
    const where = `input "${shorten(input.name)}"`;
    const dtype = dtypeOf(input.dataType, where);
    const value = Object.hasOwn(constants, input.name) ? constants[input.name] : undefined;
    const tensor =
      value === undefined
        ? { name: input.name, dtype, shape: shapeOf(input, where, options) }
        : constantOf(input, dtype, value, where, options);
    const id = scope.shared.b.declare(tensor);
    ensure(scope.lookup(input.name) === undefined, "INVALID_MODEL", () => ({
      where,
      expected: "inputs of different names",
      received: "the name twice",
    }));
    scope.define(input.name, asValue(scope.shared.b, input.name, id, input.dataType));
    return value === undefined ? [{ name: input.name, tensor: id }] : [];
  });
}

/** An input as the constant that the option says; one open dimension is as long as the values fill it. */
function constantOf(
  input: ValueProto,
  dtype: DType,
  value: TypedArray | readonly number[],
  where: string,
  options: OnnxOptions,
): Tensor {
  const given = options.shapes?.[input.name] ?? input.dims ?? [undefined];
  const isOpen = (size: number | string | undefined) => typeof size !== "number" || size < 0;
  const known = given.reduce<number>((all, size) => (isOpen(size) ? all : all * (size as number)), 1);
  const shape = given.map((size) => (isOpen(size) ? value.length / known : (size as number)));
  ensure(
    given.filter(isOpen).length <= 1 && elementCount(shape) === value.length && shape.every(Number.isInteger),
    "INVALID_OPTION",
    () => ({
      where: `constants, ${where}`,
      expected: `values for ${openText(given)}`,
      received: `${value.length} values`,
    }),
  );
  const fits = (each: unknown) => (/float/.test(dtype) ? typeof each === "number" : Number.isSafeInteger(Number(each)));
  ensure(ArrayBuffer.isView(value) || value.every(fits), "INVALID_OPTION", () => ({
    where: `constants, ${where}`,
    expected: `numbers that ${dtype} holds`,
    received: kindOf(value.find((each) => !fits(each))),
  }));
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
    : bytesOfNumbers(dtype, value);
  ensure(bytes.length === byteLength({ dtype, shape }), "INVALID_OPTION", () => ({
    where: `constants, ${where}`,
    expected: `an array of ${dtype}`,
    received: `${bytes.length} bytes`,
  }));
  return { name: input.name, dtype, shape, data: bytes };
}

function shapeOf({ name, dims }: ValueProto, where: string, { shapes, batch }: OnnxOptions): readonly number[] {
  const given = shapes !== undefined && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (given !== undefined) {
    const fits =
      dims === undefined ||
      (dims.length === given.length &&
        dims.every((size, i) => typeof size !== "number" || size < 0 || size === given[i]));
    ensure(fits && given.every((size) => Number.isInteger(size) && size >= 0), "INVALID_OPTION", () => ({
      where: `shapes, ${where}`,
      expected: dims === undefined ? "whole numbers from 0" : openText(dims),
      received: listText(given),
    }));
    return given;
  }
  ensure(dims !== undefined, "INVALID_OPTION", () => missing(where, "no shape"));
  return dims.map((size, i) => {
    if (typeof size === "number" && size >= 0 && !(i === 0 && batch !== undefined)) return size;
    if (i === 0) return batch ?? 1;
    throw new Pint8Error("INVALID_OPTION", missing(where, openText(dims)));
  });
}

/** Sizes as the file has them: `[?,3,?,?]`. */
const openText = (dims: readonly (number | string | undefined)[]) => listText(dims.map((size) => size ?? "?"));

const missing = (where: string, received: string) => ({
  where,
  expected: "a shape without open dimensions",
  received,
  hint: "Give it as the option shapes: { name: [sizes] }; on the command line, --shape name=1,3,224,224.",
});

function outputOf({ name }: ValueProto, scope: Scope): TensorId {
  const where = `output "${shorten(name)}"`;
  const value = scope.lookup(name);
  ensure(value !== undefined, "INVALID_MODEL", () => ({
    where,
    expected: "an output that a node, input or initializer gives",
    received: "none",
  }));
  ensure(value.items === undefined, "UNSUPPORTED", () => ({ where, expected: "a tensor", received: "a sequence" }));
  const { b } = scope.shared;
  const id = plain(b, where, value.shape, value.twins);
  if (value.open === undefined) return id;
  const { count, inner } = value.open;
  const [elements] = b.add("mul", where, [count, b.integers([inner], [])], NONE, [{ dtype: "int32" }]);
  const { dtype, quantization } = b.tensor(id);
  const type = { dtype, ...(quantization && { quantization }) };
  return b.add("prefix", where, [id, elements], {}, [type], name)[0] as TensorId;
}

/** One error for all operators that have no conversion, subgraphs included. */
function requireKnown(graph: GraphProto, conversionOf: Shared["conversionOf"], rare: Shared["rare"]): void {
  const unknown = new Map<string, string[]>();
  const visit = ({ nodes }: GraphProto, prefix: string): void => {
    for (const [index, node] of nodes.entries()) {
      const key = keyOf(node);
      if (conversionOf(key) === undefined) {
        rare();
        const list = unknown.get(key) ?? [];
        unknown.set(key, list);
        list.push(whereOf(prefix, index, node));
      }
      for (const { graph: inner } of node.attributes.values()) if (inner) visit(inner, `${prefix}node ${index}, `);
    }
  };
  visit(graph, "");
  const [first] = unknown.values();
  if (first === undefined) return;
  const names = [...unknown].map(([key, list]) => `${shorten(key)} (${list.length}×)`);
  throw new Pint8Error("UNSUPPORTED", {
    where: first[0] as string,
    expected: "operators that pint8 runs",
    received: someOf(names),
    hint: names.some((name) => name.startsWith(PROCESSORS))
      ? "ORT_ENABLE_ALL writes files for one processor: save the optimized model with ORT_ENABLE_EXTENDED."
      : `${KNOWN_OPERATORS}.`,
  });
}

/** onnxruntime's layouts of the processor that it ran on. */
const PROCESSORS = "com.microsoft.nchwc.";
