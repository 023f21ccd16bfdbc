/**
 * Options tables as data: where each attribute stands and as what, so that one description serves reading and writing.
 * Nothing here writes: who only runs models carries the reader alone.
 */
import { ensure, Pint8Error } from "../../errors.ts";
import type { Activation } from "../../graph.ts";
import {
  type FlatTable,
  readBool,
  readFloat32,
  readFloat32s,
  readInt8,
  readInt32,
  readInt32s,
  readInt64s,
  readString,
} from "./flatbuffer.ts";

/** The options table of an operator; absent fields, or an absent table, have the schema's defaults. */
export interface Options {
  readonly table: FlatTable | undefined;
  readonly where: string;
}

/** One field of an options table by its number, or what has none and is always the same. */
export type OptionField =
  | { readonly as: "int"; readonly at: number; readonly absent: number }
  | { readonly as: "ints"; readonly at: number; readonly absent: readonly number[] | undefined }
  | { readonly as: "reals" | "longs"; readonly at: number }
  | { readonly as: "real" | "byte" | "padding" | "activation"; readonly at: number }
  | { readonly as: "flag"; readonly at: number; readonly absent: boolean }
  /** A byte that stands for a word; the first of them where it is none. */
  | { readonly as: "choice"; readonly at: number; readonly words: readonly (readonly [number, string])[] }
  /** Two strings with a slash between. */
  | { readonly as: "key"; readonly at: number }
  | { readonly as: "fixed"; readonly value: unknown };

/** The fields of an operator's attributes, by attribute; several make a list. */
export type OptionFields = { readonly [attribute: string]: OptionField | readonly OptionField[] };

export const int = (at: number, absent = 0): OptionField => ({ as: "int", at, absent });
export const ints = (at: number, absent?: readonly number[]): OptionField => ({ as: "ints", at, absent });
export const reals = (at: number): OptionField => ({ as: "reals", at });
export const longs = (at: number): OptionField => ({ as: "longs", at });
export const real = (at: number): OptionField => ({ as: "real", at });
export const byte = (at: number): OptionField => ({ as: "byte", at });
export const padding = (at: number): OptionField => ({ as: "padding", at });
export const activation = (at: number): OptionField => ({ as: "activation", at });
export const flag = (at: number, absent = false): OptionField => ({ as: "flag", at, absent });
export const choice = (at: number, ...words: readonly (readonly [number, string])[]): OptionField => ({
  as: "choice",
  at,
  words,
});
export const key = (at: number): OptionField => ({ as: "key", at });
export const fixed = (value: unknown): OptionField => ({ as: "fixed", value });

/** The attributes that a table holds. */
export function readFields(fields: OptionFields, options: Options): Readonly<Record<string, unknown>> {
  const attributes: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Array.isArray(field)
      ? field.map((each: OptionField) => readField(each, options))
      : readField(field as OptionField, options);
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function readField(field: OptionField, options: Options): unknown {
  const { table } = options;
  switch (field.as) {
    case "int":
      return table ? readInt32(table, field.at, field.absent) : field.absent;
    case "ints":
      return (table && readInt32s(table, field.at)) ?? field.absent;
    case "reals":
      return (table && readFloat32s(table, field.at)) ?? [];
    case "longs":
      return (table && readInt64s(table, field.at)) ?? [];
    case "real":
      return finite(options, field.at);
    case "byte":
      return table ? readInt8(table, field.at, 0) : 0;
    case "flag":
      return table && field.absent
        ? readInt8(table, field.at, 1) !== 0
        : table
          ? readBool(table, field.at)
          : field.absent;
    case "padding":
      return paddingOf(options, field.at);
    case "activation":
      return activationOf(options, field.at);
    case "choice": {
      const value = table ? readInt8(table, field.at, 0) : 0;
      return (field.words.find(([number]) => number === value) ?? field.words[0])?.[1];
    }
    case "key":
      return [field.at, field.at + 1].map((at) => (table ? readString(table, at) : "")).join("/");
    case "fixed":
      return field.value;
  }
}

function finite({ table, where }: Options, at: number): number {
  const value = table ? readFloat32(table, at, 0) : 0;
  ensure(Number.isFinite(value), "INVALID_MODEL", () => ({
    where,
    expected: "finite numbers in its options",
    received: `${value}`,
  }));
  return value;
}

/** Paddings by number. */
export const PADDINGS = ["same", "valid"] as const;

function paddingOf({ table, where }: Options, at: number): "same" | "valid" {
  const value = table ? readInt8(table, at, 0) : 0;
  const known = PADDINGS[value];
  if (known !== undefined) return known;
  throw new Pint8Error("INVALID_MODEL", {
    where,
    expected: "padding 0 (SAME) or 1 (VALID)",
    received: `padding ${value}`,
  });
}

/** ActivationFunctionType by number; TANH and SIGN_BIT have never been fused by a converter. */
export const ACTIVATIONS: readonly (Activation | undefined)[] = ["none", "relu", "reluN1To1", "relu6"];

function activationOf({ table, where }: Options, at: number): Activation {
  const value = table ? readInt8(table, at, 0) : 0;
  const known = ACTIVATIONS[value];
  if (known !== undefined) return known;
  const reserved = value === 4 || value === 5;
  throw new Pint8Error(reserved ? "UNSUPPORTED" : "INVALID_MODEL", {
    where,
    expected: "activation NONE, RELU, RELU_N1_TO_1 or RELU6",
    received: reserved ? (value === 4 ? "TANH" : "SIGN_BIT") : `activation ${value}`,
  });
}
