/** Attributes of nodes → options tables and custom options: the reverse of the readers, by the same descriptions. */
import type { AnyNode, Node } from "../../../graph.ts";
import { sizeOf, type Tensor } from "../../../tensor.ts";
import { CUSTOM_OPERATORS, type CustomField, type CustomFields } from "../custom.ts";
import type { Entry } from "../entries.ts";
import { allEntries } from "../operators.ts";
import { ACTIVATIONS, type OptionField, type OptionFields, PADDINGS } from "../options.ts";
import { CUSTOM, TENSOR_TYPES } from "../schema.ts";
import type { Slot, Slots } from "./flat.ts";
import { writeFlexMap } from "./flexbuffer.ts";

/** What an operator is in a file: its code and options. */
export interface WrittenOperator {
  /** BuiltinOperator number. */
  readonly code: number;
  /** The name of a custom operator. */
  readonly custom?: string;
  readonly options?: { readonly type: number; readonly slots: Slots };
  readonly customOptions?: Uint8Array;
}

/** Entries by kind: several where one kind is several operators of the file. */
const BY_KIND = new Map<string, { readonly code: number; readonly entry: Entry }[]>();
for (const [code, entry] of Object.entries(allEntries())) {
  if (entry === undefined) continue;
  const list = BY_KIND.get(entry.kind) ?? [];
  BY_KIND.set(entry.kind, list);
  list.push({ code: Number(code), entry });
}

/** PAD without a value, PADV2 with one. */
const [PAD, PADV2] = [34, 60];

/** The operator of a node; undefined where TensorFlow Lite has none. `subgraphs` are the numbers of the graphs that it runs. */
export function writtenOperator(
  node: AnyNode,
  tensors: readonly Tensor[],
  subgraphs: readonly number[],
): WrittenOperator | undefined {
  const attributes = { ...node.attributes, subgraphs } as Readonly<Record<string, unknown>>;
  const found = (BY_KIND.get(node.kind) ?? []).find(({ code, entry }) => {
    if (node.kind === "pad") return code === (node.inputs.length > 2 ? PADV2 : PAD);
    return Object.entries(entry.fields).every(
      ([name, field]) =>
        !("as" in field) || field.as !== "fixed" || name === "bodies" || field.value === attributes[name],
    );
  });
  if (found === undefined) return writtenCustom(node, attributes, tensors);
  const { code, entry } = found;
  const derived = derivedOptions(node, tensors);
  const type = entry.optionsType || derived?.type || 0;
  if (type === 0) return { code };
  return { code, options: { type, slots: { ...slotsOf(entry.fields, attributes), ...derived?.slots } } };
}

function writtenCustom(
  node: AnyNode,
  attributes: Readonly<Record<string, unknown>>,
  tensors: readonly Tensor[],
): WrittenOperator | undefined {
  if (node.kind === "custom")
    return { code: CUSTOM, custom: node.attributes.name, customOptions: node.attributes.options };
  const [custom, operator] = [...CUSTOM_OPERATORS].find(([, { kind }]) => kind === node.kind) ?? [];
  if (custom === undefined || operator === undefined) return undefined;
  const customOptions =
    wordsOf(node) ??
    writeFlexMap(new Map([...flexValues(operator.fields ?? {}, attributes), ...typeOption(node, tensors)]));
  return { code: CUSTOM, custom, customOptions };
}

/** The type by its number, which these operators of TensorFlow Lite Micro look for in their options. */
function typeOption({ kind, inputs }: AnyNode, tensors: readonly Tensor[]): readonly (readonly [string, number])[] {
  const typed = kind === "signalTransform" || kind === "signalInverse" || kind === "signalOverlapAdd";
  const dtype = tensors[inputs[0] as number]?.dtype;
  return typed && dtype !== undefined ? [["T", TENSOR_TYPES.indexOf(dtype)]] : [];
}

/** Options that are int32 one after the other; undefined where they are a map. */
function wordsOf(node: AnyNode): Uint8Array | undefined {
  if (node.kind === "transposeConvBias") return transposeBias(node);
  if (node.kind !== "maxPoolPlaces" && node.kind !== "maxUnpool") return undefined;
  const { padding, stride, filter } = node.attributes;
  const activation = node.kind === "maxPoolPlaces" ? ACTIVATIONS.indexOf(node.attributes.activation) : 0;
  const words = [padding === "same" ? 1 : 2, stride[1], stride[0], filter[1], filter[0], activation];
  // room for the padding that the reader computes
  return new Uint8Array(Int32Array.from([...words, 0, 0, 0, 0]).buffer);
}

/** Three int32: padding (1 same, 2 valid), stride across, stride down. */
function transposeBias({ attributes: { padding, stride } }: Node<"transposeConvBias">): Uint8Array {
  return new Uint8Array(Int32Array.of(padding === "same" ? 1 : 2, stride[1], stride[0]).buffer);
}

