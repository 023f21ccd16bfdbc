/** What errors say is to be done about a type, by the types that an operator takes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { typeHint } from "../../bindings/ops/constraints.ts";
import type { DType } from "../../bindings/tensor.ts";

const CASES: readonly (readonly [dtypes: readonly DType[], hint: string])[] = [
  [["float32"], "Convert the model, or this part of it, to float32."],
  [["int8", "float32"], "Convert the model, or this part of it, to full integer (int8) quantization or float32."],
  [["int16"], "Convert the model, or this part of it, to int16 activations with int8 weights."],
  [["int32", "int64"], "Put a CAST to int32 or int64 before it."],
  [["bool"], "Put a CAST to bool before it."],
];

describe("hints of types", () => {
  for (const [dtypes, hint] of CASES) test(dtypes.join(), () => assert.equal(typeHint(dtypes), hint));
});
