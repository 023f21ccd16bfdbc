/** What pipelines of features have before and behind a model, of the domain ai.onnx.ml. */
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { castAs, toFloat } from "../ops/cast.ts";
import { longs, reshapedTo } from "../ops/move.ts";
import { along } from "../ops/resize.ts";
import { fits, kitOf } from "./kit.ts";
import { floatRows } from "./scores.ts";

/** Columns by index; a list is one row. */
function extract(n: OnnxNode): void {
  const { shape } = n.input(0);
  const indices = n.plain(n.input(1));
  const places = reshapedTo(n, indices, [elementCount(n.b.tensor(indices).shape)]);
  const y = along(n, n.plain(n.input(0)), Math.max(shape.length - 1, 0), places);
  n.setPlain(0, shape.length < 2 ? reshapedTo(n, y, [1, elementCount(n.b.tensor(y).shape)]) : y);
}

/** (x − offset)·scale, each a number or one for each column. */
function scale(n: OnnxNode): void {
  const { minus, times, list } = kitOf(n);
  const by = (name: string, otherwise: number) => list(n.floats(name) ?? [otherwise]);
  n.setPlain(0, times(minus(toFloat(n, n.plain(n.input(0))), by("offset", 0)), by("scale", 1)));
}

/** 1 for what is more than a threshold, 0 for others. */
function binarize(n: OnnxNode): void {
  const { cast, number, more } = kitOf(n);
  n.setPlain(0, cast(more(toFloat(n, n.plain(n.input(0))), number(n.float("threshold", 0)))));
}

/** Rows by their greatest, the sum of their sizes, or the root of that of their squares; rows of which that is 0 stay. */
function normalize(n: OnnxNode): void {
  const { times, by, of, number, choose, compared, sum, most } = kitOf(n);
  const norm = n.string("norm", "MAX");
  if (!/^(MAX|L[12])$/.test(norm)) n.refuse("a known norm", norm);
  const x = floatRows(n);
  const each = norm === "L2" ? times(x, x) : norm === "L1" ? of("abs", x) : x;
  const total = norm === "MAX" ? most(x, 1, true) : sum(each, 1, true);
  const isNone = compared("equal")(total, number(0));
  const quotient = by(norm === "L2" ? each : x, choose(isNone, number(1), total));
  const y = norm === "L2" ? times(of("sign", x), of("sqrt", quotient)) : quotient;
  n.setPlain(0, reshapedTo(n, y, n.input(0).shape));
}

/** Another value, or one for each column, in place of what equals one; NaN equals NaN here. */
function impute(n: OnnxNode): void {
  const value = n.input(0);
  const x = n.plain(value);
  const { dtype } = n.b.tensor(x);
  const isWhole = dtype === "int64";
  const replaced = isWhole ? n.int("replaced_value_int64", 0) : n.float("replaced_value_float", 0);
  const given = (isWhole ? n.ints("imputed_value_int64s") : n.floats("imputed_value_floats")) ?? [];
  const width = value.shape[Math.min(1, value.shape.length - 1)];
  if (value.shape.length > 2 || (!isWhole && dtype !== "float32")) n.refuse("rows of float32 or int64", dtype);
  const values = given.length === width ? given : given.slice(0, 1);
  if (values.length === 0) n.refuse("values for what is missing", "none");
  const { choose, compared, list } = kitOf(n);
  const table = (numbers: readonly number[]) => (isWhole ? longs(n, numbers) : list(numbers));
  const is = Number.isNaN(replaced) ? compared("notEqual")(x, x) : compared("equal")(x, table([replaced]));
  n.setPlain(0, choose(is, table(values), x, dtype));
}

/** Whole numbers as rows with a 1 at their category. */
function oneHot(n: OnnxNode): void {
  const value = n.input(0);
  const categories = n.ints("cats_int64s") ?? [];
  if (categories.length === 0) n.refuse("categories that are numbers", "strings");
  const { cast, compared, list, times } = kitOf(n);
  const x = reshapedTo(n, castAs(n, n.plain(value), "int64"), [...value.shape, 1]);
  const is = cast(compared("equal")(x, longs(n, categories)));
  // of two that are the same the last one counts
  n.setPlain(0, times(is, list(categories.map((category, i) => Number(categories.lastIndexOf(category) === i)))));
}

/** Rows of several inputs side by side, each cut or filled up with zeros to so many columns. */
function join(n: OnnxNode): void {
  const widths = n.ints("inputdimensions") ?? [];
  fits(n, "inputdimensions", widths.length, n.inputs.length);
  const { add, joined, part } = kitOf(n);
  const parts = widths.map((width, i) => {
    const { shape } = n.input(i);
    const [rows, ...rest] = shape.length === 1 ? [1, ...shape] : shape;
    const own = elementCount(rest);
    const x = reshapedTo(n, toFloat(n, n.plain(n.input(i))), [rows as number, own]);
    if (width === own) return x;
    if (width < own) return part(x, [0, 0], [rows as number, width]);
    return add("pad", [x, n.b.integers([0, 0, 0, width - own], [2, 2])], {});
  });
  n.setPlain(0, joined(parts));
}

/** A list of maps from classes to chances: the table of these, a row for each map and a column for each class. */
function zip(n: OnnxNode): void {
  if (n.attribute("classlabels_strings")?.strings.length) n.refuse("classes that are numbers", "strings");
  const { shape } = n.input(0);
  const count = shape.at(-1) ?? 0;
  fits(n, "classlabels_int64s", n.ints("classlabels_int64s")?.length ?? 0, count);
  n.setPlain(0, reshapedTo(n, n.plain(n.input(0)), shape.length === 1 ? [1, count] : shape));
}

export const FEATURES: Conversions = {
  "ai.onnx.ml.ArrayFeatureExtractor": extract,
  "ai.onnx.ml.Binarizer": binarize,
  "ai.onnx.ml.FeatureVectorizer": join,
  "ai.onnx.ml.Imputer": impute,
  "ai.onnx.ml.Normalizer": normalize,
  "ai.onnx.ml.OneHotEncoder": oneHot,
  "ai.onnx.ml.Scaler": scale,
  "ai.onnx.ml.ZipMap": zip,
};
