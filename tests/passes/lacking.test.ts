/** Operators of sizes and places that lack all inputs but their first: told by their first constraint, not met as an accident. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import { runPassesBy } from "../../bindings/passes/run.ts";
import { graph, node, tensor } from "./graphs.ts";

const KINDS = [
  ...(["pad", "tile", "oneHot", "broadcastTo", "fill", "slice", "stridedSlice", "resizeBilinear"] as const),
  ...(["unsortedSegmentSum", "unsortedSegmentMax", "unsortedSegmentMin", "unsortedSegmentProd", "topK"] as const),
] satisfies readonly OpKind[];

for (const kind of KINDS)
  for (const absent of [[], [-1], [-1, -1, -1]])
    test(`${kind} with ${absent.length} absent inputs`, () => {
      const attributes = {} as Attributes[typeof kind];
      const outputs = kind === "topK" ? [1, 2] : [1];
      const tensors = [tensor("x", [1, 4]), tensor("y", [1, 4]), tensor("z", [1, 4], { dtype: "int32" })];
      const bad = graph(tensors, [node(kind, [0, ...absent], outputs, attributes)], [0], [1]);
      assert.throws(
        () => runPassesBy(operators, bad),
        (error) => error instanceof Pint8Error && /C\d+: expected/.test(error.message) && !/mistake/.test(error.hint),
      );
    });
