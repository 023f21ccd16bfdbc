/**
 * The kernels as typed functions, for programs with a graph of their own: `pint8/kernels`.
 *
 * Tensors live in one wasm memory. A call is prepared once: its shapes are checked, kernels chosen, weights packed for
 * them, and everything written to that memory. Running it is then one call into wasm.
 *
 * ```ts
 * import { createKernels, denseWeights } from "pint8/kernels";
 *
 * const kernels = await createKernels();
 * const x = kernels.tensor("int8", [2, 3], { scale: 0.5, zeroPoint: 0 });
 * const weights = denseWeights({ shape: [1, 3], data: new Int8Array([1, 2, 3]), scale: 0.1 });
 * const layer = kernels.gemm({ x, weights, y: { scale: 0.05, zeroPoint: 0 } });
 * x.data.set([1, 1, 1, 2, 0, 0]);
 * layer.run();
 * console.log(layer.y.data); // Int8Array(2) [ 6, 2 ]
 * ```
 *
 * Every module gives the same bytes, those of TensorFlow Lite's reference kernels.
 *
 * @module
 */
import { requireActivation, requireAffine, requirePadding, requirePair, requireParts } from "../calls/arguments.ts";
import { createStack, type Region } from "../calls/memory.ts";
import { type Call, type Engine, prepareOperator, type Target } from "../calls/prepare.ts";
import { prepareRequantize, type RequantizeCall } from "../calls/requantize.ts";
import { type Affine, allocateTensor, type ElementType, type KernelTensor } from "../calls/tensor.ts";
import { type Weights, weightTensors } from "../calls/weights.ts";
import { ensure, kindOf, Pint8Error } from "../errors.ts";
import type { Activation, Padding } from "../graph.ts";
import { depthwiseConv2d } from "../ops/depthwise/depthwiseConv2d.ts";
import { conv2d } from "../ops/product/conv2d.ts";
import { fullyConnected } from "../ops/product/fullyConnected.ts";
import type { ModuleName, WasmMemory, WasmModule } from "../primitives/modules.ts";
import type { WasmUrl } from "../session/files.ts";
import { instantiate } from "../session/instantiate.ts";
import { loadModule } from "../session/modules.ts";
import { checkOptions, type OptionNames } from "../session/options.ts";

export type { Region } from "../calls/memory.ts";
export type { Call, Target } from "../calls/prepare.ts";
export type { RequantizeCall } from "../calls/requantize.ts";
export type { Affine, ElementType, KernelTensor } from "../calls/tensor.ts";
export {
  type DenseWeights,
  denseWeights,
  type PrunedWeights,
  prunedWeights,
  type WeightOptions,
  type Weights,
} from "../calls/weights.ts";
export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export type { Activation, Padding } from "../graph.ts";
export { MODULES, type ModuleName } from "../primitives/modules.ts";
export type { WasmUrl } from "../session/files.ts";

const PAGE_BYTES = 65536;
const DEFAULT_PAGES = 1024;
const MOST_PAGES = 65535;
/** What every call with weights says. */
const CALL = ["x", "weights", "y"];

/** How kernels are created. */
export interface KernelsOptions {
  /** As in `loadModel`: `"auto"`, the default, takes the fastest that this engine runs correctly. */
  readonly module?: ModuleName | "auto";
  /** Size of the memory in pages of 64 KiB, 1024 when absent. It never grows; engines back only what is touched. */
  readonly pages?: number;
  /** The module, compiled elsewhere: for workers that must import it statically. */
  readonly wasm?: WasmModule;
  /** As in `loadModel`: where the package's wasm files are, by their names. */
  readonly wasmUrl?: WasmUrl;
}

const KERNELS_OPTIONS: OptionNames<KernelsOptions> = { module: true, pages: true, wasm: true, wasmUrl: true };

/** A matrix product. */
export interface GemmCall {
  /** `[…,K]` */
  readonly x: KernelTensor<"int8">;
  /** `[N,K]` */
  readonly weights: Weights;
  /** The result `[…,N]`, or its quantization. */
  readonly y: Target;
  /** Clamps the result; `"none"` when absent. */
  readonly activation?: Activation;
}

