/** Folders of examples. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensure, Pint8Error } from "../errors.ts";
import type { Preparation } from "../optimize/data/arrays.ts";
import { EXAMPLE_NAME, type ExampleFile, filesDataset } from "../optimize/data/files.ts";
import type { Dataset } from "../optimize/data/types.ts";
import type { Port } from "../values/port.ts";
import { answersOfFiles, answersOfFolders } from "./labelFiles.ts";
import { createDecoder } from "./picture/pool.ts";

const byName = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

/**
 * A folder of examples, or of one folder for each class, in the order of their names.
 *
 * Errors: IO; INVALID_INPUT where it has none, or labels do not belong to them.
 */
export function folderData(
  path: string,
  ports: readonly Port[],
  labels: string | undefined,
  preparation: Preparation,
): Dataset {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => byName(a.name, b.name));
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const filesIn = (folder: string, label?: number): ExampleFile[] =>
    readdirSync(folder)
      .filter((name) => EXAMPLE_NAME.test(name))
      .sort(byName)
      .map((name) => {
        const file = join(folder, name);
        return { name: file, ...(label === undefined ? {} : { label }), read: () => readExample(file) };
      });
  const files = mixed(folders.map((name, label) => filesIn(join(path, name), label)));
  const own = filesIn(path);
  ensure(files.length === 0 || own.length === 0, "INVALID_INPUT", () => ({
    where: path,
    expected: "examples, or folders of examples",
    received: `${own.length} examples beside ${folders.length} folders`,
  }));
  ensure(files.length + own.length > 0, "INVALID_INPUT", () => ({
    where: path,
    expected: "pictures or sounds",
    received: "none",
    hint: innerHint(path, folders) ?? "Put them into a folder for each class, or all into one.",
  }));
  const { classes, list } = own.length > 0 ? answersOfFiles(own, labels) : answersOfFolders(files, folders, labels);
  return filesDataset(ports, list, createDecoder(), classes, preparation);
}

/** What a folder says whose folders hold others, as those of training and testing do. */
function innerHint(path: string, folders: readonly string[]): string | undefined {
  const found = folders.find((name) => readdirSync(join(path, name), { withFileTypes: true }).some(isFolder));
  return found === undefined ? undefined : `Give one of the folders inside of it, as ${join(path, found)}.`;
}

const isFolder = (entry: { readonly isDirectory: () => boolean }) => entry.isDirectory();

/** The examples of all classes in turns, each class evenly spread over all: any part, as the first few hundred, has some of each. */
const mixed = (classes: readonly (readonly ExampleFile[])[]): readonly ExampleFile[] =>
  classes
    .flatMap((files) => files.map((file, i) => ({ file, at: (i + 0.5) / files.length })))
    .sort((a, b) => a.at - b.at)
    .map(({ file }) => file);

async function readExample(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const received = (cause as Error).message;
    throw new Pint8Error("IO", { where: file, expected: "a readable file", received }, { cause });
  }
}
