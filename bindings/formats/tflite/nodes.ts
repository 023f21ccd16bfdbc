/** The operators of one subgraph, named and checked. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Attributes, TensorId } from "../../graph.ts";
import { compiledFor } from "../strangers.ts";
import { KNOWN_OPERATORS, shorten, someOf } from "../text.ts";
import type { CustomEntry } from "./custom.ts";
import type { Customs } from "./customs.ts";
import {
  type FlatTable,
  readBytes,
  readInt8,
  readInt32,
  readInt32s,
  readString,
  readTable,
  readTables,
  readUint8,
  readUint32,
} from "./flatbuffer.ts";
import { entryOf } from "./operators.ts";
import { CUSTOM, MODEL, OPERATOR, OPERATOR_CODE, OPERATOR_NAMES, SUBGRAPH } from "./schema.ts";

/** An entry of the model's operator_codes. */
export interface OperatorCode {
  /** BuiltinOperator number. */
  readonly code: number;
  /** For messages: `CONV_2D`, or `CUSTOM "name"`. */
  readonly name: string;
  /** The name of a custom operator. */
  readonly custom?: string;
  /** How it becomes a node, where it is custom and known. */
  readonly entry?: CustomEntry;
}

/** The user's own operators by name. */
export type UserOperators = { readonly [name: string]: InferOf<Attributes> };
type InferOf<All> = All extends { readonly custom: infer Custom } ? Pick<Custom, "infer" & keyof Custom> : never;

function usersEntry(name: string, users: UserOperators): CustomEntry | undefined {
  if (!Object.hasOwn(users, name)) return undefined;
  const infer = users[name]?.infer;
  ensure(typeof infer === "function", "INVALID_OPTION", () => ({
    where: "option customOperators",
    expected: `"${shorten(name)}" with functions infer and run`,
    received: typeof infer,
  }));
  return (parts, bytes) => ({ kind: "custom", ...parts, attributes: { name, options: bytes.slice(), infer } });
}

/** The operator codes that the operators of all subgraphs refer to. */
export function readOperatorCodes(
  model: FlatTable,
  customs: Customs | undefined,
  users: UserOperators = {},
): readonly OperatorCode[] {
  return readTables(model, MODEL.operatorCodes, (index) => `operator code ${index}`).map((table) => {
    // Numbers above 127 stand in `code` alone, older files have the old field alone.
    const code = Math.max(readInt8(table, OPERATOR_CODE.deprecatedCode, 0), readInt32(table, OPERATOR_CODE.code, 0));
    if (code === CUSTOM) {
      const custom = readString(table, OPERATOR_CODE.customCode);
      const entry = usersEntry(custom, users) ?? customs?.entry(custom);
      return { code, name: `CUSTOM "${shorten(custom)}"`, custom, ...(entry && { entry }) };
    }
    return { code, name: OPERATOR_NAMES[code] ?? `builtin operator ${code}` };
  });
}

/** All nodes of a subgraph in the order of the file. `prefix` starts their `where`. */
export function readNodes(
  subgraph: FlatTable,
  codes: readonly OperatorCode[],
  tensorCount: number,
  prefix: string,
): readonly AnyNode[] {
  const tables = readTables(subgraph, SUBGRAPH.operators, (index) => `${prefix}node ${index}`);
  const operators = tables.map((table) => ({ table, ...operatorCode(table, codes) }));
  refuseUnknown(operators);
  return operators.map(({ table, ...code }) => readNode(table, code, `${table.where} (${code.name})`, tensorCount));
}

/** The code of an operator. */
export function operatorCode(table: FlatTable, codes: readonly OperatorCode[]): OperatorCode {
  const index = readUint32(table, OPERATOR.codeIndex, 0);
  const code = codes[index];
  if (code !== undefined) return code;
  throw new Pint8Error("INVALID_MODEL", {
    where: table.where,
    expected: `an operator code below ${codes.length}`,
    received: `${index}`,
  });
}

const MOST_NODES = 20;

/** One error for all operators that pint8 does not run, by name with the indices of their nodes. */
function refuseUnknown(operators: readonly ({ readonly table: FlatTable } & OperatorCode)[]): void {
  const unknown = new Map<string, [number, ...number[]]>();
  for (const [index, { code, entry, name }] of operators.entries()) {
    if (entryOf(code) !== undefined || entry !== undefined) continue;
    const nodes = unknown.get(name);
    if (nodes === undefined) unknown.set(name, [index]);
    else nodes.push(index);
  }
  const [first] = unknown.entries();
  if (first === undefined) return;
  const [name, [index]] = first;
  const compiled = [...unknown.keys()].map(compiledFor).find((found) => found !== undefined);
  throw new Pint8Error("UNSUPPORTED", {
    where: `${operators[index]?.table.where} (${name})`,
    expected: "operators that pint8 runs",
    received:
      compiled?.name ?? someOf([...unknown].map(([each, nodes]) => `${each} (node ${someOf(nodes, MOST_NODES)})`)),
    hint: compiled?.hint ?? `${KNOWN_OPERATORS}; others can be given as the option customOperators.`,
  });
}

/** One operator as a node; UNSUPPORTED where pint8 does not run it. */
export function readNode(
  table: FlatTable,
  { code, name, entry: own }: OperatorCode,
  where: string,
  tensorCount: number,
): AnyNode {
  const inputs = readIds(table, OPERATOR.inputs, -1, tensorCount, `${where}, inputs`);
  const outputs = readIds(table, OPERATOR.outputs, 0, tensorCount, `${where}, outputs`);
  if (own !== undefined)
    return own({ where, inputs, outputs }, readBytes(table, OPERATOR.customOptions) ?? new Uint8Array(0));
  const entry = entryOf(code);
  ensure(entry !== undefined, "UNSUPPORTED", () => ({
    where,
    expected: "an operator that pint8 runs",
    received: name,
  }));
  return entry.node({ where, inputs, outputs }, { where, table: readOptions(table, entry.optionsType, where) });
}

/** The options, where an operator has any; a table of another operator's type would be read wrongly. */
function readOptions(table: FlatTable, expected: number, where: string): FlatTable | undefined {
  if (expected === 0) return undefined;
  const more = expected < 0;
  const type = readUint8(table, more ? OPERATOR.moreType : OPERATOR.optionsType);
  if (type === 0) return undefined;
  ensure(type === Math.abs(expected), "INVALID_MODEL", () => ({
    where,
    expected: `options of union type ${Math.abs(expected)}`,
    received: `${type}`,
  }));
  return readTable(table, more ? OPERATOR.more : OPERATOR.options, `${where}, options`);
}

/** A list of tensor indices from `least` (−1 where an input may be absent) on. */
export function readIds(
  table: FlatTable,
  field: number,
  least: number,
  tensorCount: number,
  where: string,
): readonly TensorId[] {
  const ids = readInt32s(table, field) ?? [];
  for (const id of ids)
    ensure(id >= least && id < tensorCount, "INVALID_MODEL", () => ({
      where,
      expected: `tensor indices from ${least} to ${tensorCount - 1}`,
      received: `${id}`,
    }));
  return ids as TensorId[];
}