/** A convolution of images. */
export interface ConvolutionCall {
  /** `[N,H,W,C]` */
  readonly x: KernelTensor<"int8">;
  /** `[O,kH,kW,C/groups]`; `[1,kH,kW,C·multiplier]` for depthwise convolution. */
  readonly weights: Weights;
  /** The result `[N,H',W',O]`, or its quantization. */
  readonly y: Target;
  /** Vertical and horizontal, `[1, 1]` when absent. */
  readonly stride?: readonly [number, number];
  /** Vertical and horizontal, `[1, 1]` when absent. */
  readonly dilation?: readonly [number, number];
  /** `"same"` when absent. */
  readonly padding?: Padding;
  /** Clamps the result; `"none"` when absent. */
  readonly activation?: Activation;
}

/** Kernels with their memory. Calls that are refused say why in a `Pint8Error`. */
export interface Kernels {
  /** The build of the kernels that runs. */
  readonly module: ModuleName;
  /** All tensors and weights. */
  readonly memory: WasmMemory;
  /** Bytes of it in use. */
  readonly used: number;
  /**
   * Allocates a tensor of zeros; int32 ones, of accumulators, need no quantization.
   *
   * Errors: OUT_OF_MEMORY; INVALID_OPTION for other element types; INVALID_MODEL for sizes that are none.
   */
  tensor(dtype: "int8", shape: readonly number[], affine: Affine): KernelTensor<"int8">;
  /** One of int32, without quantization; the same errors. */
  tensor(dtype: "int32", shape: readonly number[]): KernelTensor<"int32">;
  /**
   * y = requantize(x · weightsᵀ + bias), as TFLite's FULLY_CONNECTED.
   *
   * ```ts
   * const x = kernels.tensor("int8", [2, 3], { scale: 0.5, zeroPoint: 0 });
   * const weights = denseWeights({ shape: [2, 3], data: new Int8Array([1, 2, 3, 4, 5, 6]), scale: 0.1 });
   * const { y, run } = kernels.gemm({ x, weights, y: { scale: 0.05, zeroPoint: 0 }, activation: "relu" });
   * x.data.set([1, 1, 1, 1, 0, 0]);
   * run();
   * console.log(y.data); // Int8Array(4) [ 6, 15, 1, 4 ]
   * ```
   *
   * Errors: INVALID_GRAPH, UNSUPPORTED where the operator's constraints do not hold; INVALID_INPUT; OUT_OF_MEMORY; CLOSED
   * for released tensors.
   */
  gemm(call: GemmCall): Call;
  /**
   * `gemm` for weights with many zeros, given by their blocks or in full. The fastest kernel that the zeros allow is
   * chosen, a dense one where they do not pay; `Call.kernels` says which.
   *
   * ```ts
   * const x = kernels.tensor("int8", [1, 4], { scale: 1, zeroPoint: 0 });
   * const weights = prunedWeights({
   *   ...{ shape: [2, 4], block: [1, 2], scale: 1 },
   *   ...{ rowStarts: [0, 1, 2], columns: [0, 1], values: new Int8Array([1, 2, 3, 4]) },
   * });
   * const { y, run } = kernels.spmm({ x, weights, y: { scale: 1, zeroPoint: 0 } });
   * x.data.set([1, 1, 2, 2]);
   * run();
   * console.log(y.data); // Int8Array(2) [ 3, 14 ]
   * ```
   */
  spmm(call: GemmCall): Call;
  /**
   * Convolution as TFLite's CONV_2D, groups included.
   *
   * ```ts
   * const x = kernels.tensor("int8", [1, 3, 3, 1], { scale: 1, zeroPoint: 0 });
   * const weights = denseWeights({ shape: [1, 2, 2, 1], data: new Int8Array([1, 1, 1, 1]), scale: 1 });
   * const { y, run } = kernels.conv2d({ x, weights, y: { scale: 1, zeroPoint: 0 }, padding: "valid" });
   * x.data.set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
   * run();
   * console.log(y.shape, y.data); // [ 1, 2, 2, 1 ] Int8Array(4) [ 12, 16, 24, 28 ]
   * ```
   *
   * Errors: as `gemm`.
   */
  conv2d(call: ConvolutionCall): Call;
  /**
   * Each channel by itself, as TFLite's DEPTHWISE_CONV_2D.
   *
   * ```ts
   * const x = kernels.tensor("int8", [1, 1, 3, 2], { scale: 1, zeroPoint: 0 });
   * const weights = denseWeights({ shape: [1, 1, 2, 2], data: new Int8Array([1, 10, 1, 10]), scale: 1 });
   * const { y, run } = kernels.depthwiseConv2d({ x, weights, y: { scale: 1, zeroPoint: 0 }, padding: "valid" });
   * x.data.set([1, 1, 2, 2, 3, 3]);
   * run();
   * console.log(y.data); // Int8Array(4) [ 3, 30, 5, 50 ]
   * ```
   *
   * Errors: as `gemm`.
   */
  depthwiseConv2d(call: ConvolutionCall): Call;
  /**
   * int32 accumulators to int8: y = clamp(zeroPoint + round(multiplier·(x + bias))).
   *
   * ```ts
   * const x = kernels.tensor("int32", [2, 2]);
   * const { y, run } = kernels.requantize({ x, y: { scale: 1, zeroPoint: -1 }, multiplier: [0.5, 0.25] });
   * x.data.set([10, 10, -10, 3000]);
   * run();
   * console.log(y.data); // Int8Array(4) [ 4, 2, -6, 127 ]
   * ```
   *
   * Errors: INVALID_INPUT; OUT_OF_MEMORY; CLOSED for released tensors.
   */
  requantize(call: RequantizeCall): Call;
  /** Begins a region: what is allocated from now on is freed by `release`. Regions nest. */
  mark(): Region;
  /**
   * Frees a region's tensors and calls, and regions begun after it. Views of freed tensors read whatever comes to stand
   * there; freed calls refuse to run.
   *
   * Errors: CLOSED for a region that is not open.
   */
  release(region: Region): void;
  /** Frees everything. */
  reset(): void;
}

