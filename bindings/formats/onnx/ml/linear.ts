/** LinearClassifier and LinearRegressor. */
import type { Conversions, OnnxNode } from "../convert.ts";
import { fits } from "./kit.ts";
import {
  bothOf,
  classCount,
  floatRows,
  greatest,
  isMore,
  product,
  setLabels,
  transformed,
  transformOf,
} from "./scores.ts";

/** x·Wᵀ + b, and the class of the greatest; one row of coefficients stands for the second of two classes. */
function classifier(n: OnnxNode): void {
  const intercepts = n.floats("intercepts") ?? [];
  const rows = intercepts.length || n.refuse("intercepts", "none");
  const classes = classCount(n);
  if (rows > 1) fits(n, "intercepts", rows, classes);
  const transform = transformOf(n);
  const scores = product(n, floatRows(n), rows, n.floats("coefficients") ?? [], intercepts);
  if (rows > 1) {
    setLabels(n, greatest(n, scores));
    if (n.outputs[1]) n.setPlain(1, transformed(n, scores, transform));
    return;
  }
  setLabels(n, isMore(n, scores, 0), classes === 2 ? undefined : [0, 1]);
  if (n.outputs[1]) n.setPlain(1, classes === 2 ? bothOf(n, scores, true, transform) : scores);
}

/** x·Wᵀ + b. */
function regressor(n: OnnxNode): void {
  const targets = n.int("targets", 1);
  const added = n.floats("intercepts");
  const y = product(
    n,
    floatRows(n),
    targets,
    n.floats("coefficients") ?? [],
    added?.length === targets ? added : undefined,
  );
  const transform = transformOf(n);
  // of one target onnxruntime leaves out the others
  n.setPlain(0, targets > 1 || transform === "PROBIT" ? transformed(n, y, transform) : y);
}

export const LINEAR_MODELS: Conversions = {
  "ai.onnx.ml.LinearClassifier": classifier,
  "ai.onnx.ml.LinearRegressor": regressor,
};
