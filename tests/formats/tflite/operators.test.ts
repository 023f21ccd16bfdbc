/** The table of .tflite operators: each number's kind is named after the operator that the schema has at that number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allEntries } from "../../../bindings/formats/tflite/operators.ts";
import { OPERATOR_NAMES } from "../../../bindings/formats/tflite/schema.ts";

/** Kinds with names of their own. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  MULTINOMIAL: "random",
  RANDOM_STANDARD_NORMAL: "random",
  RANDOM_UNIFORM: "random",
  BATCH_TO_SPACE_ND: "batchToSpace",
  BIDIRECTIONAL_SEQUENCE_LSTM: "bidirectionalLstm",
  BIDIRECTIONAL_SEQUENCE_RNN: "bidirectionalRnn",
  CONCATENATION: "concat",
  PADV2: "pad",
  REVERSE_V2: "reverse",
  SPACE_TO_BATCH_ND: "spaceToBatch",
  STABLEHLO_CBRT: "cbrt",
  STABLEHLO_COMPOSITE: "call",
  STABLEHLO_ADD: "add",
  STABLEHLO_MAXIMUM: "maximum",
  STABLEHLO_MINIMUM: "minimum",
  STABLEHLO_MULTIPLY: "mul",
  STABLEHLO_REDUCE_WINDOW: "reduceWindow",
  STABLEHLO_SCATTER: "scatter",
  TOPK_V2: "topK",
  UNIDIRECTIONAL_SEQUENCE_LSTM: "lstm",
  UNIDIRECTIONAL_SEQUENCE_RNN: "rnn",
};

const bare = (name: string): string => name.toLowerCase().replaceAll("_", "");

test("each number's kind is its operator's", () => {
  const entries = Object.entries(allEntries()).flatMap(([code, entry]) =>
    entry === undefined ? [] : [[code, entry] as const],
  );
  assert.ok(entries.length > 140);
  for (const [code, { kind }] of entries) {
    const name = OPERATOR_NAMES[Number(code)] as string;
    assert.equal(bare(kind), bare(OWN_NAMES[name] ?? name), `${code} is ${name}`);
  }
});
