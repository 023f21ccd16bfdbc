import { inFile, Pint8Error } from "./errors.ts";
import type { Importer } from "./formats/importing.ts";
import { customsLater } from "./formats/later.ts";
import { type Outline, type OutlinedOperator, outlineModel, signaturesOf } from "./formats/select.ts";
import { setShapes } from "./formats/shapes.ts";
import { refuseOfPlan } from "./given.ts";
import { type AnyNode, type Graph, NONE, type Port, type TensorId, tensorOf } from "./graph.ts";
import type { Inspection, OperatorReport, TensorReport } from "./inspection.ts";
import { bind } from "./ops/bind.ts";
import { operatorsLater } from "./ops/later.ts";
import type { Operators } from "./ops/types.ts";
import { loadPacker } from "./packer/index.ts";
import type { PassOptions } from "./passes/index.ts";
import { asInt8, runPassesBy } from "./passes/run.ts";
import { survey } from "./passes/survey.ts";
import { planGraphBy } from "./plan/bind.ts";
import { isPlan, readPlan } from "./plan/file.ts";
import { memoryBytes, type Plan, type PlanPort, type PlanStep } from "./plan/types.ts";
import type { ModuleName } from "./primitives/modules.ts";
import type { WasmUrl } from "./session/files.ts";
import { loadModule } from "./session/modules.ts";
import { checkOptions, type OptionNames } from "./session/options.ts";
import { nameOf, readSource, type Source } from "./session/source.ts";
import { byteLength, portAffine, type TypedArray } from "./tensor.ts";

/** How `inspectModel` reads a model, and what it plans it for. */
export interface InspectOptions extends PassOptions {
  /** Kernels that it is planned for; `"auto"` when absent, the fastest that this engine runs correctly. */
  readonly module?: ModuleName | "auto";
  /** Samples of one run, where the model is of one or leaves it open. */
  readonly batch?: number;
  /** Shapes of inputs by name, as `loadModel` takes them. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** TensorFlow Lite: the signature to report of, by its name; the model's first subgraph where absent. */
  readonly signature?: string;
  /** ONNX: values of inputs that are known beforehand, by name: these become constants. */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>>;
  /** ONNX: files with tensors that the model keeps outside of itself, by the names that it gives them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
  /** Where the package's wasm files are, as `loadModel` takes it. */
  readonly wasmUrl?: WasmUrl;
}

const INSPECT_OPTIONS: OptionNames<InspectOptions> = {
  module: true,
  batch: true,
  shapes: true,
  signature: true,
  constants: true,
  externalData: true,
  wasmUrl: true,
  only: true,
  operators: true,
  limits: true,
};

/** `inspectModel`, by this importer. */
export function inspectBy(importer: Importer, source: Source, options: InspectOptions = {}): Promise<Inspection> {
  return inFile(nameOf(source), () => inspection(importer, source, options));
}

async function inspection(importer: Importer, source: Source, options: InspectOptions): Promise<Inspection> {
  checkOptions("inspectModel", options, INSPECT_OPTIONS);
  const bytes = await readSource(source);
  if (isPlan(bytes)) {
    const plan = readPlan(bytes);
    refuseOfPlan(plan.module, options);
    return inspectPlan(plan);
  }
  const { batch, shapes, signature, constants, externalData, ...rest } = options;
  const { module = "auto", wasmUrl, operators: given, ...passes } = rest;
  const operators = given ?? (await operatorsLater());
  const loaded = await orRefusal(async () =>
    runPassesBy(operators, await importer(bytes, { batch, shapes, signature, constants, externalData }), passes),
  );
  if (loaded instanceof Pint8Error) return inspectRefused(bytes, options, operators, loaded);
  const graph = loaded;
  const [kernels, packer] = await Promise.all([loadModule(module, undefined, "core", wasmUrl), loadPacker()]);
  const plan = planGraphBy(operators, graph, { module: kernels.name, moduleHash: kernels.hash, packer });
  const calls = byOperator(plan.steps);
  const reports = graph.nodes.map((node) => operatorReport(operators, graph, node, calls.get(node.where) ?? []));
  return { ...report(graph.name, plan, reports, sparsityOf(graph, graph.nodes)), signatures: signaturesOf(bytes) };
}

async function orRefusal<T>(load: () => T | Promise<T>): Promise<T | Pint8Error> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof Pint8Error && error.code !== "INVALID_OPTION") return error;
    throw error;
  }
}

async function inspectRefused(
  bytes: Uint8Array,
  options: InspectOptions,
  table: Operators,
  refusal: Pint8Error,
): Promise<Inspection> {
  const outline = await orRefusal(async () => outlineModel(bytes, await customsLater(), options.signature));
  if (outline === undefined || outline instanceof Pint8Error) throw refusal;
  const { name: module } = await loadModule(options.module ?? "auto", undefined, "core", options.wasmUrl);
  const { graph, refusals } = refusalsOf(outline, options, table);
  const operators = outline.operators.map((each) => outlinedReport(graph, each, refusals.get(each.where)));
  const weightBytes = operators.reduce((sum, each) => sum + each.weightBytes, 0);
  const port = ({ name, tensor }: Port): Inspection["inputs"][number] => {
    const stored = tensorOf(graph, tensor);
    const { dtype, shape } = stored;
    return { name, dtype, shape, ...portAffine(stored), bytes: byteLength({ dtype, shape }) };
  };
  const none = { macs: 0, arenaBytes: 0, imageBytes: 0, scratchBytes: 0, memoryBytes: 0 };
  return {
    name: outline.name,
    module,
    signatures: signaturesOf(bytes),
    inputs: outline.inputs.map(port),
    outputs: outline.outputs.map(port),
    operators,
    totals: { ...none, weightBytes, sparsity: sparsityOf(graph, graph.nodes) },
    refusal: refusal.message,
  };
}

