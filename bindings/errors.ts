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
  | "WORKER"; // a thread failed

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

/** The one error class of pint8. `message` reads `where: expected …, received …`; `hint` says what to do. */
export class Pint8Error extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly expected: string;
  readonly received: string;
  readonly hint: string;

  constructor(code: ErrorCode, detail: ErrorDetail, options?: { cause?: unknown }) {
    super(`${detail.where}: expected ${detail.expected}, received ${detail.received}`, options);
    this.name = "Pint8Error";
    this.code = code;
    this.where = detail.where;
    this.expected = detail.expected;
    this.received = detail.received;
    this.hint = detail.hint ?? "";
  }
}

/** Throws unless `condition` holds; the detail is built only when it is needed. */
export function ensure(condition: boolean, code: ErrorCode, detail: () => ErrorDetail): asserts condition {
  if (!condition) throw new Pint8Error(code, detail());
}
