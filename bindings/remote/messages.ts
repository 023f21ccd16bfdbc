/** What a page and its worker say to each other. */
import { type ErrorCode, Pint8Error, textOf } from "../errors.ts";
import type { LoadOptions } from "../load.ts";
import type { Session } from "../session/session.ts";
import type { TypedArray } from "../tensor.ts";

/** Options as they can be cloned: functions stay behind. */
export interface RemoteOptions {
  readonly options: Omit<LoadOptions, "onWarning" | "onProgress" | "signal" | "wasmUrl">;
  /** Where the wasm files are, by name, where the page says so. */
  readonly files?: { readonly [file: string]: string };
}

/** What the worker is asked. */
export type Request =
  | ({ readonly call: "load"; readonly bytes: Uint8Array } & RemoteOptions)
  | { readonly call: "run"; readonly inputs: unknown }
  | { readonly call: "profile"; readonly inputs: unknown }
  | { readonly call: "reset" };

/** What is known of a model once it is loaded. */
export type Loaded = Pick<Session, "inputs" | "outputs" | "module" | "steps" | "memoryBytes" | "threads">;

/** An error as it can be cloned. */
interface Refusal {
  readonly message: string;
  readonly detail?: Pick<Pint8Error, "code" | "where" | "expected" | "received" | "hint">;
}

/** What the worker answers, in the order of the questions, and what it says without being asked. */
export type Reply =
  | { readonly kind: "answer"; readonly value: unknown; readonly threads: number }
  | { readonly kind: "refusal"; readonly refusal: Refusal }
  | { readonly kind: "warning"; readonly message: string };

export type Values = Readonly<Record<string, TypedArray>>;

export function refusalOf(cause: unknown): Refusal {
  const message = textOf(cause);
  if (!(cause instanceof Pint8Error)) return { message };
  const { code, where, expected, received, hint } = cause;
  return { message, detail: { code, where, expected, received, hint } };
}

export function errorOf({ message, detail }: Refusal): Error {
  return detail === undefined ? new Error(message) : new Pint8Error(detail.code as ErrorCode, detail);
}
