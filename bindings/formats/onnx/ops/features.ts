/** What pipelines of features have before and behind a network, of the domain ai.onnx.ml. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { FLOAT, NONE } from "../types.ts";
import { toFloat } from "./cast.ts";
import { reshapedTo } from "./move.ts";
import { along } from "./resize.ts";

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
  const list = (name: string, otherwise: number) => {
    const values = n.floats(name) ?? [otherwise];
    return n.b.constant("float32", [values.length], Float32Array.from(values));
  };
  const [centred] = n.add("sub", [toFloat(n, n.plain(n.input(0))), list("offset", 0)], NONE, FLOAT);
  n.setPlain(0, n.add("mul", [centred, list("scale", 1)], NONE, FLOAT, n.outputs[0])[0] as TensorId);
}

/** x·Wᵀ + b. */
function linear(n: OnnxNode): void {
  const transform = n.string("post_transform", "NONE");
  if (transform !== "NONE") n.refuse("post_transform NONE", transform);
  const targets = n.int("targets", 1);
  const weights = n.floats("coefficients") ?? [];
  const depth = weights.length / targets;
  if (targets < 1 || depth < 1 || depth % 1 !== 0)
    n.refuse("as many coefficients for each target", `${weights.length} for ${targets}`);
  const w = n.b.constant("float32", [targets, depth], Float32Array.from(weights));
  const added = n.floats("intercepts");
  const bias = added && n.b.constant("float32", [added.length], Float32Array.from(added));
  const x = toFloat(n, n.plain(n.input(0)));
  const attributes = { activation: "none", keepDims: false } as const;
  n.setPlain(0, n.add("fullyConnected", [x, w, ...(bias ? [bias] : [])], attributes, FLOAT)[0] as TensorId);
}

export const FEATURES: Conversions = {
  "ai.onnx.ml.ArrayFeatureExtractor": extract,
  "ai.onnx.ml.LinearRegressor": linear,
  "ai.onnx.ml.Scaler": scale,
};
