/** What stands in a .tflite file, whether pint8 runs it or not. */
import { Pint8Error } from "../../errors.ts";
import type { AnyNode, Port, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { readBuffers } from "./buffers.ts";
import type { Customs } from "./customs.ts";
import { type FlatTable, openFile, readString, readTables, rootTable } from "./flatbuffer.ts";
import { chosenSubgraph, ports, readSignatures } from "./index.ts";
import { type OperatorCode, operatorCode, readIds, readNode, readOperatorCodes } from "./nodes.ts";
import { MODEL, OPERATOR, SUBGRAPH, TENSOR } from "./schema.ts";
import { readTensor } from "./tensors.ts";

/** One operator: its node, or why there is none. */
export interface OutlinedOperator {
  /** `node 3 (CONV_2D)`. */
  readonly where: string;
  readonly name: string;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  readonly node: AnyNode | Pint8Error;
}

/** The first subgraph, or that of a signature, in the order of the file. */
export interface Outline {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly OutlinedOperator[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/**
 * Reads all operators and tensors of the first subgraph, or of that of `signature`, those that pint8 cannot run as well.
 *
 * Errors: INVALID_MODEL where the file is damaged, INVALID_OPTION for a signature that it does not have.
 */
export function outlineTflite(bytes: Uint8Array, customs: Customs, signature?: string): Outline {
  const model = rootTable(openFile(bytes));
  const codes = readOperatorCodes(model, customs);
  const buffers = readBuffers(model);
  const signatures = readSignatures(model);
  const chosen = chosenSubgraph(signatures, signature);
  const names = signatures.find(({ key, subgraph }) => key === (signature ?? key) && subgraph === chosen);
  const main = readTables(model, MODEL.subgraphs, (index) => `subgraph ${index}`)[chosen];
  if (main === undefined)
    throw new Pint8Error("INVALID_MODEL", { where: "model", expected: "a subgraph", received: "none" });
  const prefix = chosen === 0 ? "" : `subgraph ${chosen}, `;
  const tables = readTables(main, SUBGRAPH.tensors, (id) => `${prefix}tensor ${id}`);
  const tensors = tables.map((table) =>
    orElse(
      () => readTensor(table, buffers, tables),
      () => nameOnly(table),
    ),
  );
  const operators = readTables(main, SUBGRAPH.operators, (index) => `${prefix}node ${index}`);
  const idsOf = (field: number, what: string) => readIds(main, field, 0, tables.length, what);
  return {
    name: readString(main, SUBGRAPH.name) || "main",
    tensors,
    operators: operators.map((table) => outlined(table, operatorCode(table, codes), tables.length)),
    inputs: ports(idsOf(SUBGRAPH.inputs, "input"), tensors, names?.inputs, "input"),
    outputs: ports(idsOf(SUBGRAPH.outputs, "output"), tensors, names?.outputs, "output"),
  };
}

function outlined(table: FlatTable, code: OperatorCode, tensorCount: number): OutlinedOperator {
  const { name } = code;
  const where = `${table.where} (${name})`;
  return {
    where,
    name,
    inputs: readIds(table, OPERATOR.inputs, -1, tensorCount, `${where}, inputs`),
    outputs: readIds(table, OPERATOR.outputs, 0, tensorCount, `${where}, outputs`),
    node: orElse<AnyNode | Pint8Error>(
      () => readNode(table, code, where, tensorCount),
      (error) => error,
    ),
  };
}

/** A tensor of a type that pint8 does not know, or whose data cannot be read: nothing of it counts but its name. */
function nameOnly(table: FlatTable): Tensor {
  return { name: readString(table, TENSOR.name), dtype: "variant", shape: [] };
}

function orElse<T>(read: () => T, otherwise: (error: Pint8Error) => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Pint8Error) return otherwise(error);
    throw error;
  }
}
