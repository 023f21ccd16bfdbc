/** What stands in a .tflite file, whether pint8 runs it or not. */
import { Pint8Error } from "../../errors.ts";
import type { AnyNode, Port, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { uniqueNames } from "../names.ts";
import { readBuffers } from "./buffers.ts";
import type { Customs } from "./customs.ts";
import { type FlatTable, openFile, readString, readTables, rootTable } from "./flatbuffer.ts";
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

/** The first subgraph, in the order of the file. */
export interface Outline {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly OutlinedOperator[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/**
 * Reads all operators and tensors of the first subgraph, those that pint8 cannot run as well.
 *
 * Errors: INVALID_MODEL where the file is damaged.
 */
export function outlineTflite(bytes: Uint8Array, customs: Customs): Outline {
  const model = rootTable(openFile(bytes));
  const codes = readOperatorCodes(model, customs);
  const buffers = readBuffers(model);
  const [main] = readTables(model, MODEL.subgraphs, (index) => `subgraph ${index}`);
  if (main === undefined)
    throw new Pint8Error("INVALID_MODEL", { where: "model", expected: "a subgraph", received: "none" });
  const tables = readTables(main, SUBGRAPH.tensors, (id) => `tensor ${id}`);
  const tensors = tables.map((table) =>
    orElse(
      () => readTensor(table, buffers, tables),
      () => nameOnly(table),
    ),
  );
  const operators = readTables(main, SUBGRAPH.operators, (index) => `node ${index}`);
  const ports = (field: number, what: string): readonly Port[] => {
    const ids = readIds(main, field, 0, tables.length, what);
    const names = uniqueNames(
      ids.map((id) => (tensors[id] as Tensor).name),
      what,
    );
    return ids.map((tensor, i) => ({ name: names[i] as string, tensor }));
  };
  return {
    name: readString(main, SUBGRAPH.name) || "main",
    tensors,
    operators: operators.map((table) => outlined(table, operatorCode(table, codes), tables.length)),
    inputs: ports(SUBGRAPH.inputs, "input"),
    outputs: ports(SUBGRAPH.outputs, "output"),
  };
}

function outlined(table: FlatTable, { name, ...code }: OperatorCode, tensorCount: number): OutlinedOperator {
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
