/** What a .tflite file holds besides its graphs, for writing it again: description, metadata, signatures. */
import { Pint8Error } from "../../../errors.ts";
import type { Graph } from "../../../graph.ts";
import { readBuffers } from "../buffers.ts";
import { customs } from "../customs.ts";
import { openFile, readString, readTables, readUint32, rootTable } from "../flatbuffer.ts";
import { importTflite, isTflite, readSignatures, type TfliteOptions } from "../index.ts";
import { METADATA, MODEL } from "../schema.ts";

export interface Kept {
  readonly description: string;
  readonly metadata: readonly { readonly name: string; readonly data: Uint8Array }[];
  /** Names of the signatures of the first subgraph, or of the one that was asked for. */
  readonly keys: readonly string[];
  /** Signatures of other subgraphs that pint8 can read. */
  readonly others: readonly { readonly key: string; readonly graph: Graph }[];
}

/** Metadata that a changed graph would make wrong. */
const STALE = ["min_runtime_version"];

/**
 * Reads what is kept. Signatures of subgraphs with operators that pint8 does not know cannot be.
 *
 * Errors: INVALID_MODEL.
 */
export function readKept(bytes: Uint8Array, options: TfliteOptions = {}): Kept {
  const model = rootTable(openFile(bytes));
  const buffers = readBuffers(model);
  const tables = readTables(model, MODEL.metadata, (index) => `metadata ${index}`);
  const metadata = tables
    .map((table) => ({
      name: readString(table, METADATA.name),
      data: buffers.data(readUint32(table, METADATA.buffer, 0), table.where) ?? new Uint8Array(0),
    }))
    .filter(({ name }) => !STALE.includes(name));
  const signatures = readSignatures(model);
  const main = signatures.find(({ key }) => key === options.signature)?.subgraph ?? 0;
  return {
    description: readString(model, MODEL.description),
    metadata,
    keys: signatures.filter(({ subgraph }) => subgraph === main).map(({ key }) => key),
    others: signatures
      .filter(({ subgraph }) => subgraph !== main)
      .flatMap(({ key }) => {
        const graph = readable(() => importTflite(bytes, { ...options, signature: key, customs }));
        return graph === undefined ? [] : [{ key, graph }];
      }),
  };
}

/** The graphs of signatures of other subgraphs; none where it is no .tflite file. Errors: INVALID_MODEL. */
export const otherSignatures = (bytes: Uint8Array, options?: TfliteOptions): Kept["others"] =>
  isTflite(bytes) ? readKept(bytes, options).others : [];

function readable(read: () => Graph): Graph | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Pint8Error && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}
