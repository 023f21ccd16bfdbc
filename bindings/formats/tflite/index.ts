/** .tflite bytes → Graph. */
import { ensure, kindOf, Pint8Error } from "../../errors.ts";
import type { Graph, Port, TensorId } from "../../graph.ts";
import { BITS, byteLength, type Tensor } from "../../tensor.ts";
import { setBatch } from "../batch.ts";
import { uniqueNames } from "../names.ts";
import { runnableOrder } from "../order.ts";
import { type Shapes, setShapes } from "../shapes.ts";
import { shorten, someOf } from "../text.ts";
import { type Buffers, readBuffers } from "./buffers.ts";
import type { Customs } from "./customs.ts";
import { type FlatTable, openFile, readString, readTables, readUint32, rootTable } from "./flatbuffer.ts";
import { withIntermediates } from "./intermediates.ts";
import type { Read } from "./link.ts";
import { type OperatorCode, readIds, readNodes, readOperatorCodes, type UserOperators } from "./nodes.ts";
import { partsOf } from "./parts.ts";
import { CUSTOM, IDENTIFIER, MODEL, SCHEMA_VERSION, SIGNATURE, SUBGRAPH, TENSOR_MAP } from "./schema.ts";
import { takeStarts } from "./starts.ts";
import { readTensor } from "./tensors.ts";

/** Files whose offsets do not fit 31 bits keep data outside of the FlatBuffer and are not read. */
const MAX_FILE = 2 ** 31 - 1;

/** Sizes of inputs; where both are given, the batch is that of inputs of batch size 1. */
export interface TfliteOptions {
  readonly customOperators?: UserOperators | undefined;
  readonly batch?: number | undefined;
  readonly shapes?: Shapes | undefined;
  /** The signature whose subgraph is the graph; the first subgraph where absent. */
  readonly signature?: string | undefined;
  /** What reads custom operators and the like, for files that have some. */
  readonly customs?: Customs | undefined;
}

/**
 * BuiltinOperator numbers of what `customs` reads besides custom operators: the LSTM whose kernel type may be BASIC, that over time,
 * CALL, IF, WHILE, CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, random numbers, which have a state, STABLEHLO_COMPOSITE,
 * which is a call, STABLEHLO_SCATTER and windows under an operator.
 */
const RARE = [16, 44, 31, 118, 119, 129, 142, 143, 144, 146, 148, 149, 190, 198, 205, 206];

/** Whether a file has operators that `customs` reads; what is wrong with a file is said when it is read. */
export function needsCustoms(bytes: Uint8Array): boolean {
  try {
    const codes = readOperatorCodes(rootTable(openFile(bytes)), undefined);
    return codes.some(({ code }) => code === CUSTOM || RARE.includes(code));
  } catch {
    return false;
  }
}

/** True for files that carry TensorFlow Lite's identifier. */
export function isTflite(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === IDENTIFIER;
}

/**
 * Reads a .tflite file (schema version 3). Constants are views of `bytes` where they are stored densely, at any
 * alignment. The graph is the first subgraph, or the one of `signature`; `Graph.subgraphs` holds the others that use known
 * operators and types only.
 *
 * Errors: INVALID_MODEL, INVALID_GRAPH, UNSUPPORTED, OUT_OF_MEMORY (a tensor of 4 GiB), INVALID_OPTION.
 */
export function importTflite(
  bytes: Uint8Array,
  { batch, shapes, signature, customOperators, customs }: TfliteOptions,
): Graph {
  ensure(bytes.length <= MAX_FILE, "UNSUPPORTED", () => ({
    where: "file",
    expected: "a file of less than 2 GiB",
    received: `${bytes.length} bytes`,
  }));
  const model = rootTable(openFile(bytes));
  const version = readUint32(model, MODEL.version, 0);
  ensure(version === SCHEMA_VERSION, "UNSUPPORTED", () => ({
    where: "model",
    expected: `schema version ${SCHEMA_VERSION}`,
    received: `${version}`,
  }));
  const codes = readOperatorCodes(model, customs, customOperators);
  const buffers = readBuffers(model);
  const tables = readTables(model, MODEL.subgraphs, (index) => `subgraph ${index}`);
  if (tables.length === 0)
    throw new Pint8Error("INVALID_MODEL", { where: "model", expected: "a subgraph", received: "none" });
  const signatures = readSignatures(model);
  const main = chosenSubgraph(signatures, signature);
  const names = new Map([...signatures].reverse().map((each) => [each.subgraph, each]));
  const own = signatures.find(({ key }) => key === signature);
  if (own !== undefined) names.set(main, own);
  const read = tables.map((table, index) => {
    const one = () => readSubgraph(table, index, index === main, codes, buffers, names, customs);
    return index === main ? one() : readable(one);
  });
  const others = read.filter((each, index): each is Graph => index !== main && !(each instanceof Pint8Error));
  // without operators that run others there is nothing to link, and the subgraph was read if it could be
  const linked = customs?.link(read, main) ?? (read[main] as Graph);
  const graph = { ...linked, ...(buffers.behind ? { withoutMicro: true as const } : {}), subgraphs: others };
  // most have neither: what is not called is not compiled
  const shaped = Object.keys(shapes ?? {}).length === 0 ? graph : setShapes(graph, shapes);
  return batch === undefined ? shaped : setBatch(shaped, batch);
}

