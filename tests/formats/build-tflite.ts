/**
 * Builds small .tflite files for tests.
 *
 * ```ts
 * const bytes = buildTflite({
 *   tensors: [
 *     { name: "x", dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [3] },
 *     { name: "w", dtype: "int8", shape: [2, 4], scale: [0.1], data: Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
 *     { name: "y", dtype: "int8", shape: [1, 2], scale: [1], zeroPoint: [0] },
 *   ],
 *   operators: [{ code: "FULLY_CONNECTED", inputs: [0, 1, -1], outputs: [2], options: options.fullyConnected({}) }],
 *   inputs: [0],
 *   outputs: [2],
 * });
 * ```
 *
 * Everything is written as told, right or wrong: the importer's tests live from that.
 */
import { OPERATOR_NAMES, TENSOR_TYPES } from "../../bindings/formats/tflite/schema.ts";
import type { DType } from "../../bindings/tensor.ts";
import { type Field, type Fields, writeFlat } from "./flat.ts";

/** A tensor. Numbers stand for what has no name, or no valid one. */
export interface TensorSpec {
  readonly name?: string;
  readonly dtype: DType | number;
  readonly shape: readonly number[];
  /** `shape_signature`: −1 for open sizes. */
  readonly signature?: readonly number[];
  readonly scale?: readonly number[];
  /** As many zeros as scales where absent. */
  readonly zeroPoint?: readonly (number | bigint)[];
  /** quantized_dimension. */
  readonly axis?: number;
  /** Constant bytes, or the values of a typed array, little-endian; goes into a buffer of its own. */
  readonly data?: ArrayBufferView;
  /** Index of a buffer instead of one made for `data`; 0 is the empty one. */
  readonly buffer?: number;
  readonly variable?: boolean;
  readonly sparsity?: SparsitySpec;
  /** Further raw fields of the Tensor table, by field number. */
  readonly extra?: Fields;
}

/** SparsityParameters. Index vectors are written as the type that is named, int32 where none is. */
export interface SparsitySpec {
  readonly traversalOrder: readonly number[];
  readonly blockMap?: readonly number[];
  readonly levels: readonly (
    | { readonly size: number }
    | {
        readonly segments: readonly number[];
        readonly indices: readonly number[];
        readonly index?: "int32" | "uint16" | "uint8";
      }
  )[];
}

/** An operator. */
export interface OperatorSpec {
  /** BuiltinOperator, by name or number. */
  readonly code: string | number;
  /** opcode_index, where it is not to be that of the operator's own code. */
  readonly codeIndex?: number;
  /** Name of a CUSTOM operator. */
  readonly custom?: string;
  /** Bytes of its options; see flex.ts. */
  readonly customOptions?: Uint8Array;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** BuiltinOptions: number of the union's member (below 0: BuiltinOptions2, negated) and its table; see `options` in tflite-options.ts. */
  readonly options?: { readonly type: number; readonly fields: Fields };
}

