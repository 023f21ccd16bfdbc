/** Runs a case of the corpora and judges its outputs: right, wrong, or refused by an error that says why. */
import { createHash } from "node:crypto";
import { Pint8Error } from "../../bindings/errors.ts";
import type { Session } from "../../bindings/session/session.ts";
import { byteLength, type DType, type TypedArray, typedCopy } from "../../bindings/tensor.ts";
import type { CorpusCase, Golden, Invoke } from "./cases.ts";

export type Verdict = "right" | "wrong" | "refused" | "crashed";

export interface Judgement {
  readonly verdict: Verdict;
  /** Why not right. */
  readonly reason: string;
  /** Of integers and floats alike, for comparing modules. */
  readonly bytes: readonly Uint8Array[];
}

/** What `loadModel` is told for a case. */
export function optionsOf({ inputs, signature }: CorpusCase): {
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly signature?: string;
} {
  const open = inputs.filter(({ declared, shape }) => declared?.some((size, i) => size !== shape[i]));
  return {
    ...(open.length > 0 ? { shapes: Object.fromEntries(open.map(({ name, shape }) => [name, shape])) } : {}),
    ...(signature === undefined ? {} : { signature }),
  };
}

/** Options of a load beside those of a case. */
type Load = (bytes: Uint8Array, options: ReturnType<typeof optionsOf> & { constants?: Constants }) => Promise<Session>;
type Constants = Readonly<Record<string, TypedArray>>;

/**
 * Loads and runs a case by what `load` does with its model. A test of a single operator may have axes, shapes and weights as
 * inputs: where it is refused for that, their values are told as constants, of small ones first.
 */
export async function judge(each: CorpusCase, load: Load): Promise<Judgement> {
  const judged = await judgeWith(each, load, {});
  if (each.corpus !== "onnx_node" || judged.verdict !== "refused") return judged;
  for (const constants of constantsOf(each)) {
    const again = await judgeWith(each, load, constants);
    if (again.verdict !== "refused") return again;
  }
  return judged;
}

/** Inputs as constants: those of one dimension at most, then all but the first. */
function constantsOf({ inputs, sets }: CorpusCase): readonly Constants[] {
  const values = attempt(() => sets()[0]?.[0]?.inputs) ?? [];
  const told = (i: number) => typedCopy(inputs[i]?.dtype ?? "int8", values[i] ?? new Uint8Array(0));
  if (inputs.some(({ shape, dtype }, i) => byteLength({ dtype, shape }) !== values[i]?.length)) return [];
  const list = (wanted: (i: number) => boolean) =>
    Object.fromEntries(inputs.flatMap(({ name }, i) => (wanted(i) ? [[name, told(i)]] : [])));
  const choices = [list((i) => i > 0 && (inputs[i]?.shape.length ?? 0) <= 1), list((i) => i > 0), list(() => true)];
  return choices.filter((constants) => Object.keys(constants).length > 0);
}

