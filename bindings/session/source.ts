import { kindOf, Pint8Error, textOf } from "../errors.ts";
import { builtin, isNode } from "./engine.ts";

/** Bytes, what bytes come from, a URL, or a path in Node, Deno and Bun. */
export type Source =
  | Uint8Array
  | ArrayBufferLike
  | ArrayBufferView
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | URL
  | string
  | Promise<Uint8Array | ArrayBufferLike | ArrayBufferView | Blob | Response | ReadableStream<Uint8Array>>;

/** How much of a source has come. */
export interface Progress {
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes in all, where they are known beforehand. */
  readonly total?: number;
}

/** How a source is read. */
export interface ReadOptions {
  /** Ends the reading: what was called rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told whenever more bytes have come, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

const KINDS = "bytes, a Blob, a Response, a ReadableStream, a URL or a path";

/**
 * The bytes of a source. Strings with a scheme are URLs; others are paths where there is a file system, and relative URLs
 * where there is none.
 *
 * Errors: IO where the file or URL cannot be read; INVALID_OPTION for what is none of these; the signal's reason.
 */
export async function readSource(source: Source, options: ReadOptions = {}): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  const given: unknown = isThenable(source) ? await source : source;
  const bytes = await read(given, options);
  options.signal?.throwIfAborted();
  return bytes;
}

/** How a source is called in messages; undefined where it has no name. */
export function nameOf(source: unknown): string | undefined {
  const { name } = Object(source) as { readonly name?: unknown };
  const tag = tagOf(source);
  const text = tag === "URL" ? String(source) : tag === "File" ? name : source;
  return typeof text === "string" ? shortened(text) : undefined;
}

const shortened = (text: string) => (text.length > 120 ? `${text.slice(0, 100)}…` : text);
const isThenable = (value: unknown) => typeof (value as { readonly then?: unknown } | null)?.then === "function";
/** What something is, whichever realm it comes from. */
const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

async function read(source: unknown, options: ReadOptions): Promise<Uint8Array> {
  if (typeof source === "string")
    return /^[a-z][a-z\d+.-]+:/i.test(source) || !isNode()
      ? readUrl(source, options)
      : whole(await readFile(source, source, options), options);
  if (ArrayBuffer.isView(source)) return whole(viewOf(source), options);
  switch (tagOf(source)) {
    case "ArrayBuffer":
    case "SharedArrayBuffer":
      return whole(viewOf(source as ArrayBuffer), options);
    case "URL":
      return readUrl((source as URL).href, options);
    case "Response":
      return readResponse(source as Response, (source as Response).url || "response", options);
    case "Blob":
    case "File":
      return whole(new Uint8Array(await (source as Blob).arrayBuffer()), options);
    case "ReadableStream":
      return readStream(source as ReadableStream<Uint8Array>, undefined, options);
    default:
      throw new Pint8Error("INVALID_OPTION", {
        where: "source",
        expected: KINDS,
        received: kindOf(source),
      });
  }
}

/** The bytes themselves, not a copy. */
function viewOf(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  try {
    if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  } catch (cause) {
    const received = "bytes of a buffer that was transferred away";
    throw new Pint8Error("INVALID_OPTION", { where: "source", expected: KINDS, received }, { cause });
  }
}

/** All bytes at once. */
function whole(bytes: Uint8Array, { onProgress }: ReadOptions): Uint8Array {
  onProgress?.({ loaded: bytes.length, total: bytes.length });
  return bytes;
}

async function readUrl(href: string, options: ReadOptions): Promise<Uint8Array> {
  if (href.startsWith("data:")) return whole(readData(href), options);
  if (href.startsWith("file:") && isNode()) return whole(await readFile(new URL(href), href, options), options);
  try {
    const { signal } = options;
    return await readResponse(await fetch(href, signal === undefined ? {} : { signal }), href, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw cause instanceof Pint8Error ? cause : unreadable(href, cause);
  }
}

/** Without a request, which a policy of the page may forbid. */
function readData(href: string): Uint8Array {
  try {
    const comma = href.indexOf(",");
    const text = decodeURIComponent(href.slice(comma + 1));
    const letters = /;base64$/i.test(href.slice(0, comma)) ? atob(text) : unescape(href.slice(comma + 1));
    return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  } catch (cause) {
    throw unreadable(shortened(href), cause);
  }
}

async function readResponse(response: Response, name: string, options: ReadOptions): Promise<Uint8Array> {
  if (!response.ok) throw unreadable(name, `HTTP status ${response.status}`);
  if (options.onProgress === undefined || response.body === null) {
    if (response.bodyUsed) throw unreadable(name, "a response whose body has been read already");
    return whole(new Uint8Array(await response.arrayBuffer()), options);
  }
  // The length is that of the compressed body where there is one.
  const length = response.headers.get("content-encoding") === null ? response.headers.get("content-length") : null;
  return readStream(response.body, length === null ? undefined : Number(length), options);
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  total: number | undefined,
  { onProgress, signal }: ReadOptions,
): Promise<Uint8Array> {
  if (stream.locked) throw unreadable("stream", "a stream that is being read already");
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let loaded = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      signal?.throwIfAborted();
      if (!ArrayBuffer.isView(part.value))
        throw unreadable("stream", `a chunk that is ${kindOf(part.value)}, not bytes`);
      parts.push(viewOf(part.value));
      loaded += part.value.byteLength;
      onProgress?.(total === undefined ? { loaded } : { loaded, total });
    }
  } catch (cause) {
    await reader.cancel(cause).catch(() => {});
    signal?.throwIfAborted();
    throw cause instanceof Pint8Error ? cause : unreadable("stream", cause);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function readFile(path: string | URL, name: string, { signal }: ReadOptions): Promise<Uint8Array> {
  try {
    const { readFile } = await builtin("fs/promises");
    return viewOf(await readFile(path, signal === undefined ? {} : { signal }));
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(name, cause);
  }
}

/** What to do, by what was said. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/ENOENT/, "Relative paths begin at the folder in which the program was started."],
  [/EISDIR/, "This is a folder: name the file in it."],
  [/HTTP status/, "Open the URL in a browser; the server says there what it has."],
  [/fetch/i, "The server may be down, or refuse other pages: Access-Control-Allow-Origin."],
  [/already/, "A body is read once: keep its bytes, or clone the response."],
];

function unreadable(name: string, cause: unknown): Pint8Error {
  // Node's fetch says in its cause what the network did
  const reason = Object(cause).cause?.message;
  const received = reason ? `${textOf(cause)}: ${reason}` : textOf(cause);
  const [, hint = ""] = HINTS.find(([said]) => said.test(received)) ?? [];
  const where = name === "" ? "source" : name;
  return new Pint8Error("IO", { where, expected: "a readable file or URL", received, hint }, { cause });
}