function flexValues(
  fields: CustomFields,
  attributes: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, number | boolean> {
  const values = new Map<string, number | boolean>();
  for (const [name, field] of Object.entries(fields)) {
    const list = (Array.isArray(field) ? field : [field]) as readonly CustomField[];
    const given = (Array.isArray(field) ? attributes[name] : [attributes[name]]) as readonly (number | boolean)[];
    for (const [i, { key }] of list.entries()) values.set(key, given[i] as number | boolean);
  }
  return values;
}

function slotsOf(fields: OptionFields, attributes: Readonly<Record<string, unknown>>): Slots {
  const slots: Record<number, Slot> = {};
  for (const [name, field] of Object.entries(fields)) {
    const list = (Array.isArray(field) ? field : [field]) as readonly OptionField[];
    const given = Array.isArray(field) ? (attributes[name] as readonly unknown[]) : [attributes[name]];
    for (const [i, each] of list.entries()) Object.assign(slots, slotOf(each, given[i]));
  }
  return slots;
}

/** One field, or nothing where it has the schema's default. */
function slotOf(field: OptionField, value: unknown): Slots {
  switch (field.as) {
    case "int":
      return value === field.absent ? {} : { [field.at]: { int32: value as number } };
    case "ints":
      return value === undefined ? {} : { [field.at]: { int32s: value as readonly number[] } };
    case "longs":
      return { [field.at]: { int64s: value as readonly number[] } };
    case "reals":
      return { [field.at]: { float32s: value as readonly number[] } };
    case "real":
      return value === 0 ? {} : { [field.at]: { float32: value as number } };
    case "flag":
      return value === field.absent ? {} : { [field.at]: { int8: Number(value) } };
    case "byte":
      return byteSlot(field.at, value as number);
    case "padding":
      return byteSlot(field.at, PADDINGS.indexOf(value as "same"));
    case "activation":
      return byteSlot(field.at, ACTIVATIONS.indexOf(value as "none"));
    case "choice":
      return byteSlot(field.at, field.words.find(([, word]) => word === value)?.[0] ?? 0);
    case "key": {
      const [container = "", ...rest] = String(value).split("/");
      return { [field.at]: { string: container }, [field.at + 1]: { string: rest.join("/") } };
    }
    case "fixed":
      return {};
  }
}

const byteSlot = (at: number, value: number): Slots => (value === 0 ? {} : { [at]: { int8: value } });

/** TensorType number. */
const typeNumber = (tensor: Tensor | undefined) => ({
  int8: Math.max(0, TENSOR_TYPES.indexOf(tensor?.dtype ?? "float32")),
});

/** What the file states a second time though its tensors say it, with the type of the options where the reader needs none. */
function derivedOptions(
  node: AnyNode,
  tensors: readonly Tensor[],
): { readonly type: number; readonly slots: Slots } | undefined {
  const x = tensors[node.inputs[0] as number];
  const y = tensors[node.outputs[0] as number];
  switch (node.kind) {
    case "argMax":
      return { type: 40, slots: { 0: typeNumber(y) } };
    case "argMin":
      return { type: 57, slots: { 0: typeNumber(y) } };
    case "cast":
      return { type: 37, slots: { 0: typeNumber(x), 1: typeNumber(y) } };
    case "unique":
      return { type: 80, slots: { 0: typeNumber(tensors[node.outputs[1] as number]) } };
    case "splitV":
      return { type: 79, slots: { 0: { int32: node.outputs.length } } };
    case "pack":
      return { type: 59, slots: { 0: { int32: node.inputs.length } } };
    case "depthwiseConv2d":
      return { type: 2, slots: { 3: { int32: sizeOf(y as Tensor, 3) / sizeOf(x as Tensor, 3) } } };
    case "lstm":
      return node.inputs.length === 5 ? { type: 14, slots: { 3: { int8: 1 } } } : undefined;
    case "add":
    case "sub":
      return isFreelyScaled(x, tensors[node.inputs[1] as number], y)
        ? { type: node.kind === "add" ? 11 : 28, slots: { 1: { int8: 0 } } }
        : undefined;
    case "conv2d":
      return biasOption(1, 6, node, tensors);
    case "fullyConnected":
      return biasOption(8, 4, node, tensors);
    case "transposeConv":
      return biasOption(49, 4, node, tensors);
    default:
      return undefined;
  }
}

/** Sums of int16 of which a scale is no power of two: the reference shifts otherwise. */
function isFreelyScaled(...list: readonly (Tensor | undefined)[]): boolean {
  if (list[0]?.dtype !== "int16" || list[0].quantization === undefined) return false;
  return !list.every((tensor) => {
    const scale = tensor?.quantization?.scale[0] ?? 1;
    return Number.isInteger(Math.log2(scale));
  });
}

/** The type of the bias of int16 layers, where it is not int64. */
function biasOption(type: number, at: number, node: AnyNode, tensors: readonly Tensor[]) {
  const [x, bias] = node.kind === "transposeConv" ? [2, 3] : [0, 2];
  const isWide = tensors[node.inputs[x] as number]?.dtype === "int16";
  const isNarrowBias = tensors[node.inputs[bias] as number]?.dtype === "int32";
  return isWide && isNarrowBias
    ? { type, slots: { [at]: typeNumber({ name: "", dtype: "int32", shape: [] }) } }
    : undefined;
}