async function judgeWith(each: CorpusCase, load: Load, constants: Constants): Promise<Judgement> {
  const bytes: Uint8Array[] = [];
  let session: Session | undefined;
  try {
    const isConstant = Object.keys(constants).length > 0;
    session = await load(each.model(), { ...optionsOf(each), ...(isConstant ? { constants } : {}) });
    for (const [i, set] of each.sets().entries()) {
      session.reset();
      for (const [j, invoke] of set.entries()) {
        const left = invoke.inputs.filter((_, i) => !Object.hasOwn(constants, each.inputs[i]?.name ?? ""));
        const outputs = runOnce(session, { inputs: left });
        bytes.push(...outputs);
        const reason = differenceOf(each, invoke, outputs);
        if (reason !== "") return { verdict: "wrong", reason: `set ${i}, invoke ${j}: ${reason}`, bytes };
      }
    }
    return { verdict: "right", reason: "", bytes };
  } catch (error) {
    const refused = error instanceof Pint8Error && !/^run\b/.test(error.message);
    return { verdict: refused ? "refused" : "crashed", reason: reasonOf(error), bytes };
  } finally {
    session?.close();
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Pint8Error) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** One inference on raw bytes; each output's bytes. */
function runOnce(session: Session, { inputs }: Pick<Invoke, "inputs">): readonly Uint8Array[] {
  const values = session.inputs.map(({ dtype }, i) => typedCopy(dtype, inputs[i] ?? new Uint8Array(0)));
  const outputs = session.run(values as TypedArray[]) as Readonly<Record<string, TypedArray>>;
  return session.outputs.map(({ name }) => {
    const array = outputs[name] as TypedArray;
    return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  });
}

/** What is wrong against every reference; nothing where one holds, or none is known. */
function differenceOf(each: CorpusCase, invoke: Invoke, outputs: readonly Uint8Array[]): string {
  const reasons = invoke.references.map((goldens) => {
    if (goldens.length !== outputs.length) return `${outputs.length} outputs, not ${goldens.length}`;
    for (const [i, golden] of goldens.entries()) {
      const dtype = each.outputs[i]?.dtype ?? "int8";
      const reason = compare(dtype, outputs[i] as Uint8Array, golden, each.tolerance);
      if (reason !== "") return `output ${i}: ${reason}`;
    }
    return "";
  });
  return reasons.includes("") ? "" : (reasons[0] ?? "");
}

function compare(dtype: DType, actual: Uint8Array, golden: Golden, tolerance: number): string {
  if (actual.length !== golden.bytes) return `${actual.length} bytes, not ${golden.bytes}`;
  const { data, sample, sha256 } = golden;
  const isFloat = dtype.startsWith("float") || dtype === "complex64";
  if (data !== undefined)
    return isFloat ? compareFloats(dtype, actual, data, tolerance) : compareBytes(dtype, actual, data);
  if (isFloat && sample !== undefined) {
    const values = typedCopy(dtype, actual) as Float32Array;
    const own = sample.values.map((_, i) => values[i * sample.every] as number);
    return compareValues(own, sample.values, tolerance * sample.max);
  }
  const digest = createHash("sha256").update(actual).digest("hex");
  return sha256 === undefined || digest === sha256 ? "" : `another SHA-256 than the reference's`;
}

function compareBytes(dtype: DType, actual: Uint8Array, expected: Uint8Array): string {
  if (Buffer.compare(actual, expected) === 0) return "";
  const a = typedCopy(dtype, actual);
  const e = typedCopy(dtype, expected);
  const wrong = [...a.keys()].filter((i) => a[i] !== e[i]);
  const [at = 0] = wrong;
  const largest = wrong.reduce((most, i) => Math.max(most, Math.abs(Number(a[i]) - Number(e[i]))), 0);
  return `${wrong.length} of ${a.length} differ by up to ${largest}, element ${at} is ${a[at]} and not ${e[at]}`;
}

function compareFloats(dtype: DType, actual: Uint8Array, expected: Uint8Array, tolerance: number): string {
  const view = (bytes: Uint8Array): ArrayLike<number> =>
    dtype === "float64"
      ? new Float64Array(bytes.slice().buffer)
      : dtype === "float16"
        ? Float32Array.from(new Uint16Array(bytes.slice().buffer), halfValue)
        : new Float32Array(bytes.slice().buffer);
  const e = view(expected);
  let most = 0;
  for (let i = 0; i < e.length; i++) if (Number.isFinite(e[i])) most = Math.max(most, Math.abs(e[i] as number));
  return compareValues(view(actual), e, tolerance * most);
}

function compareValues(a: ArrayLike<number>, e: ArrayLike<number>, within: number): string {
  let wrong = 0;
  let first = "";
  for (let i = 0; i < e.length; i++) {
    const [x, y] = [a[i] as number, e[i] as number];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= within) continue;
    if (wrong++ === 0) first = `element ${i} is ${x} and not ${y}`;
  }
  return wrong === 0 ? "" : `${wrong} of ${e.length} beyond ${within.toExponential(1)}, ${first}`;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** What `make` gives, or nothing where it throws. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
