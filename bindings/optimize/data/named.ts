/** Which of several arrays or columns are the inputs, and which is the label. */
import { listText } from "../../tensor.ts";
import type { DataPort, Known, Rows } from "./arrays.ts";
import { invalid } from "./bytes.ts";

/** Names that labels go by. */
const LABEL = /^(y|labels?|targets?|class(es)?)([_-]\w*|\d+|train|test|val|true)?$/i;

export const isLabelName = (name: string): boolean => LABEL.test(name);

/** Whole numbers from 0 as labels. Errors: INVALID_INPUT for others. */
export function labelsOf({ shape, values }: Rows, where: string): Float64Array {
  const rows = shape[0] ?? 0;
  if (values.length !== rows) throw invalid(where, "one label for each example", listText(shape));
  const labels = Float64Array.from({ length: rows }, (_, i) => Number(values[i]));
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0);
  if (wrong !== undefined) throw invalid(where, "classes as whole numbers from 0", `${wrong}`);
  return labels;
}

/**
 * Labels; or where an example has several numbers, or some number is not whole or negative, what a regression should give, or the classes of a picture's places.
 *
 * Errors: INVALID_INPUT for neither.
 */
export function knownOf(rows: Rows, where: string): Known {
  const { values, shape } = rows;
  const isClass = (value: number) => !Number.isFinite(value) || (Number.isInteger(value) && value >= 0);
  for (let i = 0; i < values.length; i++)
    if (values.length !== shape[0] || !isClass(Number(values[i]))) return targetsOf(rows);
  return { labels: labelsOf(rows, where) };
}

/** Several numbers to an example: of each a single 1 among zeros, as Keras writes classes, labels; else targets. */
export function targetsOf(rows: Rows): Known {
  const [size = 0, width = 0, ...more] = rows.shape;
  if (width < 2 || size < 2 || more.length > 0) return { targets: rows };
  const labels = new Float64Array(size).fill(-1);
  for (let i = 0; i < size * width; i++) {
    const value = Number(rows.values[i]);
    const row = Math.floor(i / width);
    if (value === 1 && labels[row] === -1) labels[row] = i % width;
    else if (value !== 0) return { targets: rows };
  }
  return labels.includes(-1) ? { targets: rows } : { labels };
}

/** The arrays of a file by the names of the inputs, or in order where they have others; the label by the name that is wanted, or that labels have. */
export function chooseArrays(
  ports: readonly DataPort[],
  arrays: ReadonlyMap<string, Rows>,
  where: string,
  wanted?: string,
): { readonly inputs: readonly Rows[]; readonly known: Known } {
  const names = [...arrays.keys()];
  if (wanted !== undefined && !arrays.has(wanted)) throw invalid(where, `an array "${wanted}"`, names.join(", "));
  const label = wanted ?? names.find((name) => isLabelName(name) && !ports.some((port) => port.name === name));
  const named = ports.map(({ name }) => arrays.get(name));
  // As numpy.savez names what has no name.
  const bare = names.length === ports.length + 1 && names.every((name) => /^arr_\d+$/.test(name));
  const own = label ?? (bare ? names.at(-1) : undefined);
  const rest = names.filter((name) => name !== own);
  const inputs = named.every((each) => each !== undefined)
    ? (named as readonly Rows[])
    : rest.map((name) => arrays.get(name) as Rows);
  if (inputs.length !== ports.length)
    throw invalid(
      where,
      `arrays named ${ports.map(({ name }) => `"${name}"`).join(", ")}, and labels "y"`,
      names.join(", "),
      `Save those of one part alone, as numpy.savez(file, ${ports.length === 1 ? "x=x_test" : ports.map(({ name }) => `${name}=…`).join(", ")}, y=y_test).`,
    );
  return { inputs, known: own === undefined ? {} : knownOf(arrays.get(own) as Rows, `${where}, ${own}`) };
}
