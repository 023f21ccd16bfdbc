/** Graph → .tflite bytes. */
import { ensure, kindOf } from "../../../errors.ts";
import { requireBytes, requireGraph } from "../../../given.ts";
import { type Graph, NONE, type Port, type TensorId } from "../../../graph.ts";
import { byteLength, type Quantization, type Tensor } from "../../../tensor.ts";
import type { ImportOptions } from "../../importing.ts";
import { roundingWarning, withActivations } from "../../roundings.ts";
import { isTflite } from "../index.ts";
import {
  BLOCKWISE,
  BLOCKWISE_DETAILS,
  BUFFER,
  IDENTIFIER,
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  QUANTIZATION,
  SCHEMA_VERSION,
  SIGNATURE,
  SUBGRAPH,
  TENSOR,
  TENSOR_MAP,
  TENSOR_TYPES,
} from "../schema.ts";
import { type Slots, writeFlat } from "./flat.ts";
import { type Kept, readKept } from "./kept.ts";
import { type FileOperator, type FileSubgraph, fileSubgraphs } from "./prepare.ts";
import { compressRows, isSmallerSparse } from "./sparse.ts";
import { versionOf } from "./versions.ts";

/** How a file is written. */
export interface WriteTfliteOptions {
  /** The .tflite file that the graph came from: its description, metadata and signatures are kept. Other files keep nothing. */
  readonly from?: Uint8Array;
  /** What the graph was read from it with. */
  readonly reading?: Pick<ImportOptions, "batch" | "shapes" | "signature" | "customOperators">;
  /** Graphs of the file's other signatures by their names, in place of those that it has. */
  readonly others?: { readonly [signature: string]: Graph };
  /** Constants that get smaller so are stored sparse, behind a DENSIFY each: for readers that know it. */
  readonly sparse?: "never" | "smaller";
  readonly description?: string;
  /** Hears of what the file cannot say: the rounding of networks from .onnx files. console.warn when absent. */
  readonly onWarning?: (message: string) => void;
}

/** Room for a FlatBuffer's tables by tensor and operator, so that the file need not be copied while it grows. */
const TABLE_BYTES = 256;
/** FlatBuffers' offsets have 31 bits. */
const MAX_FILE = 2 ** 31 - 2 ** 24;
/** The name of the only signature, where the names of the ports are not those of their tensors. */
const SIGNATURE_KEY = "serving_default";
/** Bytes that constants are told apart by before all are compared, about. */
const SAMPLED = 4096;
/** Numbers of deprecated_builtin_code end here; `builtin_code` has all. */
const OLD_CODES = 127;

/**
 * Writes a graph as `importModel` gives it, before passes: .tflite of schema version 3, constants at multiples of 16 bytes,
 * shared ones once, the operators in the lowest versions that know their types and options. Reading the file again gives the
 * same graph, but for ONNX's rounding, which the file cannot say: a warning. Tensors that nothing uses are left out.
 *
 * Errors: UNSUPPORTED with all nodes that TensorFlow Lite has no form for, or for 2 GiB and more.
 */
export function writeTflite(graph: Graph, options: WriteTfliteOptions = {}): Uint8Array {
  requireGraph("writeTflite", graph);
  ensure(typeof options === "object" && options !== null, "INVALID_OPTION", () => ({
    where: "writeTflite",
    expected: "an object of options",
    received: kindOf(options),
    hint: 'Such as { from: bytes, sparse: "smaller" }.',
  }));
  const { from, reading, sparse = "never", onWarning = console.warn } = options;
  if (from !== undefined) requireBytes("writeTflite, from", from);
  const kept: Kept | undefined = from !== undefined && isTflite(from) ? readKept(plain(from), reading) : undefined;
  const others = kept?.others ?? [];
  const subgraphs = fileSubgraphs(
    [withActivations(graph), ...others.map(({ key, graph }) => options.others?.[key] ?? graph)],
    sparse === "smaller" ? isSmallerSparse : () => false,
  );
  const warning = roundingWarning(graph, ".tflite");
  if (warning !== undefined) onWarning(`pint8: ${warning}`);
  const buffers = new BufferList();
  const codes = new CodeList();
  const tables = subgraphs.map((each) => subgraphSlots(each, buffers, codes));
  const metadata = (kept?.metadata ?? []).map(({ name, data }) => ({
    [METADATA.name]: { string: name },
    [METADATA.buffer]: { int32: buffers.add(data) },
  }));
  const signatures = signaturesOf(subgraphs, kept);
  const description = options.description ?? (kept?.description || "pint8");
  const estimate = buffers.bytes + subgraphs.reduce((sum, each) => sum + TABLE_BYTES * sizeOf(each), 65536);
  ensure(estimate < MAX_FILE, "UNSUPPORTED", () => ({
    where: "file",
    expected: "a file of less than 2 GiB",
    received: `constants of ${buffers.bytes} bytes`,
  }));
  return writeFlat(
    {
      [MODEL.version]: { int32: SCHEMA_VERSION },
      [MODEL.operatorCodes]: { tables: codes.tables },
      [MODEL.subgraphs]: { tables },
      [MODEL.description]: { string: description },
      [MODEL.buffers]: { tables: buffers.tables },
      [MODEL.metadata]: metadata.length === 0 ? undefined : { tables: metadata },
      [MODEL.signatures]: signatures.length === 0 ? undefined : { tables: signatures },
    },
    IDENTIFIER,
    estimate,
  );
}

