/**
 * LiteRT.js and tfjs-tflite, driven through the functions that their wasm modules export: below their tensor classes, which
 * favours them. Both are XNNPACK compiled to WebAssembly. They are installed in a scratch folder, never in the project.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInThisContext } from "node:vm";

/** A model in another engine. */
interface Peer {
  /** Copies the bytes of input i in. */
  setInput(i: number, bytes: Uint8Array): void;
  run(): unknown;
  /** A copy of output i's bytes. */
  output(i: number): Uint8Array;
}

export const PEERS = ["litert-relaxed", "litert", "litert-threads", "tfjs-tflite"] as const;
export type PeerName = (typeof PEERS)[number];

const LITERT_BUILD = {
  "litert-relaxed": "internal",
  litert: "compat_internal",
  "litert-threads": "threaded_internal",
} as const;

/** Whether the folder has the packages. */
export function hasPeers(folder: string): boolean {
  return ["@litertjs/core", "@tensorflow/tfjs-tflite"].every((name) => existsSync(join(folder, "node_modules", name)));
}

/** Loads an engine and a model in it. */
export async function loadPeer(folder: string, name: PeerName, model: Uint8Array, threads = 1): Promise<Peer> {
  return name === "tfjs-tflite" ? loadTflite(folder, model) : loadLiteRt(folder, LITERT_BUILD[name], model, threads);
}

/** What embind makes of a C++ vector. */
interface Vector<T> {
  size(): number;
  get(i: number): T;
}
const listOf = <T>(vector: Vector<T>): readonly T[] => Array.from({ length: vector.size() }, (_, i) => vector.get(i));

interface Heap {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
}

function copyIn(engine: Heap, bytes: Uint8Array): number {
  const address = engine._malloc(bytes.length);
  engine.HEAPU8.set(bytes, address);
  return address;
}

interface LiteRtBuffer {
  lock(mode: unknown): number;
  unlock(): void;
  delete(): void;
}
interface LiteRt extends Heap {
  readonly LiteRtEnvironment: { create(options: null): unknown };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
  readonly LiteRtTensorBuffer: {
    createManaged(env: unknown, type: unknown, tensor: unknown, bytes: number): LiteRtBuffer;
  };
  setupLogging?(): void;
  loadModel(env: unknown, address: number, bytes: number): LiteRtModel;
  compileModel(env: unknown, model: LiteRtModel, options: object): Promise<LiteRtCompiled>;
}
interface LiteRtModel {
  getSignature(i: number): { inputNames(): Vector<string>; outputNames(): Vector<string> };
  getInputTensorType(signature: number, i: number): { bytes(): number };
  getOutputTensorType(signature: number, i: number): { bytes(): number };
}
interface LiteRtCompiled {
  run(signature: number, inputs: readonly LiteRtBuffer[]): readonly LiteRtBuffer[] | Promise<readonly LiteRtBuffer[]>;
}

/** The glue is CommonJS in a package of modules: it runs from a copy beside a package.json that says so. */
async function loadLiteRt(folder: string, build: string, model: Uint8Array, threads: number): Promise<Peer> {
  const source = join(folder, "node_modules/@litertjs/core/wasm");
  const copy = join(folder, ".pint8-bench/litert");
  mkdirSync(copy, { recursive: true });
  writeFileSync(join(copy, "package.json"), '{ "type": "commonjs" }\n');
  for (const file of readdirSync(source)) {
    const target = join(copy, file);
    if (!existsSync(target) || statSync(target).size !== statSync(join(source, file)).size)
      copyFileSync(join(source, file), target);
  }
  const factory = createRequire(import.meta.url)(join(copy, `litert_wasm_${build}.js`));
  // Node 20 has no navigator, and the build with threads asks it how many there are.
  if (!("navigator" in globalThis))
    Object.assign(globalThis, { navigator: { hardwareConcurrency: threads, userAgent: "node" } });
  const engine: LiteRt = await factory({ print: () => {}, printErr: () => {} });
  engine.setupLogging?.();
  const environment = engine.LiteRtEnvironment.create(null);
  const loaded = engine.loadModel(environment, copyIn(engine, model), model.length);
  const compiled = await engine.compileModel(environment, loaded, {
    environment: { liteRtEnvironment: environment },
    accelerator: "wasm",
    cpuOptions: { numThreads: threads },
    gpuOptions: {},
    webNNOptions: {},
  });
  const signature = loaded.getSignature(0);
  const { READ, WRITE } = engine.LiteRtTensorBufferLockMode;
  const inputs = listOf(signature.inputNames()).map((_, i) => {
    const type = loaded.getInputTensorType(0, i);
    return engine.LiteRtTensorBuffer.createManaged(
      environment,
      engine.LiteRtTensorBufferType.HOST_MEMORY,
      type,
      type.bytes(),
    );
  });
  let outputs: readonly LiteRtBuffer[] = [];
  const take = (next: readonly LiteRtBuffer[]) => {
    outputs = next;
  };
  return {
    setInput(i, bytes) {
      const buffer = inputs[i] as LiteRtBuffer;
      engine.HEAPU8.set(bytes, buffer.lock(WRITE));
      buffer.unlock();
    },
    run() {
      for (const buffer of outputs) buffer.delete();
      const result = compiled.run(0, inputs);
      return result instanceof Promise ? result.then(take) : take(result);
    },
    output(i) {
      const buffer = outputs[i] as LiteRtBuffer;
      const address = buffer.lock(READ);
      const bytes = engine.HEAPU8.slice(address, address + loaded.getOutputTensorType(0, i).bytes());
      buffer.unlock();
      return bytes;
    },
  };
}

interface TfliteTensor {
  data(): ArrayBufferView;
}
interface Tflite extends Heap {
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(
      address: number,
      bytes: number,
      options: object,
    ): {
      ok(): boolean;
      errorMessage(): string;
      value(): { GetInputs(): Vector<TfliteTensor>; GetOutputs(): Vector<TfliteTensor>; Infer(): boolean };
    };
  };
}

/** Its glue is a browser script: evaluated as one, and given the wasm so that it fetches nothing. */
async function loadTflite(folder: string, model: Uint8Array): Promise<Peer> {
  const base = join(folder, "node_modules/@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd");
  const script = `(() => { ${readFileSync(`${base}.js`, "utf8")}; return tflite_web_api_ModuleFactory; })()`;
  const factory = runInThisContext(script, { filename: `${base}.js` }) as (options: object) => Promise<Tflite>;
  const engine = await factory({
    wasmBinary: readFileSync(`${base}.wasm`),
    locateFile: () => `${base}.wasm`,
    print: () => {},
    printErr: () => {},
  });
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 0 };
  const created = engine.TFLiteWebModelRunner.CreateFromBufferAndOptions(copyIn(engine, model), model.length, options);
  if (!created.ok()) throw new Error(`tfjs-tflite: ${created.errorMessage()}`);
  const runner = created.value();
  const inputs = listOf(runner.GetInputs());
  const outputs = listOf(runner.GetOutputs());
  const bytesOf = (tensor: TfliteTensor | undefined) => {
    const { buffer, byteOffset, byteLength } = (tensor as TfliteTensor).data();
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  return {
    setInput: (i, bytes) => bytesOf(inputs[i]).set(bytes),
    run() {
      if (!runner.Infer()) throw new Error("tfjs-tflite: inference failed");
    },
    output: (i) => bytesOf(outputs[i]).slice(),
  };
}
