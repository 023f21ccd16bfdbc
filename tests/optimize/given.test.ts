/** What programs without types pass: a Pint8Error that says where, what and what to do, never a TypeError of the engine's own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as optimize from "../../bindings/public/optimize.ts";
import { freshNetwork, Pint8Error } from "../../bindings/public/optimize.ts";

const graph = freshNetwork("ds-cnn:0.25", { shape: [1, 8, 8, 1], classes: 2, seed: 0 });
/** Functions that take anything, or whose argument is read only when it is gone through. */
const LAZY = ["ahead", "batches"];
const functions = Object.entries(optimize).filter(
  ([name, value]) => typeof value === "function" && name !== "Pint8Error" && !LAZY.includes(name),
) as unknown as readonly (readonly [string, (...given: readonly unknown[]) => unknown])[];

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("functions without what they need", () => {
  const calls: { readonly [text: string]: readonly unknown[] } = {
    nothing: [],
    "{}": [{}],
    null: [null],
    "5": [5],
    "{}, {}": [{}, {}],
  };
  for (const [name, run] of functions)
    for (const [text, given] of Object.entries(calls))
      test(`${name}(${text})`, async () => {
        const error = await errorOf(() => run(...given));
        assert.ok(error instanceof Pint8Error, `${error}`);
        assert.match(error.message, /: expected .+, received .+/);
        assert.notEqual(error.hint, "", error.message);
      });

  for (const name of ["quantize", "prune", "train", "distil", "evaluate"] as const) {
    const [, run] = functions.find(([each]) => each === name) as (typeof functions)[number];
    for (const data of [{}, 5, null, [{ inputs: [] }]])
      test(`${name}(graph, ${JSON.stringify(data)})`, async () => {
        const error = await errorOf(() => run(graph, data, name === "distil" ? { student: graph } : {}));
        assert.ok(error instanceof Pint8Error, `${error}`);
        assert.match(error.hint, /datasetOf/);
      });
    test(`${name}: a mistyped option is named`, async () => {
      const data = optimize.datasetOf([{ inputs: [new Float32Array(64)], label: 0 }]);
      const wrong = name === "distil" ? { student: "ds-cnn", epoch: 1 } : { signall: 1 };
      const error = await errorOf(() => run(graph, data, wrong));
      assert.ok(error instanceof Pint8Error && error.code === "INVALID_OPTION", `${error}`);
      assert.match(error.hint, name === "distil" ? /"epochs"/ : /"signal"/);
    });
  }
});
