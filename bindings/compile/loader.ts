import type { Plan, PlanPort } from "../plan/types.ts";
import { elements, jsClass, literal, portLiteral } from "./ports.ts";

/** Where an engine without an exact dot product leaves `invoke`. */
const INVOKE: { readonly [module: string]: string } = {
  relaxed: `let status;
      try {
        status = exports.invoke();
      } catch (cause) {
        throw new Error("The relaxed dot product of this engine is not exact; compile for simd.", { cause });
      }`,
};

/** OUT.js: an ES module without dependencies that runs OUT.wasm, typed by OUT.d.ts. */
export function loaderText({ module, inputs, outputs }: Plan, name: string): string {
  return `// Runs ${file(name)}, which pint8 compiled. Nothing is imported; files are read only where load() is given none.

/** What run() takes, in input order. */
export const inputs = Object.freeze([${list(inputs)}]);
/** What run() returns. */
export const outputs = Object.freeze([${list(outputs)}]);

const VIEWS = {
  inputs: [${views(inputs)}],
  outputs: [${views(outputs)}],
};

/** The model of a compiled WebAssembly.Module: for workers, which import it statically. */
export function instantiate(module) {
  return modelOf(new WebAssembly.Instance(module));
}

function modelOf({ exports }) {
  const bind = (views, pointer) => views.map(([View, length], i) => new View(exports.memory.buffer, pointer(i), length));
  const sources = bind(VIEWS.inputs, exports.input_ptr);
  const results = bind(VIEWS.outputs, exports.output_ptr);
  return Object.freeze({
    inputs,
    outputs,
    memory: exports.memory,
    /** One inference: inputs by name or in order; returns copies of the outputs by name. */
    run(values) {
      for (let i = 0; i < sources.length; i++) {
        const value = Array.isArray(values) ? values[i] : values[inputs[i].name];
        const [View, length] = VIEWS.inputs[i];
        if (!(value instanceof View) || value.length !== length)
          throw new TypeError(\`input "\${inputs[i].name}": expected \${View.name} of \${length} elements\`);
        sources[i].set(value);
      }
      ${INVOKE[module] ?? "const status = exports.invoke();"}
      if (status !== 0) throw new RangeError("The inputs ask for more than there is room for.");
      return Object.fromEntries(outputs.map(({ name }, i) => [name, results[i].slice()]));
    },
    /** Brings state that lives from run to run back to its start. */
    reset() {
      exports.reset();
    },
  });
}

/** The model from a module, its bytes, a response or a URL; without any, the file beside this one. */
export async function load(source = new URL(${literal(`./${encodeURIComponent(name)}.wasm`)}, import.meta.url)) {
  if (source instanceof WebAssembly.Module) return modelOf(await WebAssembly.instantiate(source));
  if (typeof source === "string" || source instanceof URL) return load(await read(new URL(source, import.meta.url)));
  const bytes = typeof Response !== "undefined" && source instanceof Response ? await source.arrayBuffer() : source;
  return modelOf((await WebAssembly.instantiate(bytes)).instance);
}

async function read(url) {
  if (url.protocol === "file:" && globalThis.process?.versions?.node) {
    const files = "node:fs/promises"; // a variable, so that bundlers leave it alone
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ files)).readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${url}: HTTP status \${response.status}\`);
  return response;
}
`;
}

/** A file name that can stand in a comment. */
const file = (name: string) => literal(`${name}.wasm`).slice(1, -1);

const list = (ports: readonly PlanPort[]) =>
  ports
    .map((port) => `\n  Object.freeze(${portLiteral(port, (text) => `Object.freeze(${text})`)}),`)
    .concat(ports.length > 0 ? "\n" : "")
    .join("");

const views = (ports: readonly PlanPort[]) => ports.map((port) => `[${jsClass(port)}, ${elements(port)}]`).join(", ");

/** OUT.d.ts: literal names, shapes, types and quantization. */
export function declarationText({ inputs, outputs }: Plan, name: string): string {
  return `// Types of the loader of ${file(name)}, which pint8 compiled.

/** What run() takes, in input order; \`real = scale · (q − zeroPoint)\`. */
export declare const inputs: readonly [${types(inputs)}];
/** What run() returns. */
export declare const outputs: readonly [${types(outputs)}];

// WebAssembly's own, where the libraries of a program's types declare it: Node's do not.
type Wasm = typeof globalThis extends { WebAssembly: infer T } ? T : object;
type Module = Wasm extends { Module: { prototype: infer T } } ? T : object;
type Memory = Wasm extends { Memory: { prototype: infer T } } ? T : { readonly buffer: ArrayBuffer };

export interface Inputs {${fields(inputs)}}
export interface Outputs {${fields(outputs)}}

export interface Model {
  readonly inputs: typeof inputs;
  readonly outputs: typeof outputs;
  readonly memory: Memory;
  /** One inference: inputs by name or in order, each with exactly the elements of its shape; returns copies. */
  run(values: Inputs | readonly [${inputs.map(jsClass).join(", ")}]): Outputs;
  /** Brings state that lives from run to run back to its start. */
  reset(): void;
}

/** The model of a compiled module: for workers, which import it statically. */
export declare function instantiate(module: Module): Model;
/** The model from a module, its bytes, a response or a URL; without any, the file beside this one. */
export declare function load(
  source?: Module | ArrayBuffer | Uint8Array | Response | URL | string,
): Promise<Model>;
`;
}

const types = (ports: readonly PlanPort[]) =>
  ports
    .map(
      (port) => `\n  ${portLiteral(port, (text) => `readonly ${text}`).replace(/([{,]) (\w+):/g, "$1 readonly $2:")},`,
    )
    .concat(ports.length > 0 ? "\n" : "")
    .join("");

const fields = (ports: readonly PlanPort[]) =>
  ports
    .map((port) => `\n  readonly ${literal(port.name)}: ${jsClass(port)};`)
    .concat(ports.length > 0 ? "\n" : "")
    .join("");
