import { ensure, kindOf, Pint8Error } from "../errors.ts";
import type { PlanPort } from "../plan/types.ts";
import { type TypedArray, typedView } from "../tensor.ts";
import { quantizeInto, takesReals } from "../values/quantize.ts";
import type { Inputs, TensorInfo } from "../values/types.ts";

/** A port with the view of its memory. */
export interface BoundPort {
  readonly info: TensorInfo;
  readonly view: TypedArray;
  /** The class that a caller's array must have, as `Symbol.toStringTag` says it. */
  readonly type: string;
  /** One number: the elements of `view` that the last run made, where only the run can tell. */
  readonly length?: Uint32Array;
}

/** Views once, when the memory is made; it never grows, so they stay valid. */
export function bindPort(
  { name, dtype, shape, scale, zeroPoint, address, bytes, lengthAddress }: PlanPort,
  memory: ArrayBufferLike,
): BoundPort {
  const view = typedView(dtype, memory, address, bytes);
  const info = Object.freeze({ name, dtype, shape: Object.freeze([...shape]), scale, zeroPoint });
  const length = lengthAddress === undefined ? {} : { length: new Uint32Array(memory, lengthAddress, 1) };
  return { info, view, type: view[Symbol.toStringTag], ...length };
}

/** What a run has left in an output: all of it, or as much as the run says. */
export const outputValue = ({ view, length }: BoundPort): TypedArray =>
  length === undefined ? view : view.subarray(0, length[0]);

/** Views of all outputs by name; undefined where only a run can tell how long one is. */
export function viewsOf(ports: readonly BoundPort[]): Readonly<Record<string, TypedArray>> | undefined {
  if (ports.some(({ length }) => length !== undefined)) return undefined;
  return Object.freeze(Object.fromEntries(ports.map(({ info, view }) => [info.name, view])));
}

/** A copy of a view. */
export function copyOf(view: TypedArray): TypedArray {
  if (view.length > FEW) return view.slice();
  const copy = new (view.constructor as Int8ArrayConstructor)(view.length);
  for (let i = 0; i < copy.length; i++) copy[i] = view[i] as number;
  return copy as unknown as TypedArray;
}

/** Copies a caller's inputs in, after checking names, classes and lengths. */
export function setInputs(ports: readonly BoundPort[], inputs: Inputs): void {
  if (typeof inputs !== "object" || inputs === null || ArrayBuffer.isView(inputs))
    throw wrongInputs(`an object of typed arrays named ${namesOf(ports)}, or an array of them`, describe(inputs));
  if (Array.isArray(inputs)) {
    if (inputs.length !== ports.length)
      throw wrongInputs(`${ports.length} arrays: ${namesOf(ports)}`, `${inputs.length}`);
    if (ports.length === 1) return setOne(ports[0] as BoundPort, inputs[0]);
    return setAll(ports, Array.from(inputs));
  }
  const named = inputs as { readonly [name: string]: unknown };
  for (const name in named) {
    let known = false;
    for (const { info } of ports) known ||= info.name === name;
    if (!known) throw wrongInputs(`the names ${namesOf(ports)}`, `"${name}"`);
  }
  if (ports.length === 1) {
    const [port] = ports as [BoundPort];
    return setOne(port, Object.hasOwn(named, port.info.name) ? named[port.info.name] : undefined);
  }
  setAll(
    ports,
    ports.map(({ info }) => (Object.hasOwn(named, info.name) ? named[info.name] : undefined)),
  );
}

const wrongInputs = (expected: string, received: string) =>
  new Pint8Error("INVALID_INPUT", { where: "inputs", expected, received, hint: "As in run([values])." });

function setOne(port: BoundPort, value: unknown): void {
  check(port, value);
  write(port, value);
}

/** All values are at hand, and fit, before the first is written: a getter that runs the same model changes nothing. */
function setAll(ports: readonly BoundPort[], values: readonly unknown[]): void {
  for (let i = 0; i < ports.length; i++) check(ports[i] as BoundPort, values[i]);
  for (let i = 0; i < ports.length; i++) write(ports[i] as BoundPort, values[i]);
}

const ARRAYS = Object.getPrototypeOf(Int8Array.prototype);
const LENGTH = Object.getOwnPropertyDescriptor(ARRAYS, "length")?.get;
const TAG = Object.getOwnPropertyDescriptor(ARRAYS, Symbol.toStringTag)?.get;
/** What an array is and how long, whatever properties of these names it was given; undefined for others. */
const tagOf = (value: unknown): string | undefined => TAG?.call(value);
const lengthOf = (value: unknown): number =>
  tagOf(value) === undefined ? ((value as { length?: number })?.length ?? -1) : (LENGTH?.call(value) ?? -1);

/** An error where a value does not fit its port. */
function check({ info, view, type }: BoundPort, value: unknown): void {
  if (value === view) return;
  const tag = tagOf(value);
  if (tag === type && LENGTH?.call(value) === view.length) return;
  const fits = tag !== type && takesReals(info) && isReals(value) && lengthOf(value) === view.length;
  ensure(fits, "INVALID_INPUT", () => ({
    where: `input "${info.name}"`,
    expected: `${type} of ${view.length} elements ([${info.shape}] ${info.dtype})${takesReals(info) && type !== "Float32Array" ? ", or as many real numbers in a Float32Array or list" : ""}`,
    received: describe(value),
    hint: "See imageInput for pixels, flat(Infinity) for nested lists.",
  }));
}

/** Elements up to which a loop is faster than the engine's own copy. */
const FEW = 24;

/** Writes a value that fits. */
function write({ info, view, type }: BoundPort, value: unknown): void {
  if (value === view) return;
  // The class has been compared; TypeScript cannot see which of the pairs it is.
  if (tagOf(value) !== type) quantizeInto(view, info, value as ArrayLike<number>);
  else if (view.length > FEW) (view as Uint8Array).set(value as Uint8Array);
  else for (let i = 0; i < view.length; i++) view[i] = (value as Uint8Array)[i] as number;
}

/** Real numbers: an array of them, or a Float32Array. */
function isReals(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return tagOf(value) === "Float32Array";
  return Array.isArray(value) && value.every((entry) => typeof entry === "number");
}

function namesOf(ports: readonly BoundPort[]): string {
  return ports.map(({ info }) => `"${info.name}"`).join(", ") || "no inputs";
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const { length } = Object(value) as { readonly length?: unknown };
  return typeof value === "object" && typeof length === "number"
    ? `${kindOf(value)} of ${length} elements`
    : kindOf(value);
}