/** A subgraph. */
export interface SubgraphSpec {
  readonly name?: string;
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A signature: names by tensor index. */
interface SignatureSpec {
  readonly key?: string;
  readonly subgraph?: number;
  readonly inputs: { readonly [name: string]: number };
  readonly outputs: { readonly [name: string]: number };
}

/** A model: the main subgraph, and what else a file may hold. */
export interface ModelSpec extends SubgraphSpec {
  readonly subgraphs?: readonly SubgraphSpec[];
  readonly signatures?: readonly SignatureSpec[];
  /** Buffers after the empty one, before those made for `data`: index 1 is the first. */
  readonly buffers?: readonly Fields[];
  /** Puts constants behind the FlatBuffer, where `Buffer.offset` and `Buffer.size` point to. */
  readonly outside?: boolean;
  /** Writes operator codes as files before 2020 did: in the deprecated field alone. */
  readonly oldCodes?: boolean;
  readonly version?: number;
  readonly identifier?: string;
}

/** The bytes of a .tflite file. */
export function buildTflite(spec: ModelSpec): Uint8Array {
  if (!spec.outside) return writeModel(spec, undefined);
  // Field sizes do not depend on the offsets in them, so a first pass tells where the constants will start.
  const constants = join(constantsOf(spec));
  const start = align(writeModel(spec, 0).length);
  const file = new Uint8Array(start + constants.length);
  file.set(writeModel(spec, start));
  file.set(constants, start);
  return file;
}

function subgraphsOf(spec: ModelSpec): readonly SubgraphSpec[] {
  return [spec, ...(spec.subgraphs ?? [])];
}

function constantsOf(spec: ModelSpec): readonly Uint8Array[] {
  const tensors = subgraphsOf(spec).flatMap((subgraph) => subgraph.tensors);
  return tensors.flatMap(({ data, buffer }) =>
    data !== undefined && buffer === undefined
      ? [new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()]
      : [],
  );
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + align(part.length), 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += align(part.length);
  }
  return joined;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

function writeModel(spec: ModelSpec, outsideAt: number | undefined): Uint8Array {
  const given = spec.buffers ?? [];
  const codes: Fields[] = [];
  let next = 1 + given.length;
  const subgraphs = subgraphsOf(spec).map((subgraph) => ({
    0: { tables: subgraph.tensors.map((tensor) => tensorFields(tensor, () => next++)) },
    1: { int32s: subgraph.inputs },
    2: { int32s: subgraph.outputs },
    3: {
      tables: subgraph.operators.map((operator) =>
        operatorFields(operator, codes.push(codeFields(operator, spec.oldCodes === true)) - 1),
      ),
    },
    4: text(subgraph.name),
  }));
  let at = outsideAt ?? 0;
  const made = constantsOf(spec).map((bytes): Fields => {
    if (outsideAt === undefined) return { 0: { bytes } };
    const fields: Fields = { 1: { int64: BigInt(at) }, 2: { int64: BigInt(bytes.length) } };
    at += align(bytes.length);
    return fields;
  });
  return writeFlat(
    {
      0: { int32: spec.version ?? 3 },
      1: { tables: codes },
      2: { tables: subgraphs },
      4: { tables: [{}, ...given, ...made] },
      7: spec.signatures && { tables: spec.signatures.map(signatureFields) },
    },
    spec.identifier ?? "TFL3",
  );
}

function text(value: string | undefined): Field {
  return value === undefined ? undefined : { string: value };
}

function tensorFields(spec: TensorSpec, nextBuffer: () => number): Fields {
  const { scale, axis = 0, sparsity } = spec;
  const type = typeof spec.dtype === "number" ? spec.dtype : TENSOR_TYPES.indexOf(spec.dtype);
  const buffer = spec.buffer ?? (spec.data === undefined ? 0 : nextBuffer());
  const zeroPoint = spec.zeroPoint ?? scale?.map(() => 0) ?? [];
  return {
    0: { int32s: spec.shape },
    1: { int8: type },
    2: { int32: buffer },
    3: text(spec.name),
    4: scale && { table: { 2: { float32s: scale }, 3: { int64s: zeroPoint }, 6: { int32: axis } } },
    5: spec.variable === undefined ? undefined : { int8: Number(spec.variable) },
    6: sparsity && { table: sparsityFields(sparsity) },
    7: spec.signature && { int32s: spec.signature },
    ...spec.extra,
  };
}

function sparsityFields({ traversalOrder, blockMap, levels }: SparsitySpec): Fields {
  const tables = levels.map((level): Fields => {
    if ("size" in level) return { 0: { int8: 0 }, 1: { int32: level.size } };
    const { segments, indices, index = "int32" } = level;
    const type = { int8: { int32: 1, uint16: 2, uint8: 3 }[index] };
    const values = (numbers: readonly number[]): Field => {
      if (index === "int32") return { table: { 0: { int32s: numbers } } };
      return { table: { 0: index === "uint16" ? { uint16s: numbers } : { bytes: Uint8Array.from(numbers) } } };
    };
    return { 0: { int8: 1 }, 2: type, 3: values(segments), 4: type, 5: values(indices) };
  });
  return { 0: { int32s: traversalOrder }, 1: blockMap && { int32s: blockMap }, 2: { tables } };
}

function codeFields({ code, custom }: OperatorSpec, old: boolean): Fields {
  const number = typeof code === "number" ? code : OPERATOR_NAMES.indexOf(code);
  if (number < 0) throw new Error(`no operator named ${code}`);
  return { 0: { int8: Math.min(number, 127) }, 1: text(custom), 3: old ? undefined : { int32: number } };
}

function operatorFields({ codeIndex, inputs, outputs, options, customOptions }: OperatorSpec, ownCode: number): Fields {
  const second = options !== undefined && options.type < 0;
  return {
    0: { int32: codeIndex ?? ownCode },
    1: { int32s: inputs },
    2: { int32s: outputs },
    3: options && !second ? { int8: options.type } : undefined,
    4: options && !second ? { table: options.fields } : undefined,
    5: customOptions && { bytes: customOptions },
    11: options && second ? { int8: -options.type } : undefined,
    12: options && second ? { table: options.fields } : undefined,
  };
}

function signatureFields({ key, subgraph = 0, inputs, outputs }: SignatureSpec): Fields {
  const maps = (names: SignatureSpec["inputs"]): Field => ({
    tables: Object.entries(names).map(([name, tensor]) => ({ 0: { string: name }, 1: { int32: tensor } })),
  });
  return { 0: maps(inputs), 1: maps(outputs), 2: text(key), 4: { int32: subgraph } };
}
