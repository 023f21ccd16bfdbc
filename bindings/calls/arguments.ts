/** What JavaScript passes and TypeScript forbids, refused by name with what is possible: never computed on. */
import { ensure, kindOf } from "../errors.ts";
import type { Activation, Padding } from "../graph.ts";

const ACTIVATIONS: { readonly [A in Activation]: true } = { none: true, relu: true, relu6: true, reluN1To1: true };
const SIDES = ["top", "bottom", "left", "right"] as const;
/** Beyond any picture; sums of it stay whole numbers of 32 bits. */
const MOST_PADDING = 65535;

export function requireActivation(where: string, activation: unknown): asserts activation is Activation {
  const known = typeof activation === "string" && Object.hasOwn(ACTIVATIONS, activation);
  require(known, where, "activation", Object.keys(ACTIVATIONS).join(", "), activation);
}

/** Two whole numbers from 1: vertical and horizontal. */
/** An object with these parts. */
export function requireParts(where: string, value: unknown, parts: readonly string[]): void {
  const given = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const missing = parts.filter((name) => given[name] === undefined);
  ensure(missing.length === 0, "INVALID_INPUT", () => ({
    where,
    expected: `an object { ${parts.join(", ")} }`,
    received: given === value ? `one without ${missing.join(", ")}` : textOf(value),
    hint: "The declarations of pint8/kernels say what each part is, with an example.",
  }));
}

/** `{ scale, zeroPoint }`, or a tensor, which has both. */
export function requireAffine(where: string, value: unknown): void {
  requireParts(where, value, ["scale", "zeroPoint"]);
}

export function requirePair(where: string, name: string, pair: unknown): asserts pair is readonly [number, number] {
  const fits = Array.isArray(pair) && pair.length === 2 && pair.every((size) => Number.isInteger(size) && size >= 1);
  require(fits, where, name, "[vertical, horizontal], two whole numbers from 1", pair);
}

export function requirePadding(where: string, padding: unknown): asserts padding is Padding {
  const sides = padding as { readonly [side: string]: unknown } | null;
  const isSize = (size: unknown) => Number.isInteger(size) && (size as number) >= 0 && (size as number) <= MOST_PADDING;
  const named =
    typeof sides === "object" &&
    sides !== null &&
    Object.keys(sides).length === SIDES.length &&
    SIDES.every((side) => isSize(sides[side]));
  const expected = `"same", "valid" or { top, bottom, left, right } of whole numbers from 0 to ${MOST_PADDING}`;
  require(padding === "same" || padding === "valid" || named, where, "padding", expected, padding);
}

/** A number, or an array of numbers (not a typed array of another precision). */
export function requireNumbers(
  where: string,
  name: string,
  value: unknown,
): asserts value is number | readonly number[] {
  const fits = typeof value === "number" || (Array.isArray(value) && value.every((each) => typeof each === "number"));
  require(fits, where, name, "a number or an array of numbers", value);
}

export function requireInt32(where: string, name: string, value: unknown): asserts value is Int32Array | undefined {
  require(value === undefined || value instanceof Int32Array, where, name, "an Int32Array", value);
}

function require(condition: boolean, where: string, name: string, expected: string, received: unknown): void {
  ensure(condition, "INVALID_INPUT", () => ({ where: `${where}, ${name}`, expected, received: textOf(received) }));
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(kindOf)}]` : kindOf(value);
}