/** A plain view: subclasses such as Node's Buffer have a `slice` that does not copy. */
const plain = ({ buffer, byteOffset, byteLength: length }: Uint8Array) => new Uint8Array(buffer, byteOffset, length);
const sizeOf = ({ tensors, operators }: FileSubgraph) => tensors.length + operators.length;

/** The file's buffers: the empty one, then each constant once. */
class BufferList {
  readonly tables: Slots[] = [{}];
  bytes = 0;
  readonly #known = new Map<number, (readonly [Uint8Array, number])[]>();

  /** The number of the buffer with these bytes, wherever they stand: graphs of several signatures have the same weights. */
  add(data: Uint8Array): number {
    const step = Math.ceil(data.length / SAMPLED) || 1;
    let hash = data.length;
    for (let i = 0; i < data.length; i += step) hash = (Math.imul(hash, 31) + (data[i] as number)) | 0;
    const alike = this.#known.get(hash) ?? [];
    this.#known.set(hash, alike);
    const known = alike.find(([other]) => other === data || isSame(other, data));
    if (known !== undefined) return known[1];
    const number = this.tables.push({ [BUFFER.data]: { aligned: data } }) - 1;
    alike.push([data, number]);
    this.bytes += data.length + 32;
    return number;
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The file's operator codes. */
class CodeList {
  readonly tables: Slots[] = [];
  readonly #known = new Map<string, number>();

  add(code: number, custom: string | undefined, version: number): number {
    const name = `${code} ${version} ${custom ?? ""}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const number =
      this.tables.push({
        [OPERATOR_CODE.deprecatedCode]: { int8: Math.min(code, OLD_CODES) },
        [OPERATOR_CODE.customCode]: custom === undefined ? undefined : { string: custom },
        [OPERATOR_CODE.version]: { int32: version },
        [OPERATOR_CODE.code]: { int32: code },
      }) - 1;
    this.#known.set(name, number);
    return number;
  }
}

function subgraphSlots(subgraph: FileSubgraph, buffers: BufferList, codes: CodeList): Slots {
  const { name, tensors, operators, inputs, outputs } = subgraph;
  const open = openTensors(subgraph);
  return {
    [SUBGRAPH.tensors]: {
      tables: tensors.map((tensor, i) => ({
        ...tensorSlots(tensor, subgraph, buffers),
        [TENSOR.shapeSignature]: open.has(i as TensorId) ? { int32s: tensor.shape.map(openSize) } : undefined,
      })),
    },
    [SUBGRAPH.inputs]: { int32s: inputs.map(({ tensor }) => tensor) },
    [SUBGRAPH.outputs]: { int32s: outputs.map(({ tensor }) => tensor) },
    [SUBGRAPH.operators]: { tables: operators.map((operator) => operatorSlots(operator, tensors, codes)) },
    [SUBGRAPH.name]: { string: name },
  };
}

/** Inputs that say the output's sizes. */
const SIZES: { readonly [kind: string]: readonly number[] } = {
  slice: [1, 2],
  stridedSlice: [1, 2, 3],
  reshape: [1],
  fill: [0],
  tile: [1],
  broadcastTo: [1],
  range: [0, 1, 2],
};

/** Tensors whose sizes a run tells: readers compare others with those that they are put beside. */
function openTensors({ operators, tensors }: FileSubgraph): ReadonlySet<TensorId> {
  const isComputed = (id: TensorId | undefined) => tensors[id ?? NONE] !== undefined && !tensors[id ?? NONE]?.data;
  return new Set(
    operators.flatMap(({ node }) =>
      (SIZES[node.kind] ?? []).some((i) => isComputed(node.inputs[i])) ? node.outputs : [],
    ),
  );
}

/** A size that is left open; the first is read as 1 then. */
const openSize = (size: number, i: number) => (i > 0 || size === 1 ? -1 : size);

function tensorSlots(tensor: Tensor, { sparse, scales }: FileSubgraph, buffers: BufferList): Slots {
  const { name, dtype, shape, quantization, data, variable } = tensor;
  const stored = sparse.has(tensor) && data !== undefined ? compressRows(tensor) : undefined;
  const bytes = stored?.data ?? data;
  return {
    [TENSOR.shape]: { int32s: shape },
    [TENSOR.type]: { int8: TENSOR_TYPES.indexOf(dtype) },
    [TENSOR.buffer]: bytes === undefined || isNothing(tensor) ? undefined : { int32: buffers.add(bytes) },
    [TENSOR.name]: { string: name },
    [TENSOR.quantization]: quantization && { table: quantizationSlots(quantization, scales.get(tensor)) },
    [TENSOR.variable]: variable ? { int8: 1 } : undefined,
    [TENSOR.sparsity]: stored && { table: stored.sparsity },
    [TENSOR.hasRank]: { int8: 1 },
  };
}

/** Scales in place, or, by blocks, in the tensor with this index. */
function quantizationSlots({ scale, zeroPoint, axis, block }: Quantization, scales: number | undefined): Slots {
  if (block !== undefined && scales !== undefined) {
    const table = {
      [BLOCKWISE.scales]: { int32: scales },
      [BLOCKWISE.zeroPoints]: { int32: -1 },
      [BLOCKWISE.blockSize]: { int32: block },
    };
    return { [QUANTIZATION.detailsType]: { int8: BLOCKWISE_DETAILS }, [QUANTIZATION.details]: { table } };
  }
  return {
    [QUANTIZATION.scale]: { float32s: scale },
    // One for all scales, as ONNX may leave them, is one for each in a file.
    [QUANTIZATION.zeroPoint]: { int64s: scale.map((_, i) => zeroPoint[i] ?? zeroPoint[0] ?? 0) },
    [QUANTIZATION.axis]: axis === 0 ? undefined : { int32: axis },
  };
}

/** A constant without elements: readers know it by its shape. */
const isNothing = (tensor: Tensor) => tensor.data?.length === 0 && byteLength(tensor) === 0;

function operatorSlots(operator: FileOperator, tensors: readonly Tensor[], codes: CodeList): Slots {
  const { node, code, custom, options, customOptions } = operator;
  const list = (ids: readonly number[]) => ids.map((id) => tensors[id]);
  const signature = { node, x: list(node.inputs), y: list(node.outputs), slots: options?.slots ?? {} };
  return {
    [OPERATOR.codeIndex]: { int32: codes.add(code, custom, versionOf(signature)) },
    [OPERATOR.inputs]: { int32s: node.inputs },
    [OPERATOR.outputs]: { int32s: node.outputs },
    [OPERATOR.optionsType]: options && { int8: options.type },
    [OPERATOR.options]: options && { table: options.slots },
    [OPERATOR.customOptions]: customOptions && { bytes: customOptions },
    [OPERATOR.intermediates]: operator.intermediates?.length ? { int32s: operator.intermediates } : undefined,
  };
}

/** The main graph's signatures by the names that the file had, those of others, or one where ports have names of their own. */
function signaturesOf(subgraphs: readonly FileSubgraph[], kept: Kept | undefined): readonly Slots[] {
  const [main] = subgraphs;
  if (main === undefined) return [];
  // Ports of tensors without names are read as input_0, output_0 and so on.
  const isOther = (kind: string) => (port: Port, i: number) =>
    (main.tensors[port.tensor]?.name || `${kind}_${i}`) !== port.name;
  const isNamed = main.inputs.some(isOther("input")) || main.outputs.some(isOther("output"));
  const keys = kept?.keys.length ? kept.keys : isNamed ? [SIGNATURE_KEY] : [];
  const others = (kept?.others ?? []).map(({ key }, i) => signatureSlots(key, i + 1, subgraphs[i + 1] as FileSubgraph));
  return [...keys.map((key) => signatureSlots(key, 0, main)), ...others];
}

function signatureSlots(key: string, subgraph: number, { inputs, outputs }: FileSubgraph): Slots {
  const maps = (ports: readonly Port[]) => ({
    tables: ports.map(({ name, tensor }) => ({
      [TENSOR_MAP.name]: { string: name },
      [TENSOR_MAP.tensor]: { int32: tensor },
    })),
  });
  return {
    [SIGNATURE.inputs]: maps(inputs),
    [SIGNATURE.outputs]: maps(outputs),
    [SIGNATURE.key]: { string: key },
    [SIGNATURE.subgraph]: { int32: subgraph },
  };
}
