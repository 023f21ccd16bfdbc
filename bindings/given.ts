/** What is refused by what it is, never computed on: what programs hand over in place of a graph, bytes or examples, and options that would do nothing. */
import { ensure, kindOf, Pint8Error } from "./errors.ts";
import type { Graph } from "./graph.ts";

/** Refuses what is no graph. Errors: INVALID_INPUT. */
export function requireGraph(where: string, graph: unknown): asserts graph is Graph {
  const parts = Object(graph) as Readonly<Record<string, unknown>>;
  ensure(
    ["tensors", "nodes", "inputs", "outputs"].every((name) => Array.isArray(parts[name])),
    "INVALID_INPUT",
    () => ({
      where,
      expected: "a graph, as importModel gives it",
      received: kindOf(graph),
      hint: "importModel(bytes) makes a graph of a .tflite or .onnx file.",
    }),
  );
}

/** Refuses what is no bytes. Errors: INVALID_INPUT. */
export function requireBytes(where: unknown, bytes: unknown): asserts bytes is Uint8Array {
  ensure(bytes instanceof Uint8Array, "INVALID_INPUT", () => ({
    where: typeof where === "string" ? where : "file",
    expected: "the bytes of a file as a Uint8Array",
    received: kindOf(bytes),
    hint: "new Uint8Array(await response.arrayBuffer()), or what readFile gives.",
  }));
}

/** Refuses what is no text. Errors: INVALID_INPUT. */
export function requireText(where: unknown, text: unknown): asserts text is string {
  ensure(typeof text === "string", "INVALID_INPUT", () => ({
    where: typeof where === "string" ? where : "file",
    expected: "a text",
    received: kindOf(text),
    hint: "new TextDecoder().decode(bytes) makes a text of a file's bytes.",
  }));
}

/** Refuses what is no array, said in words as `expected`, or one whose entries lack a part. Errors: INVALID_INPUT. */
export function requireList(
  where: string,
  list: unknown,
  expected: string,
  part?: string,
): asserts list is readonly unknown[] {
  const isList = Array.isArray(list);
  const lacks = isList && part !== undefined && [...list].some((each) => Object(each)[part] === undefined);
  ensure(isList && !lacks, "INVALID_INPUT", () => ({
    where,
    expected,
    received: lacks ? `one without ${part}` : kindOf(list),
    hint: "Pass an array of them, also where it is one.",
  }));
}

/** Refuses an option `signal` that cannot end work. Errors: INVALID_OPTION. */
export function requireSignal(where: string, { signal }: { readonly signal?: unknown }): void {
  ensure(signal === undefined || "throwIfAborted" in Object(signal), "INVALID_OPTION", () => ({
    where: `${where}, signal`,
    expected: "the signal of an AbortController",
    received: kindOf(signal),
  }));
}

/** Refuses what cannot be gone through as examples. Errors: INVALID_INPUT. */
export function requireExamples(where: string, data: unknown): asserts data is AsyncIterable<unknown> {
  const { [Symbol.asyncIterator]: iterator } = Object(data) as { readonly [Symbol.asyncIterator]?: unknown };
  ensure(typeof iterator === "function", "INVALID_INPUT", () => ({
    where: `${where}, data`,
    expected: "an async iterable of examples { inputs, label? }",
    received: kindOf(data),
    hint: "datasetOf(list) makes one of an array; arrayDataset and filesDataset of arrays and files.",
  }));
}

/** Refuses options that would do nothing: `instead` has what is expected by their names. Objects without names are none. Errors: INVALID_OPTION. */
export function refuseOptions(options: object, instead: { readonly [option: string]: string }, hint: string): void {
  const given = options as { readonly [option: string]: unknown };
  for (const [name, expected] of Object.entries(instead)) {
    const value = given[name];
    const names = typeof value === "object" && value !== null ? Object.keys(value) : [value];
    const received = names.map(String).join(", ");
    if (value !== undefined && names.length > 0)
      throw new Pint8Error("INVALID_OPTION", { where: name, expected, received, hint });
  }
}

/** Refuses options that say of a model what a plan, made for a module, has settled. Errors: INVALID_OPTION. */
export function refuseOfPlan(made: string, options: object): void {
  const { module = "auto" } = options as { readonly module?: string };
  const own = "none: the plan has its own";
  const settled = {
    batch: own,
    shapes: own,
    signature: own,
    memory: own,
    constants: own,
    externalData: own,
  };
  const other = module !== "auto" && module !== made && { module: `${made}, which the plan was made for` };
  refuseOptions(options, { ...settled, ...other }, "Take the model itself, or make another plan from it.");
}
