/** .tflite bytes → Graph. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { Graph, Port, TensorId } from "../../graph.ts";
import { BITS, byteLength, type Tensor } from "../../tensor.ts";
import { setBatch } from "../batch.ts";
import { uniqueNames } from "../names.ts";
import { runnableOrder } from "../order.ts";
import { type Buffers, readBuffers } from "./buffers.ts";
import { type FlatTable, openFile, readString, readTables, readUint32, rootTable } from "./flatbuffer.ts";
import { type OperatorCode, readIds, readNodes, readOperatorCodes } from "./nodes.ts";
import { IDENTIFIER, MODEL, SCHEMA_VERSION, SIGNATURE, SUBGRAPH, TENSOR_MAP } from "./schema.ts";
import { readTensor } from "./tensors.ts";

/** Files whose offsets do not fit 31 bits keep data outside of the FlatBuffer and are not read. */
const MAX_FILE = 2 ** 31 - 1;

/** True for files that carry TensorFlow Lite's identifier. */
export function isTflite(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === IDENTIFIER;
}

/**
 * Reads a .tflite file (schema version 3). Constants are views of `bytes` where they are stored densely, at any
 * alignment. `Graph.subgraphs` holds the subgraphs after the main one that use known operators and types only.
 *
 * Errors: INVALID_MODEL, INVALID_GRAPH, UNSUPPORTED, OUT_OF_MEMORY (a tensor of 4 GiB), INVALID_OPTION (batch).
 */
export function importTflite(bytes: Uint8Array, { batch }: { readonly batch?: number }): Graph {
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
  const codes = readOperatorCodes(model);
  const buffers = readBuffers(model);
  const [main, ...others] = readTables(model, MODEL.subgraphs, (index) => `subgraph ${index}`);
  if (main === undefined)
    throw new Pint8Error("INVALID_MODEL", { where: "model", expected: "a subgraph", received: "none" });
  const names = signatureNames(model);
  const graph = readSubgraph(main, 0, codes, buffers, names);
  const subgraphs = others.flatMap((table, index) => {
    const other = readable(() => readSubgraph(table, index + 1, codes, buffers, names));
    return other === undefined ? [] : [other];
  });
  return setBatch({ ...graph, subgraphs }, batch);
}

/** The result, or `undefined` where it uses what pint8 does not know: no reason to refuse the main graph. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Pint8Error && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

function readSubgraph(
  table: FlatTable,
  index: number,
  codes: readonly OperatorCode[],
  buffers: Buffers,
  names: ReadonlyMap<number, SignatureNames>,
): Graph {
  const prefix = index === 0 ? "" : `subgraph ${index}, `;
  const tables = readTables(table, SUBGRAPH.tensors, (id) => `${prefix}tensor ${id}`);
  const inputs = readIds(table, SUBGRAPH.inputs, 0, tables.length, `${prefix}inputs`);
  const outputs = readIds(table, SUBGRAPH.outputs, 0, tables.length, `${prefix}outputs`);
  ensure(outputs.length > 0, "INVALID_GRAPH", () => ({
    where: `${prefix}outputs`,
    expected: "at least one",
    received: "none",
  }));
  // Operators first: a model with operators that pint8 lacks is refused for these, not for a type that they use.
  const nodes = readNodes(table, codes, tables.length, prefix);
  const tensors = withEmptyConstants(
    tables.map((each) => readTensor(each, buffers)),
    new Set([...inputs, ...nodes.flatMap((node) => node.outputs)]),
  );
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

/** A tensor of no bytes that nothing writes is a constant, for example the shape `[]` of a reshape to a scalar. */
function withEmptyConstants(tensors: readonly Tensor[], written: ReadonlySet<TensorId>): readonly Tensor[] {
  return tensors.map((tensor, id) => {
    const empty = BITS[tensor.dtype] > 0 && byteLength(tensor) === 0;
    if (!empty || tensor.data !== undefined || written.has(id as TensorId)) return tensor;
    return { ...tensor, data: new Uint8Array(0) };
  });
}

function ports(
  ids: readonly TensorId[],
  tensors: readonly Tensor[],
  aliases: ReadonlyMap<number, string> | undefined,
  fallback: string,
): readonly Port[] {
  const names = uniqueNames(
    ids.map((id) => aliases?.get(id) || (tensors[id] as Tensor).name),
    fallback,
  );
  return ids.map((tensor, index) => ({ name: names[index] as string, tensor }));
}

/** Names that a SignatureDef gives to the inputs and outputs of a subgraph, by tensor index. */
interface SignatureNames {
  readonly inputs: ReadonlyMap<number, string>;
  readonly outputs: ReadonlyMap<number, string>;
}

/** The names by subgraph; of several signatures of one subgraph the first counts. */
function signatureNames(model: FlatTable): ReadonlyMap<number, SignatureNames> {
  const names = new Map<number, SignatureNames>();
  for (const table of readTables(model, MODEL.signatures, (index) => `signature ${index}`)) {
    const subgraph = readUint32(table, SIGNATURE.subgraph, 0);
    if (!names.has(subgraph))
      names.set(subgraph, {
        inputs: readAliases(table, SIGNATURE.inputs),
        outputs: readAliases(table, SIGNATURE.outputs),
      });
  }
  return names;
}

function readAliases(table: FlatTable, field: number): ReadonlyMap<number, string> {
  const maps = readTables(table, field, (index) => `${table.where}, name ${index}`);
  return new Map(
    maps.map((each) => [readUint32(each, TENSOR_MAP.tensor, 0), readString(each, TENSOR_MAP.name)] as const),
  );
}
