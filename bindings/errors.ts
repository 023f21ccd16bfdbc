/** Every way in which pint8 can refuse, as a closed set. */
export type ErrorCode =
  | "INVALID_MODEL" // model bytes that are not a well-formed .tflite or .onnx file
  | "INVALID_GRAPH" // a well-formed file whose graph breaks an operator's constraints
  | "UNSUPPORTED" // a valid model that uses an operator, a type or a size pint8 does not run
  | "INVALID_INPUT" // run() was given the wrong names, types or lengths
  | "INVALID_OPTION" // an option or a command line argument out of its range
  | "INVALID_PLAN" // plan bytes that are damaged or made for other kernels
  | "MODULE_UNAVAILABLE" // this engine cannot run the requested kernels correctly
  | "OUT_OF_MEMORY" // the model needs more memory than WebAssembly can address or the engine grants
  | "CLOSED" // the model was closed
  | "IO" // a file or URL that cannot be read or written
  | "WORKER" // a thread failed
  | "TRAP"; // WebAssembly ended a run: a loop without end, a plan that others made, or a mistake of pint8's

/** What an error says besides its code. */
export interface ErrorDetail {
  /** Where in the model, file or call, for example `node 3 (CONV_2D)`. */
  readonly where: string;
  /** What would have been right. */
  readonly expected: string;
  /** What was there. */
  readonly received: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Letters of a message and of a hint, at most. */
const LONGEST = 400;
/** Letters of one part of a message, at least, before it is cut for the others' sake. */
const LEAST = 80;

/**
 * Control characters and those of one more class, repeated. Not a literal: engines look up the classes of those while they read the
 * script, which takes longer than all the rest of this file.
 */
export const controls = (more: string, repeat: string) =>
  new RegExp(`[${["Cc", "Cf", "Zl", "Zp", more].map((name) => `\\p{${name}}`).join("")}]${repeat}`, "gu");

/** One line without control characters: what a file or a caller says reaches terminals and logs. */
export function plain(text: string): string {
  const start = text.length > 4 * LONGEST ? text.slice(0, 4 * LONGEST) : text;
  return start.replace(controls("Cs", "+"), (found) => (/^[\r\n\t]+$/.test(found) ? " " : "?"));
}

function cut(text: string, length: number): string {
  const most = Math.max(length, 1);
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** Parts that make a message of bounded length: the longest are cut first. */
function fit(where: string, expected: string, received: string): readonly [string, string, string] {
  const parts = [where, expected, received].map(plain);
  const room = LONGEST - messageOf("", "", "").length;
  for (const most of [room, 200, 150, 120, 100, LEAST]) {
    const fitting = parts.map((part) => cut(part, most)) as [string, string, string];
    if (fitting.reduce((sum, part) => sum + part.length, 0) <= room) return fitting;
  }
  return parts.map((part) => cut(part, LEAST)) as [string, string, string];
}

const messageOf = (where: string, expected: string, received: string) =>
  `${where}: expected ${expected}, received ${received}`;

/**
 * The one error class of pint8. `message` reads `where: expected …, received …`; `hint` says what to do. Each is one line of
 * at most 400 letters without control characters.
 */
export class Pint8Error extends Error {
  /** Also where scripts were made small: errors print by it. */
  static override readonly name: string = "Pint8Error";
  /** What kind of error it is: what a program decides by. */
  readonly code: ErrorCode;
  /** The file, node, tensor, input or option that it is about. */
  readonly where: string;
  /** What should have been there. */
  readonly expected: string;
  /** What was there. */
  readonly received: string;
  /** What to do about it; empty where there is nothing to say. */
  readonly hint: string;

  /** Those of another copy are Pint8Errors, too: parts that are loaded later have their own. */
  static override [Symbol.hasInstance](value: unknown): value is Pint8Error {
    return value instanceof Error && value.name === "Pint8Error";
  }

  constructor(code: ErrorCode, detail: ErrorDetail, options?: { cause?: unknown }) {
    const [where, expected, received] = fit(detail.where, detail.expected, detail.received);
    super(messageOf(where, expected, received), options);
    this.name = "Pint8Error";
    this.code = code;
    this.where = where;
    this.expected = expected;
    this.received = received;
    this.hint = cut(plain(detail.hint ?? ""), LONGEST);
  }
}

/** Does work on what others made; whatever is thrown that is no Pint8Error becomes one of this code. */
export function guarded<T>(code: ErrorCode, where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw asPint8Error(code, where, cause);
  }
}

/** The hint of what only a mistake of pint8 can cause, where this holds of a file. */
export const mistakeIf = (holds: string) =>
  `If ${holds}, this is a mistake in pint8: please report it with the file that shows it.`;

/** Codes of errors that are about a file. */
const OF_FILES: readonly ErrorCode[] = ["INVALID_MODEL", "INVALID_GRAPH", "UNSUPPORTED", "INVALID_PLAN"];

/** Does work on a file, whose name stands in what is wrong with it; undefined where it has none. */
export async function inFile<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (name === undefined || !(cause instanceof Pint8Error)) throw cause;
    const { code, where, expected, received, hint } = cause;
    if (!OF_FILES.includes(code) || where.startsWith(name)) throw cause;
    const place = where === "file" || where === "plan file" ? name : `${name}, ${where}`;
    throw new Pint8Error(code, { where: place, expected, received, hint }, { cause });
  }
}

/** A Pint8Error as it is; a refused allocation as OUT_OF_MEMORY; anything else, which is a mistake of pint8, by this code. */
function asPint8Error(code: ErrorCode, where: string, cause: unknown): Pint8Error {
  if (cause instanceof Pint8Error) return cause;
  const received = textOf(cause);
  if (cause instanceof RangeError && /alloc|memory|array (buffer )?length|typed array/i.test(received))
    return new Pint8Error(
      "OUT_OF_MEMORY",
      { where, expected: "memory that the engine grants", received, hint: "Use a smaller model, batch or input." },
      { cause },
    );
  const hint = mistakeIf("others can read it");
  return new Pint8Error(code, { where, expected: "what pint8 can read", received, hint }, { cause });
}

/** The value as one of an option's choices; INVALID_OPTION for others. */
export function chosen<T extends string>(where: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((each) => each === value);
  ensure(found !== undefined, "INVALID_OPTION", () => ({
    where,
    expected: choices.join(", "),
    received: kindOf(value),
  }));
  return found;
}

/** Throws unless `condition` holds; the detail is built only when it is needed. */
export function ensure(condition: boolean, code: ErrorCode, detail: () => ErrorDetail): asserts condition {
  if (!condition) throw new Pint8Error(code, detail());
}

/** What was thrown, in words. */
export const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** A value in a few words: its kind, not what is in it. */
export function kindOf(value: unknown): string {
  if (typeof value === "string") return `"${value.slice(0, 40)}"`;
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "a function" : String(value);
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return name === "Object" ? "an object" : name;
}
