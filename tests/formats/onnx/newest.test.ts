/** ONNX operators of opsets from 24 on. The expected numbers are those of the ONNX project's own tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec } from "../build-onnx.ts";

async function run(
  node: Partial<NodeSpec> & { readonly operator: string },
  inputs: readonly { readonly dims: readonly number[]; readonly values: Float32Array | BigInt64Array }[],
  initializers: GraphSpec["initializers"] = [],
): Promise<readonly number[]> {
  const names = inputs.map((_, i) => `x${i}`);
  const spec: GraphSpec = {
    nodes: [{ ...node, inputs: [...names, ...initializers.map(({ name }) => name)], outputs: ["y"] }],
    inputs: inputs.map(({ dims, values }, i) => ({
      name: names[i] as string,
      type: values instanceof Float32Array ? 1 : 7,
      dims,
    })),
    outputs: [{ name: "y" }],
    initializers,
  };
  const model = await loadModel(buildOnnx(spec, 28), { module: "simd" });
  const [y] = Object.values(model.run(inputs.map(({ values }) => values) as never));
  model.close();
  return Array.from(y as unknown as ArrayLike<number>);
}

const floats = (dims: readonly number[], ...values: readonly number[]) => ({ dims, values: Float32Array.from(values) });

test("BitCast: the bits of floats", async () => {
  const y = await run({ operator: "BitCast", int: { to: 6 } }, [floats([2, 2], 1, 2, 3, -4)]);
  assert.deepEqual(y, [1065353216, 1073741824, 1077936128, -1065353216]);
});

test("CumProd in both directions, with and without the element itself", async () => {
  const products = (reverse: number, exclusive: number) =>
    run(
      { operator: "CumProd", int: { reverse, exclusive } },
      [floats([5], 1, 2, 3, 4, 5)],
      [{ name: "axis", dims: [], type: 7, values: [0] }],
    );
  assert.deepEqual(await products(0, 0), [1, 2, 6, 24, 120]);
  assert.deepEqual(await products(0, 1), [1, 1, 2, 6, 24]);
  assert.deepEqual(await products(1, 0), [120, 120, 60, 20, 5]);
  assert.deepEqual(await products(1, 1), [120, 60, 20, 5, 1]);
});

test("SwiGLU: a gate with its alpha", async () => {
  const y = await run({ operator: "SwiGLU", float: { alpha: 0.5 } }, [floats([2], 1, -2), floats([2], 0.5, 1)]);
  for (const [i, value] of [0.3112296760082245, -0.5378828048706055].entries())
    assert.ok(Math.abs((y[i] as number) - value) < 1e-6, `${y[i]}, not ${value}`);
});

test("TensorScatter: updates from a place of each sample on, round the end of the cache", async () => {
  const past = floats([2, 4, 2], 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18);
  const update = floats([2, 2, 2], 21, 22, 23, 24, 31, 32, 33, 34);
  const at = { dims: [2], values: BigInt64Array.of(1n, 3n) };
  const y = await run({ operator: "TensorScatter", string: { mode: "circular" } }, [past, update, at]);
  assert.deepEqual(y, [1, 2, 21, 22, 23, 24, 7, 8, 33, 34, 13, 14, 15, 16, 31, 32]);
});
