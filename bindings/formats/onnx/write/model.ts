/** ONNX's messages → bytes. Field numbers are those of onnx.proto. */
import { PbfWriter } from "pbf";
import type { DType } from "../../../tensor.ts";

/** An attribute's value: a whole number, whole numbers, a real number, a word, words, or a graph. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | { readonly real: number }
  | string
  | { readonly words: readonly string[] }
  | { readonly graph: OnnxGraph };

export interface OnnxOperator {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of int4 one element a byte. */
  readonly data: Uint8Array;
}

export interface OnnxPort extends Omit<OnnxTensor, "data"> {
  /** Of sizes that a run tells: the shape has as many dimensions alone. */
  readonly isOpen?: boolean;
}

export interface OnnxGraph {
  readonly name: string;
  readonly operators: readonly OnnxOperator[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

/** A file. */
interface OnnxModel {
  readonly opset: number;
  readonly graph: OnnxGraph;
}

/** TensorProto.DataType by element type; absent for those that are not written. */
export const DATA_TYPES: { readonly [K in DType]?: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  int4: 22,
};

/** Of 2021: every runtime of today reads it; and of 2024, for operators from 21 on. */
const irVersion = (opset: number) => (opset < 21 ? 8 : 10);
/** AttributeProto.AttributeType. */
const [REAL, WHOLE, WORD, GRAPH, WHOLES, WORDS] = [1, 2, 3, 5, 7, 8];

/** The file. */
export function writeModel(model: OnnxModel): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, irVersion(model.opset));
  pbf.writeStringField(2, "pint8");
  pbf.writeMessage(7, writeGraph, model.graph);
  pbf.writeMessage(
    8,
    (opset: number, out) => {
      out.writeStringField(1, "");
      out.writeVarintField(2, opset);
    },
    model.opset,
  );
  return pbf.finish();
}

function writeGraph({ name, operators, constants, inputs, outputs }: OnnxGraph, pbf: PbfWriter): void {
  for (const operator of operators) pbf.writeMessage(1, writeOperator, operator);
  pbf.writeStringField(2, name);
  for (const constant of constants) pbf.writeMessage(5, writeTensor, constant);
  for (const port of inputs) pbf.writeMessage(11, writePort, port);
  for (const port of outputs) pbf.writeMessage(12, writePort, port);
}

function writeOperator({ type, inputs, outputs, attributes = {} }: OnnxOperator, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input);
  for (const output of outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, outputs[0] ?? "");
  pbf.writeStringField(4, type);
  for (const attribute of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, attribute);
}

function writeAttribute([name, value]: readonly [string, OnnxAttribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if (typeof value === "number") {
    pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, WHOLE as number);
  } else if (typeof value === "string") {
    pbf.writeStringField(4, value);
    pbf.writeVarintField(20, WORD as number);
  } else if ("real" in value) {
    pbf.writeFloatField(2, value.real);
    pbf.writeVarintField(20, REAL as number);
  } else if ("graph" in value) {
    pbf.writeMessage(6, writeGraph, value.graph);
    pbf.writeVarintField(20, GRAPH as number);
  } else if ("words" in value) {
    for (const each of value.words) pbf.writeStringField(9, each);
    pbf.writeVarintField(20, WORDS as number);
  } else {
    for (const each of value) pbf.writeVarintField(8, each);
    pbf.writeVarintField(20, WHOLES as number);
  }
}

function writeTensor({ name, dtype, shape, data }: OnnxTensor, pbf: PbfWriter): void {
  for (const size of shape) pbf.writeVarintField(1, size);
  pbf.writeVarintField(2, DATA_TYPES[dtype] as number);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, dtype === "int4" ? nibbles(data) : data);
}

/** Two elements a byte, the first in its lower half. */
const nibbles = (data: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: Math.ceil(data.length / 2) }, (_, i) => {
    const [low, high = 0] = data.subarray(2 * i, 2 * i + 2) as unknown as readonly [number, number?];
    return (low & 15) | ((high & 15) << 4);
  });

function writePort({ name, dtype, shape, isOpen = false }: OnnxPort, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  const dimension = (size: number, out: PbfWriter) => {
    if (!isOpen) out.writeVarintField(1, size);
  };
  const sizes = (_: null, out: PbfWriter) => {
    for (const size of shape) out.writeMessage(1, dimension, size);
  };
  const tensor = (_: null, out: PbfWriter) => {
    out.writeVarintField(1, DATA_TYPES[dtype] as number);
    out.writeMessage(2, sizes, null);
  };
  pbf.writeMessage(2, (_: null, out) => out.writeMessage(1, tensor, null), null);
}