/** The result, or why there is none where it uses what pint8 does not know: no reason to refuse graphs that do not run it. */
function readable(read: () => Graph): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof Pint8Error && error.code === "UNSUPPORTED") return error;
    throw error;
  }
}

/** The subgraph of the signature that was asked for; the first one where none was. */
export function chosenSubgraph(signatures: readonly Signature[], key: string | undefined): number {
  if (key === undefined) return 0;
  const found = signatures.find((each) => each.key === key);
  ensure(found !== undefined, "INVALID_OPTION", () => ({
    where: "option signature",
    expected: someOf(signatures.map((each) => `"${shorten(each.key)}"`)) || "none: the model has no signatures",
    received: kindOf(key),
  }));
  return found.subgraph;
}

function readSubgraph(
  table: FlatTable,
  index: number,
  isMain: boolean,
  codes: readonly OperatorCode[],
  buffers: Buffers,
  names: ReadonlyMap<number, Signature>,
  customs: Customs | undefined,
): Graph {
  const prefix = index === 0 ? "" : `subgraph ${index}, `;
  const tables = readTables(table, SUBGRAPH.tensors, (id) => `${prefix}tensor ${id}`);
  const inputs = readIds(table, SUBGRAPH.inputs, 0, tables.length, `${prefix}inputs`);
  const outputs = readIds(table, SUBGRAPH.outputs, 0, tables.length, `${prefix}outputs`);
  ensure(outputs.length > 0 || !isMain, "INVALID_GRAPH", () => ({
    where: `${prefix}outputs`,
    expected: "at least one",
    received: "none",
  }));
  // Operators first: a model with operators that pint8 lacks is refused for these, not for a type that they use.
  const read = readNodes(table, codes, tables.length, prefix);
  const known = withEmptyConstants(
    tables.map((each) => readTensor(each, buffers, tables)),
    new Set([...inputs, ...read.flatMap((node) => node.outputs)]),
  );
  const nodesRead = withIntermediates(read, table, known);
  const stated = customs?.stated(nodesRead, known) ?? { nodes: nodesRead, tensors: known };
  const tensors = [...stated.tensors];
  for (const id of inputs) tensors[id] = asInput(tensors[id] as Tensor);
  const started = takeStarts(stated.nodes, tensors);
  const nodes = (customs?.apart(started, tensors) ?? started).flatMap((node) => partsOf(node, tensors));
  const signature = names.get(index);
  return {
    name: readString(table, SUBGRAPH.name) || (index === 0 ? "main" : `subgraph_${index}`),
    tensors,
    nodes: runnableOrder(nodes, tensors, inputs, outputs),
    inputs: ports(inputs, tensors, signature?.inputs, "input"),
    outputs: ports(outputs, tensors, signature?.outputs, "output"),
    subgraphs: [],
  };
}

/** What the caller writes before each run keeps nothing, whatever the file says. */
function asInput(tensor: Tensor): Tensor {
  const { variable: _, ...rest } = tensor;
  return rest;
}

/** A tensor of no bytes that nothing writes is a constant, for example the shape `[]` of a reshape to a scalar. */
function withEmptyConstants(tensors: readonly Tensor[], written: ReadonlySet<TensorId>): readonly Tensor[] {
  return tensors.map((tensor, id) => {
    const empty = BITS[tensor.dtype] > 0 && byteLength(tensor) === 0;
    if (!empty || tensor.data !== undefined || written.has(id as TensorId)) return tensor;
    return { ...tensor, data: new Uint8Array(0) };
  });
}

/** Ports by the names of a signature, or of their tensors. */
export function ports(
  ids: readonly TensorId[],
  tensors: readonly Tensor[],
  aliases: Aliases | undefined,
  fallback: string,
): readonly Port[] {
  const names = uniqueNames(
    ids.map((id, i) => {
      const own = aliases?.get(id) ?? [];
      // a tensor that is listed again has its next name
      const turn = ids.indexOf(id) === i ? 0 : ids.slice(0, i).filter((other) => other === id).length;
      return own[Math.min(turn, own.length - 1)] || (tensors[id] as Tensor).name;
    }),
    fallback,
  );
  return ids.map((tensor, index) => ({ name: names[index] as string, tensor }));
}

/** Names by tensor index: several where it is listed as often. */
type Aliases = ReadonlyMap<number, readonly string[]>;

/** A SignatureDef: names of inputs and outputs of a subgraph, by tensor index. */
interface Signature {
  readonly key: string;
  readonly subgraph: number;
  readonly inputs: Aliases;
  readonly outputs: Aliases;
}

/** The signatures of a file. Errors: INVALID_MODEL. */
export function readSignatures(model: FlatTable): readonly Signature[] {
  return readTables(model, MODEL.signatures, (index) => `signature ${index}`).map((table) => ({
    key: readString(table, SIGNATURE.key),
    subgraph: readUint32(table, SIGNATURE.subgraph, 0),
    inputs: readAliases(table, SIGNATURE.inputs),
    outputs: readAliases(table, SIGNATURE.outputs),
  }));
}

function readAliases(table: FlatTable, field: number): Aliases {
  const aliases = new Map<number, string[]>();
  for (const each of readTables(table, field, (index) => `${table.where}, name ${index}`)) {
    const tensor = readUint32(each, TENSOR_MAP.tensor, 0);
    const names = aliases.get(tensor) ?? [];
    names.push(readString(each, TENSOR_MAP.name));
    aliases.set(tensor, names);
  }
  return aliases;
}
