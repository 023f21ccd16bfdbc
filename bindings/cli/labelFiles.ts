/** Files that say what examples are. */
import { basename } from "node:path";
import { ensure } from "../errors.ts";
import { answerOf, type Known } from "../optimize/data/arrays.ts";
import { invalid, unpacked } from "../optimize/data/bytes.ts";
import { cellsOf, classesOf, isNumber } from "../optimize/data/csv.ts";
import type { ExampleFile } from "../optimize/data/files.ts";
import { isIdx, readIdx } from "../optimize/data/idx.ts";
import { knownOf } from "../optimize/data/named.ts";
import { readNpy } from "../optimize/data/npy.ts";
import { isNpy } from "../optimize/data/npyHeader.ts";
import type { Dataset } from "../optimize/data/types.ts";
import { readAnswers } from "./answers.ts";
import { readBytes } from "./files.ts";
import { decodeText, labelsOf } from "./labels.ts";

/** A file of labels, which is read once: it may be a pipe. */
interface LabelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const openLabels = (path: string): LabelFile => ({ path, bytes: unpacked(readBytes(path), path) });

const isText = ({ bytes }: LabelFile) => !isIdx(bytes) && !isNpy(bytes);

/** Labels, or targets of a regression, of a file of their own. */
export const readLabels = (path: string): Known => labelsIn(openLabels(path));

function labelsIn({ path, bytes }: LabelFile): Known {
  if (isIdx(bytes)) return knownOf(readIdx(bytes, path), path);
  if (isNpy(bytes)) return knownOf(readNpy(bytes, path), path);
  return readAnswers(decodeText(bytes, path), path);
}

/** Files with what is known of them. */
interface Answered {
  readonly list: readonly ExampleFile[];
  readonly classes?: readonly string[] | undefined;
}

/**
 * Files with what a file of labels says, by their names where it has these, else in their order. Errors: INVALID_INPUT where some
 * have none.
 */
export const answersOfFiles = (files: readonly ExampleFile[], path: string | undefined): Answered =>
  path === undefined ? { list: files } : answered(files, openLabels(path), true);

/**
 * Files in folders of classes: numbers are the classes themselves, words are numbered as the labels have them, else by the
 * alphabet; or what lines say that name the files. `label` is the folder that a file is in.
 */
export function answersOfFolders(
  files: readonly ExampleFile[],
  folders: readonly string[],
  path: string | undefined,
): Answered {
  const file = path === undefined ? undefined : openLabels(path);
  const order = file && orderOfClasses(folders, file);
  if (file !== undefined && order === undefined) return answered(files, file, false);
  const numbers = folders.every((name) => /^\d+$/.test(name)) ? folders.map(Number) : undefined;
  const classOf = order?.of ?? numbers;
  const list = files.map((each) => ({ ...each, label: classOf?.[each.label ?? 0] ?? each.label ?? 0 }));
  return { list, classes: order?.classes ?? (numbers === undefined ? folders : undefined) };
}

/** Files with what a file of labels says; `ordered`: it may do so by their order. */
function answered(files: readonly ExampleFile[], file: LabelFile, ordered: boolean): Answered {
  const named = byFileName(files, file);
  ensure(named !== undefined || ordered, "INVALID_INPUT", () => ({
    where: file.path,
    expected: "the names of the folders in the order of the model's classes, or lines of a file's name and its label",
    received: "others",
    hint: "Folders of classes say what their files are: leave --labels out.",
  }));
  const known = named ?? labelsIn(file);
  const count = countOf(known);
  ensure(count === files.length, "INVALID_INPUT", () => ({
    where: file.path,
    expected: `${files.length} labels, one for each file in the order of their names`,
    received: `${count}`,
    hint: "Lines of a file's name and its label, with a comma between them, may stand in any order.",
  }));
  return { list: files.map((each, i) => ({ ...each, ...answerOf(known, i) })), classes: known.classes };
}

const countOf = ({ labels, targets }: Known): number => labels?.length ?? targets?.shape[0] ?? 0;

/** Examples in their order with the labels of a file in place of their own. Errors: INVALID_INPUT where it has more or fewer. */
export function relabelled(data: Dataset, known: Known, path: string): Dataset {
  const { size, preparation } = data;
  const { classes } = known;
  const count = countOf(known);
  ensure(size === undefined || size === count, "INVALID_INPUT", () => ({
    where: path,
    expected: `${size}, one for each example`,
    received: `${count}`,
    hint: "Check that data and labels belong together.",
  }));
  return {
    ...(size !== undefined && { size }),
    ...(preparation !== undefined && { preparation }),
    ...(classes && { classes }),
    async *[Symbol.asyncIterator]() {
      let i = 0;
      for await (const { label: _label, targets: _targets, ...sample } of data) {
        yield { ...sample, ...answerOf(known, i++) };
      }
    },
  };
}

/** Which class of a list of names each folder is; undefined where the file is no such list. */
function orderOfClasses(folders: readonly string[], file: LabelFile) {
  if (!isText(file)) return undefined;
  const classes = labelsOf(file.bytes, file.path).map((name) => name.trim());
  const of = folders.map((name) => classes.indexOf(name));
  return of.includes(-1) || new Set(classes).size < classes.length ? undefined : { of, classes };
}

/** What lines say that name files, with or without their folders and endings; undefined where none does. */
function byFileName(files: readonly ExampleFile[], file: LabelFile): Known | undefined {
  const { path, bytes } = file;
  if (!isText(file)) return undefined;
  const rows = cellsOf(decodeText(bytes, path)).filter((row) => row.length > 1);
  const found =
    answersBy(
      files.map(({ name }) => basename(name)),
      rows,
    ) ??
    answersBy(
      files.map(({ name }) => stem(name)),
      rows,
    );
  // Numbers may name files by chance: names without endings have to name all.
  if (found === undefined || (!found.whole && found.count < files.length)) return undefined;
  const list = files.map(({ name }, i) => {
    const answer = found.answers.get(i);
    if (answer === undefined)
      throw invalid(path, `a line for ${basename(name)}`, "none", "Every example needs a label.");
    return answer;
  });
  const width = list[0]?.length ?? 0;
  if (list.some((answer) => answer.length !== width || answer.length === 0))
    throw invalid(path, "as many columns in each line", "others");
  if (width === 1) return classesOf(list.flat());
  if (!list.flat().every(isNumber))
    throw invalid(path, "a file's name and its label, or numbers", `${width + 1} columns`);
  return { targets: { shape: [list.length, width], values: list.flat().map(Number), pixels: "numbers" } };
}

/** The rest of each row that names a file, by the first column that names one in its first two rows. */
function answersBy(names: readonly string[], rows: readonly (readonly string[])[]) {
  const places = new Map(names.map((name, i) => [name, i] as const));
  const placeOf = (cell = "") => places.get(basename(cell.replaceAll("\\", "/")));
  const columns = rows.slice(0, 2).map((row) => row.findIndex((cell) => placeOf(cell) !== undefined));
  const column = columns.find((c) => c !== -1);
  if (column === undefined) return undefined;
  const named = rows.flatMap((row) => {
    const place = placeOf(row[column]);
    return place === undefined ? [] : [[place, row.filter((_, c) => c !== column)] as const];
  });
  const answers = new Map(named);
  const whole = names.some((name) => name.includes("."));
  return { answers, whole, count: answers.size === named.length ? answers.size : 0 };
}

/** A file's name without folders and ending. */
const stem = (name: string) => basename(name).replace(/\.[^.]+$/, "");
