/** What MediaPipe's operators on landmarks are given: options, landmarks, matrices. */
import { ensure } from "../../errors.ts";
import type { TensorId } from "../../graph.ts";
import { elementCount, listText, type Tensor } from "../../tensor.ts";
import type { FlexValue } from "./flexbuffer.ts";
import type { Reals } from "./reals.ts";

/** An operator being taken apart. */
export interface Site {
  readonly where: string;
  readonly options: ReadonlyMap<string, FlexValue>;
  readonly inputs: readonly Tensor[];
  readonly m: Reals;
}

/** A result, and the shape that it has in the file. */
export interface Result {
  readonly id: TensorId;
  readonly shape: readonly number[];
}

type Stated = Pick<Site, "where" | "options">;

export function refuse(where: string, expected: string, received: string): never {
  ensure(false, "INVALID_MODEL", () => ({ where: `${where}, options`, expected, received }));
  throw new Error(expected);
}

/** An option that is a number; 0 where the file has none. */
export function numberOf({ where, options }: Stated, key: string): number {
  const value = options.get(key) ?? 0;
  if (typeof value !== "number" || !Number.isFinite(value)) return refuse(where, `a number "${key}"`, String(value));
  return value;
}

export function positive(site: Stated, key: string): number {
  const value = numberOf(site, key);
  return value > 0 ? value : refuse(site.where, `"${key}" above 0`, `${value}`);
}

export function listOf({ where, options }: Stated, key: string): readonly number[] {
  const value = options.get(key);
  return typeof value === "object" ? value : refuse(where, `a list of numbers "${key}"`, String(value));
}

const MOST_SIZE = 4096;

/** Height and width of what is cut out. */
export function outputSize(site: Stated): readonly [number, number] {
  const both = site.options.has("output_size") ? listOf(site, "output_size") : undefined;
  const size = both ?? [positive(site, "output_height"), positive(site, "output_width")];
  const isSize = (n: number | undefined): n is number =>
    Number.isInteger(n) && (n as number) >= 1 && (n as number) <= MOST_SIZE;
  const [h, w] = size;
  if (size.length !== 2 || !isSize(h) || !isSize(w))
    return refuse(site.where, `a height and a width from 1 to ${MOST_SIZE}`, listText(size));
  const mode = site.options.get("mode") ?? "bilinear";
  if (mode !== "bilinear") return refuse(site.where, 'mode "bilinear"', String(mode));
  return [h, w];
}

/** Elements of a matrix's first two rows that matter: a, b and shift of each, as `[1, 1]`. */
export function twoRows(m: Reals, id: TensorId): readonly (readonly [TensorId, TensorId, TensorId])[] {
  const flat = m.shaped(id, 16, 1);
  const at = (i: number) => m.rows(flat, [i]);
  return [
    [at(0), at(1), at(3)],
    [at(4), at(5), at(7)],
  ];
}

export function requireMatrix({ where, inputs }: Site): void {
  const { shape } = inputs[1] as Tensor;
  if (elementCount(shape) !== 16) refuse(where, "a matrix of 4 × 4", listText(shape));
}
