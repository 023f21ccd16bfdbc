/** Bytes → ONNX's messages (IR versions 3 and up). */
import { PbfReader } from "pbf";
import { ensure, Pint8Error, textOf } from "../../errors.ts";
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueProto,
} from "./messages.ts";
import { endOf, type Integers, packed, readFloats, readIntegers, readLongs, requireInside } from "./numbers.ts";

/** Subgraphs inside of subgraphs: deeper ones are refused, so that reading ends. */
const MOST_NESTED = 32;

/** The model in these bytes. Errors: INVALID_MODEL for what is no protobuf message of this kind. */
export function readModel(bytes: Uint8Array): ModelProto {
  try {
    return model(new PbfReader(bytes), bytes.length);
  } catch (cause) {
    if (cause instanceof Pint8Error) throw cause;
    const received = `bytes that are none (${textOf(cause)})`;
    const hint = "The file is damaged or cut short; fetch or export it again.";
    throw new Pint8Error("INVALID_MODEL", { where: "file", expected: "an ONNX model", received, hint }, { cause });
  }
}

/** Mutable while it is filled. */
type Filling<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the fields of a message up to `end`, which must be where it ends. */
function fields<T>(pbf: PbfReader, end: number, into: T, read: (tag: number, into: T, pbf: PbfReader) => void): T {
  requireInside(pbf, end);
  pbf.readFields(read, into, end);
  ensure(pbf.pos === end, "INVALID_MODEL", () => ({
    where: "file",
    expected: `a field that ends at byte ${end}`,
    received: `byte ${pbf.pos}`,
  }));
  return into;
}

function model(pbf: PbfReader, end: number): ModelProto {
  const result: Filling<ModelProto> & { opsets: Map<string, number>; functions: FunctionProto[] } = {
    irVersion: 0,
    opsets: new Map(),
    graph: undefined,
    functions: [],
  };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.irVersion = pbf.readVarint();
    else if (tag === 7) into.graph = graph(pbf, endOf(pbf), 0);
    else if (tag === 8) opset(pbf, into.opsets);
    else if (tag === 25) into.functions.push(func(pbf, endOf(pbf)));
  });
}

function opset(pbf: PbfReader, into: Map<string, number>): void {
  const entry = fields(pbf, endOf(pbf), { domain: "", version: 0 }, (tag, result) => {
    if (tag === 1) result.domain = pbf.readString();
    else if (tag === 2) result.version = pbf.readVarint(true);
  });
  into.set(entry.domain === "ai.onnx" ? "" : entry.domain, entry.version);
}

function graph(pbf: PbfReader, end: number, depth: number): GraphProto {
  ensure(depth <= MOST_NESTED, "INVALID_MODEL", () => ({
    where: "file",
    expected: `at most ${MOST_NESTED} nested graphs`,
    received: "more",
  }));
  const result = {
    name: "",
    nodes: [] as NodeProto[],
    initializers: [] as TensorProto[],
    sparseInitializers: 0,
    inputs: [] as ValueProto[],
    outputs: [] as ValueProto[],
  };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.nodes.push(node(pbf, endOf(pbf), depth));
    else if (tag === 2) into.name = pbf.readString();
    else if (tag === 5) into.initializers.push(tensor(pbf, endOf(pbf)));
    else if (tag === 11) into.inputs.push(value(pbf, endOf(pbf)));
    else if (tag === 12) into.outputs.push(value(pbf, endOf(pbf)));
    else if (tag === 15) into.sparseInitializers++;
  });
}

function node(pbf: PbfReader, end: number, depth: number): NodeProto {
  const result = {
    name: "",
    operator: "",
    domain: "",
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: new Map<string, AttributeProto>(),
  };
  fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.inputs.push(pbf.readString());
    else if (tag === 2) into.outputs.push(pbf.readString());
    else if (tag === 3) into.name = pbf.readString();
    else if (tag === 4) into.operator = pbf.readString();
    else if (tag === 5) addAttribute(pbf, into.attributes, depth);
    else if (tag === 7) into.domain = domainOf(pbf.readString());
  });
  if (result.domain === "com.microsoft" && TAKEN_OVER.includes(result.operator)) result.domain = "";
  return result;
}

/** Operators that onnxruntime had in types or forms that ONNX's own got later. */
const TAKEN_OVER: readonly string[] = "DequantizeLinear GridSample Pad QuantizeLinear Range Trilu".split(" ");

const domainOf = (name: string): string => (name === "ai.onnx" ? "" : name);

function addAttribute(pbf: PbfReader, into: Map<string, AttributeProto>, depth: number): void {
  const one = attribute(pbf, endOf(pbf), depth);
  into.set(one.name, one);
}

