/** Writes small ONNX models: what tests need of the format, field by field. */
import { PbfWriter as Pbf } from "pbf";

export interface TensorSpec {
  readonly name: string;
  readonly dims: readonly number[];
  /** 1 float32 and 7 int64 have their values here, others (2 uint8, 10 float16, 11 float64, 21 uint4) as bytes. */
  readonly type: 1 | 2 | 3 | 7 | 10 | 11 | 21;
  readonly values?: readonly number[];
  /** Bytes in place of values. */
  readonly raw?: Uint8Array;
  /** Key and value pairs of external data. */
  readonly external?: Readonly<Record<string, string>>;
}

/** A constant of floats. */
export const floats = (name: string, dims: readonly number[], values: readonly number[]): TensorSpec => ({
  name,
  dims,
  type: 1,
  values,
});

export interface NodeSpec {
  readonly operator: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly int?: Readonly<Record<string, number>>;
  readonly string?: Readonly<Record<string, string>>;
  readonly float?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, readonly number[]>>;
  readonly strings?: Readonly<Record<string, readonly string[]>>;
  readonly graph?: Readonly<Record<string, GraphSpec>>;
  readonly tensor?: Readonly<Record<string, TensorSpec>>;
}

/** A node whose inputs and outputs stand in one text each. */
export const node = (operator: string, inputs: string, outputs: string, rest: Partial<NodeSpec> = {}): NodeSpec => ({
  operator,
  inputs: inputs.split(" "),
  outputs: outputs.split(" "),
  ...rest,
});

export interface ValueSpec {
  readonly name: string;
  readonly type?: number;
  readonly dims?: readonly (number | string)[];
}

export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly initializers?: readonly TensorSpec[];
}

/** A model of the default domain's opset, and of one of ai.onnx.ml where a version is given. */
export function buildOnnx(graph: GraphSpec, opset = 17, ml?: number): Uint8Array {
  const pbf = new Pbf();
  pbf.writeVarintField(1, 9);
  pbf.writeStringField(2, "pint8");
  pbf.writeMessage(7, writeGraph, graph);
  const domain = (name: string, version: number) =>
    pbf.writeMessage(
      8,
      (_: undefined, to: Pbf) => {
        if (name !== "") to.writeStringField(1, name);
        to.writeVarintField(2, version);
      },
      undefined,
    );
  domain("", opset);
  if (ml !== undefined) domain("ai.onnx.ml", ml);
  return pbf.finish();
}

function writeGraph({ nodes, inputs, outputs, initializers = [] }: GraphSpec, to: Pbf): void {
  for (const node of nodes) to.writeMessage(1, writeNode, node);
  to.writeStringField(2, "test");
  for (const tensor of initializers) to.writeMessage(5, writeTensor, tensor);
  for (const value of inputs) to.writeMessage(11, writeValue, value);
  for (const value of outputs) to.writeMessage(12, writeValue, value);
}

function writeNode(
  {
    operator,
    domain,
    inputs,
    outputs,
    ints = {},
    int = {},
    string = {},
    float = {},
    floats = {},
    strings = {},
    graph = {},
    tensor = {},
  }: NodeSpec,
  to: Pbf,
): void {
  for (const name of inputs) to.writeStringField(1, name);
  for (const name of outputs) to.writeStringField(2, name);
  to.writeStringField(4, operator);
  const attribute = (name: string, type: number, write: (at: Pbf) => void) =>
    to.writeMessage(
      5,
      (_: undefined, at: Pbf) => {
        at.writeStringField(1, name);
        write(at);
        at.writeVarintField(20, type);
      },
      undefined,
    );
  for (const [name, value] of Object.entries(int)) attribute(name, 2, (at) => at.writeVarintField(3, value));
  for (const [name, value] of Object.entries(float)) attribute(name, 1, (at) => at.writeFloatField(2, value));
  for (const [name, list] of Object.entries(floats))
    attribute(name, 6, (at) => {
      for (const value of list) at.writeFloatField(7, value);
    });
  for (const [name, list] of Object.entries(strings))
    attribute(name, 8, (at) => {
      for (const value of list) at.writeStringField(9, value);
    });
  for (const [name, value] of Object.entries(string))
    attribute(name, 3, (at) => at.writeBytesField(4, new TextEncoder().encode(value)));
  for (const [name, value] of Object.entries(graph)) attribute(name, 5, (at) => at.writeMessage(6, writeGraph, value));
  for (const [name, value] of Object.entries(tensor))
    attribute(name, 4, (at) => at.writeMessage(5, writeTensor, value));
  for (const [name, list] of Object.entries(ints))
    attribute(name, 7, (at) => {
      for (const value of list) at.writeVarintField(8, value);
    });
  if (domain !== undefined) to.writeStringField(7, domain);
}

function writeTensor({ name, dims, type, values = [], raw, external }: TensorSpec, to: Pbf): void {
  for (const size of dims) to.writeVarintField(1, size);
  to.writeVarintField(2, type);
  to.writeStringField(8, name);
  if (external !== undefined) {
    for (const pair of Object.entries(external))
      to.writeMessage(
        13,
        ([key, value]: readonly [string, string], at: Pbf) => {
          at.writeStringField(1, key);
          at.writeStringField(2, value);
        },
        pair,
      );
    to.writeVarintField(14, 1);
    return;
  }
  const bytes = type === 7 ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
  to.writeBytesField(9, raw ?? new Uint8Array(bytes.buffer));
}

function writeValue({ name, type = 1, dims }: ValueSpec, to: Pbf): void {
  to.writeStringField(1, name);
  const dimension = (size: number | string, at: Pbf) =>
    typeof size === "number" ? at.writeVarintField(1, size) : at.writeStringField(2, size);
  to.writeMessage(
    2,
    (_: undefined, outer: Pbf) =>
      outer.writeMessage(
        1,
        (__: undefined, at: Pbf) => {
          at.writeVarintField(1, type);
          if (dims !== undefined)
            at.writeMessage(
              2,
              (list: readonly (number | string)[], shape: Pbf) => {
                for (const size of list) shape.writeMessage(1, dimension, size);
              },
              dims,
            );
        },
        undefined,
      ),
    undefined,
  );
}