/** The nodes that there are, results of the others as inputs, and what each node lacks. */
function refusalsOf({ operators, ...outline }: Outline, { shapes }: InspectOptions, table: Operators) {
  const nodes = operators.flatMap(({ node }) => (node instanceof Pint8Error ? [] : [node]));
  const graph = setShapes({ ...outline, nodes, subgraphs: [] }, shapes);
  const refusals = new Map(survey(graph, asInt8, table));
  for (const { where, node } of operators) if (node instanceof Pint8Error) refusals.set(where, node);
  return { graph, refusals };
}

function outlinedReport(graph: Graph, operator: OutlinedOperator, refusal: Pint8Error | undefined): OperatorReport {
  const tensors = (ids: readonly TensorId[]) => ids.filter((id) => id !== NONE).map((id) => tensorReport(graph, id));
  const { where, name, inputs, outputs, node } = operator;
  const constants = inputs.map((id) => (id === NONE ? 0 : (tensorOf(graph, id).data?.length ?? 0)));
  return {
    where,
    kind: node instanceof Pint8Error ? name : node.kind,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
    attributes: node instanceof Pint8Error ? {} : { ...node.attributes },
    macs: 0,
    weightBytes: constants.reduce((sum, bytes) => sum + bytes, 0),
    sparsity: 0,
    kernels: [],
    refusal: refusal === undefined ? "" : refusalText(where, refusal),
  };
}

/** The message without the place, which stands beside it. */
function refusalText(where: string, { message }: Pint8Error): string {
  return message.startsWith(where) ? message.slice(where.length).replace(/^[,:] */, "") : message;
}

function inspectPlan(plan: Plan): Inspection {
  const reports = plan.steps.map(
    (step): OperatorReport => ({
      where: step.where,
      kind: step.kernel,
      inputs: [],
      outputs: [],
      attributes: {},
      macs: step.macs,
      weightBytes: step.bytes,
      sparsity: 0,
      kernels: [kernelText(step)],
      refusal: "",
    }),
  );
  return report("plan", plan, reports, 0);
}

function report(name: string, plan: Plan, operators: readonly OperatorReport[], sparsity: number): Inspection {
  const sum = (of: (operator: OperatorReport) => number) =>
    operators.reduce((total, operator) => total + of(operator), 0);
  const port = ({ address: _, ...rest }: PlanPort) => rest;
  return {
    name,
    module: plan.module,
    signatures: [],
    inputs: plan.inputs.map(port),
    outputs: plan.outputs.map(port),
    operators,
    refusal: "",
    totals: {
      macs: sum(({ macs }) => macs),
      weightBytes: sum(({ weightBytes }) => weightBytes),
      sparsity,
      arenaBytes: plan.arenaBytes,
      imageBytes: plan.image.length,
      scratchBytes: plan.scratchBytes,
      memoryBytes: memoryBytes(plan, 1),
    },
  };
}

function operatorReport(operators: Operators, graph: Graph, node: AnyNode, calls: readonly PlanStep[]): OperatorReport {
  const { operator, view } = bind(operators, node, graph.tensors);
  const tensors = (ids: readonly TensorId[]) => ids.filter((id) => id !== NONE).map((id) => tensorReport(graph, id));
  const constants = view.inputs.map((tensor) => tensor?.data?.length ?? 0);
  return {
    where: node.where,
    kind: node.kind,
    inputs: tensors(node.inputs),
    outputs: tensors(node.outputs),
    attributes: { ...node.attributes },
    macs: operator.macs?.(view) ?? 0,
    weightBytes: constants.reduce((sum, bytes) => sum + bytes, 0),
    sparsity: sparsityOf(graph, [node]),
    kernels: calls.map(kernelText),
    refusal: "",
  };
}

function byOperator(steps: readonly PlanStep[]): ReadonlyMap<string, readonly PlanStep[]> {
  const calls = new Map<string, PlanStep[]>();
  for (const step of steps) {
    const list = calls.get(step.where);
    if (list === undefined) calls.set(step.where, [step]);
    else list.push(step);
  }
  return calls;
}

const kernelText = ({ kernel, note }: PlanStep) =>
  note === "" ? kernel : note.startsWith(kernel) ? note : `${kernel} ${note}`;

function tensorReport(graph: Graph, id: TensorId): TensorReport {
  const { name, dtype, shape, quantization, data } = tensorOf(graph, id);
  const { scale = [], zeroPoint = [], axis = 0 } = quantization ?? {};
  return { name, dtype, shape, scale, zeroPoint, axis, constant: data !== undefined };
}

/** The share of zeros in the int8 constants that these nodes read. */
function sparsityOf(graph: Graph, nodes: readonly AnyNode[]): number {
  let zeros = 0;
  let all = 0;
  const ids = new Set(nodes.flatMap(({ inputs }) => inputs).filter((id) => id !== NONE));
  for (const { dtype, data } of [...ids].map((id) => tensorOf(graph, id)))
    if (dtype === "int8" && data !== undefined) {
      all += data.length;
      for (const byte of data) if (byte === 0) zeros++;
    }
  return all === 0 ? 0 : zeros / all;
}