function attribute(pbf: PbfReader, end: number, depth: number): AttributeProto {
  const result = {
    name: "",
    type: 0,
    reference: "",
    float: 0,
    int: 0,
    string: "",
    tensor: undefined as TensorProto | undefined,
    graph: undefined as GraphProto | undefined,
    floats: [] as number[],
    ints: [] as number[],
    strings: [] as string[],
  };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.name = pbf.readString();
    else if (tag === 2) into.float = pbf.readFloat();
    else if (tag === 3) into.int = pbf.readVarint(true);
    else if (tag === 4) into.string = pbf.readString();
    else if (tag === 5) into.tensor = tensor(pbf, endOf(pbf));
    else if (tag === 6) into.graph = graph(pbf, endOf(pbf), depth + 1);
    else if (tag === 7) packed(pbf).readPackedFloat(into.floats);
    else if (tag === 8) packed(pbf).readPackedVarint(into.ints, true);
    else if (tag === 9) into.strings.push(pbf.readString());
    else if (tag === 20) into.type = pbf.readVarint();
    else if (tag === 21) into.reference = pbf.readString();
  });
}

function tensor(pbf: PbfReader, end: number): TensorProto {
  const result = {
    name: "",
    dims: [] as number[],
    dataType: 0,
    raw: undefined as Uint8Array | undefined,
    floats: [] as number[],
    doubles: [] as number[],
    int32s: [] as Integers,
    int64s: [] as bigint[],
    strings: 0,
    external: undefined as Map<string, string> | undefined,
    isExternal: false,
  };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) packed(pbf).readPackedVarint(into.dims, true);
    else if (tag === 2) into.dataType = pbf.readVarint();
    else if (tag === 4) readFloats(pbf, into);
    else if (tag === 5) into.int32s = readIntegers(pbf, into.int32s);
    else if (tag === 6) into.strings++;
    else if (tag === 7 || tag === 11) readLongs(packed(pbf), into.int64s);
    else if (tag === 8) into.name = pbf.readString();
    else if (tag === 9) into.raw = pbf.readBytes();
    else if (tag === 10) packed(pbf).readPackedDouble(into.doubles);
    else if (tag === 13) {
      into.external ??= new Map();
      readPair(pbf, into.external);
    } else if (tag === 14) into.isExternal = pbf.readVarint() === 1;
  });
}

function readPair(pbf: PbfReader, into: Map<string, string>): void {
  const pair = fields(pbf, endOf(pbf), { key: "", value: "" }, (tag, result) => {
    if (tag === 1) result.key = pbf.readString();
    else if (tag === 2) result.value = pbf.readString();
  });
  into.set(pair.key, pair.value);
}

function value(pbf: PbfReader, end: number): ValueProto {
  const result = { name: "", dataType: 0, dims: undefined as (number | string | undefined)[] | undefined };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.name = pbf.readString();
    else if (tag === 2)
      fields(pbf, endOf(pbf), into, (type) => {
        if (type === 1) tensorType(pbf, into);
      });
  });
}

function tensorType(pbf: PbfReader, into: { dataType: number; dims: (number | string | undefined)[] | undefined }) {
  fields(pbf, endOf(pbf), into, (tag) => {
    if (tag === 1) into.dataType = pbf.readVarint();
    else if (tag === 2) {
      const dims: (number | string | undefined)[] = [];
      into.dims = dims;
      fields(pbf, endOf(pbf), dims, (each) => {
        if (each === 1) dims.push(dimension(pbf));
      });
    }
  });
}

function dimension(pbf: PbfReader): number | string | undefined {
  const result = { size: undefined as number | string | undefined };
  fields(pbf, endOf(pbf), result, (tag, into) => {
    if (tag === 1) into.size = pbf.readVarint(true);
    else if (tag === 2) into.size = pbf.readString() || undefined;
  });
  return result.size;
}

function func(pbf: PbfReader, end: number): FunctionProto {
  const result = {
    name: "",
    domain: "",
    overload: "",
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: [] as string[],
    defaults: [] as AttributeProto[],
    nodes: [] as NodeProto[],
    opsets: new Map<string, number>(),
  };
  return fields(pbf, end, result, (tag, into) => {
    if (tag === 1) into.name = pbf.readString();
    else if (tag === 4) into.inputs.push(pbf.readString());
    else if (tag === 5) into.outputs.push(pbf.readString());
    else if (tag === 6) into.attributes.push(pbf.readString());
    else if (tag === 7) into.nodes.push(node(pbf, endOf(pbf), 0));
    else if (tag === 9) opset(pbf, into.opsets);
    else if (tag === 10) into.domain = domainOf(pbf.readString());
    else if (tag === 11) into.defaults.push(attribute(pbf, endOf(pbf), 0));
    else if (tag === 13) into.overload = pbf.readString();
  });
}
