/** Comma-separated values: one example a line. */
import { requireText } from "../../given.ts";
import type { Known, Rows } from "./arrays.ts";
import { invalid } from "./bytes.ts";
import { EXAMPLE_NAME } from "./files.ts";
import { isLabelName, targetsOf } from "./named.ts";

/** The numbers of a file of lines, and what its column of labels says. */
export interface Table {
  readonly rows: Rows;
  readonly labels?: ArrayLike<number>;
  /** Names of the classes, where labels are words. */
  readonly classes?: readonly string[];
  /** What a regression should give, where the label has several columns, or one of numbers that are not whole. */
  readonly targets?: Rows;
}

/** Cells of a line: quoted ones may hold separators, and a quote as two. */
function cells(line: string, separator: string): readonly string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const list: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const letter = line[i] as string;
    if (letter === '"' && isQuoted && line[i + 1] === '"') cell += line[++i];
    else if (letter === '"') isQuoted = !isQuoted;
    else if (letter === separator && !isQuoted) {
      list.push(cell.trim());
      cell = "";
    } else cell += letter;
  }
  return [...list, cell.trim()];
}

/** What separates cells: of the separators outside of quotes, in which commas may be those of decimals, a tab, then a semicolon. */
function separatorOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, "");
  return ["\t", ";"].find((each) => bare.includes(each)) ?? ",";
}

/** The cells of each line that is not empty. */
export function cellsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  const separator = separatorOf(lines[0] ?? "");
  return lines.map((line) => cells(line, separator));
}

export const isNumber = (cell: string) => cell !== "" && Number.isFinite(Number(cell));

/**
 * The table of a CSV file, separated by commas, semicolons or tabs, with or without a header. The label is the column of
 * this name, or one called label, class or target; the columns of several names separated by commas, or all called so where the model takes
 * just the others, are what a regression should give; without a header, the one column more than the model takes, the first
 * where it holds whole numbers only, else the last. Words are classes in the order of the alphabet.
 *
 * Errors: INVALID_INPUT for no rows, rows of different lengths, cells that are no numbers.
 */
export function readCsv(text: string, elements: number, where = "readCsv", labelColumn?: string): Table {
  requireText(where, text);
  const numbered = text.split(/\r\n|\n|\r/).flatMap((line, i) => (line.trim() === "" ? [] : [{ line, number: i + 1 }]));
  const separator = separatorOf(numbered[0]?.line ?? "");
  const table = numbered.map(({ line }) => cells(line, separator));
  const header = table[0]?.some((cell) => !isNumber(cell)) && isHeader(table) ? table.shift() : undefined;
  const lineOf = (row: number) => numbered[row + numbered.length - table.length]?.number;
  const [row] = table;
  if (row === undefined) throw invalid(where, "rows of numbers", "none");
  const width = row.length;
  const uneven = table.findIndex((each) => each.length !== width);
  if (uneven !== -1) throw invalid(`${where}, line ${lineOf(uneven)}`, `${width} columns`, `${table[uneven]?.length}`);
  const labels = labelColumns(table, header, elements, width, where, labelColumn);
  const numbersOf = (columns: readonly number[]): Rows => {
    const values = new Float64Array(table.length * columns.length);
    let at = 0;
    for (const [r, each] of table.entries())
      for (const c of columns) {
        const cell = each[c] as string;
        if (!isNumber(cell))
          throw invalid(
            `${where}, line ${lineOf(r)}, column ${c + 1}`,
            "a number",
            `"${cell.slice(0, 40)}"`,
            hintOf(cell, header?.[c]),
          );
        values[at++] = Number(cell);
      }
    return { shape: [table.length, columns.length], values, pixels: arePixels(values, elements) };
  };
  const rows = numbersOf(Array.from({ length: width }, (_, c) => c).filter((c) => !labels.includes(c)));
  const [label] = labels;
  if (label === undefined) return { rows };
  if (labels.length > 1) return { rows, ...targetsOf(numbersOf(labels)) };
  return { rows, ...classesOf(table.map((each) => each[label] as string)) };
}

function hintOf(cell: string, column: string | undefined): string | undefined {
  if (/^[-+]?\d*,\d+$/.test(cell)) return "Decimals have a point in place of a comma.";
  if (EXAMPLE_NAME.test(cell)) return "Give the folder of these files as data, and such a table as --labels.";
  if (cell === "" || /^(nan|na|null|none)$/i.test(cell)) return "Leave such rows out, or fill them in.";
  return column === undefined ? undefined : `Leave the column "${column}" out, or name it as the label's.`;
}

/** A header has a word in a column that holds numbers below, or words that label columns have. */
function isHeader(table: readonly (readonly string[])[]): boolean {
  const [header = [], row] = table;
  if (row === undefined) return true;
  return header.some((cell, c) => !isNumber(cell) && (isNumber(row[c] ?? "") || isLabelName(cell)));
}

/** Whole numbers of 0 to 255 that reach beyond 1, many of them: pixels as MNIST's CSV files have them. */
function arePixels(values: Float64Array, elements: number): Rows["pixels"] {
  let largest = 0;
  for (const value of values) {
    if (!Number.isInteger(value) || value < 0 || value > 255) return "numbers";
    largest = Math.max(largest, value);
  }
  return elements >= 64 && largest > 32 ? "pixels" : "numbers";
}

function labelColumns(
  table: readonly (readonly string[])[],
  header: readonly string[] | undefined,
  elements: number,
  width: number,
  where: string,
  wanted: string | undefined,
): readonly number[] {
  if (wanted !== undefined) {
    const names = header?.includes(wanted) ? [wanted] : wanted.split(",").map((name) => name.trim());
    return names.map((name) => {
      const found = header?.indexOf(name) ?? -1;
      if (found === -1) throw invalid(where, `a column "${name}"`, header?.join(", ") ?? "no header");
      return found;
    });
  }
  const named = (header ?? []).flatMap((name, c) => (isLabelName(name) ? [c] : []));
  if (named.length > 0) {
    // Of several that are not all labels the one that is called just so.
    const exact = named.find((c) => /^(y|labels?|targets?|class(es)?)$/i.test(header?.[c] ?? "")) ?? named[0];
    return width - named.length === elements ? named : [exact as number];
  }
  if (width !== elements + 1) return [];
  const isFirst = table.every((row) => /^\d+$/.test(row[0] ?? ""));
  const first = isFirst && (elements > 16 || table.some((row) => !/^\d+$/.test(row.at(-1) ?? "")));
  return [first ? 0 : width - 1];
}

/** Whole numbers as they are, words by their place in the alphabet; numbers that are not whole are targets. */
export function classesOf(words: readonly string[]): Known {
  if (words.every((word) => /^\d+$/.test(word))) return { labels: Float64Array.from(words, Number) };
  if (words.length > 0 && words.every(isNumber))
    return { targets: { shape: [words.length], values: Float64Array.from(words, Number), pixels: "numbers" } };
  const classes = [...new Set(words)].sort();
  const index = new Map(classes.map((word, i) => [word, i] as const));
  return { labels: Float64Array.from(words, (word) => index.get(word) as number), classes };
}
