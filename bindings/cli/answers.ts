/** What a text file of labels says. */
import type { Known } from "../optimize/data/arrays.ts";
import { invalid } from "../optimize/data/bytes.ts";
import { classesOf, isNumber } from "../optimize/data/csv.ts";
import { targetsOf } from "../optimize/data/named.ts";

/**
 * What a text file says of examples, one a line under a header or none: a class, or one or more numbers that a regression should give.
 *
 * Errors: INVALID_INPUT for lines of different lengths.
 */
export function readAnswers(text: string, where: string): Known {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  const table = lines.map((line) => line.split(/[,;\t ]+/));
  const areNumbers = (rows: typeof table) => rows.length > 0 && rows.every((row) => row.every(isNumber));
  const from = areNumbers(table.slice(1)) && table.length > 2 && !areNumbers(table.slice(0, 1)) ? 1 : 0;
  const rows = table.slice(from);
  const [{ length } = []] = rows;
  if (rows.every((row) => row.length === 1) || !areNumbers(rows)) return classesOf(lines.slice(from));
  const uneven = rows.findIndex((row) => row.length !== length);
  if (uneven !== -1)
    throw invalid(`${where}, line ${uneven + from + 1}`, `${length} numbers`, `${rows[uneven]?.length}`);
  return targetsOf({ shape: [rows.length, length ?? 0], values: rows.flat().map(Number), pixels: "numbers" });
}