/**
 * Compiles and instantiates the kernels over a memory of their own.
 *
 * Errors: MODULE_UNAVAILABLE, INVALID_OPTION, OUT_OF_MEMORY where the engine does not grant the pages.
 */
export async function createKernels(options: KernelsOptions = {}): Promise<Kernels> {
  checkOptions("createKernels", options, KERNELS_OPTIONS);
  const { module: wanted = "auto", pages = DEFAULT_PAGES, wasm, wasmUrl } = options;
  ensure(Number.isInteger(pages) && pages >= 1 && pages <= MOST_PAGES, "INVALID_OPTION", () => ({
    where: "pages",
    expected: `a whole number from 1 to ${MOST_PAGES}`,
    received: kindOf(pages),
    hint: "1024 pages are 64 MiB.",
  }));
  const { name, module } = await loadModule(wanted, wasm, "core", wasmUrl);
  const memory = takeMemory(pages);
  const stack = createStack(pages * PAGE_BYTES);
  const engine: Engine = { name, exports: await instantiate(module, memory), memory, stack };

  const product = (where: string) => (call: GemmCall) => {
    requireParts(where, call, CALL);
    requireAffine(`${where}, y`, call.y);
    const { x, weights, y, activation = "none" } = call;
    requireActivation(where, activation);
    const attributes = { activation, keepDims: true };
    return prepareOperator(engine, where, fullyConnected, attributes, x, weightTensors(weights, 0), y);
  };
  const attributesOf = (where: string, call: ConvolutionCall) => {
    requireParts(where, call, CALL);
    requireAffine(`${where}, y`, call.y);
    const { stride = [1, 1], dilation = [1, 1], padding = "same", activation = "none" } = call;
    requirePair(where, "stride", stride);
    requirePair(where, "dilation", dilation);
    requirePadding(where, padding);
    requireActivation(where, activation);
    return { stride, dilation, padding, activation };
  };
  return Object.freeze({
    module: name,
    memory,
    get used() {
      return stack.used;
    },
    tensor: <D extends ElementType>(dtype: D, shape: readonly number[], affine: Affine = { scale: 1, zeroPoint: 0 }) =>
      allocateTensor(stack, memory, dtype, shape, affine),
    gemm: product("gemm"),
    spmm: product("spmm"),
    conv2d: (call) => {
      const attributes = attributesOf("conv2d", call);
      const { x, weights, y } = call;
      return prepareOperator(engine, "conv2d", conv2d, attributes, x, weightTensors(weights, 0), y);
    },
    depthwiseConv2d: (call) => {
      const attributes = attributesOf("depthwiseConv2d", call);
      const { x, weights, y } = call;
      return prepareOperator(engine, "depthwiseConv2d", depthwiseConv2d, attributes, x, weightTensors(weights, 3), y);
    },
    requantize: (call) => prepareRequantize(engine, call),
    mark: stack.mark,
    release: stack.release,
    reset: stack.reset,
  } satisfies Kernels as Kernels);
}

function takeMemory(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new Pint8Error(
      "OUT_OF_MEMORY",
      { where: "createKernels", expected: `${pages} pages of memory`, received: "an engine that grants less" },
      { cause },
    );
  }
}
