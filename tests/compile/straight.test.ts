/** Small products as code of their own: the reference's bytes, without kernel and data; what does not fit keeps the kernel. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readKernels } from "../../bindings/compile/kernels.ts";
import { layoutOf } from "../../bindings/compile/layout.ts";
import { link } from "../../bindings/compile/link.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Optimize } from "../../bindings/primitives/modules.ts";
import { quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import { graph, int32, node, tensor } from "../passes/graphs.ts";
import { convolution } from "../reference/convolution.ts";

interface Layer {
  readonly weights: Int8Array;
  readonly bias: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
  readonly activation: "none" | "relu" | "relu6";
}

const X_ZERO_POINT = -3;
const quantization = (scale: number, zeroPoint: number) => ({ scale: [scale], zeroPoint: [zeroPoint], axis: 0 });

/** Layers one after the other; scales of inputs and weights are 1, so a layer's own is what its output's is. */
function networkOf(inputs: number, layers: readonly Layer[]) {
  const tensors = [tensor("x", [1, inputs], { quantization: quantization(1, X_ZERO_POINT) })];
  const nodes = layers.map(({ weights, bias, scale, zeroPoint, activation }, i) => {
    const n = bias.length;
    const last = tensors.length - 1;
    const before = layers[i - 1]?.scale ?? 1;
    tensors.push(
      tensor("w", [n, weights.length / n], {
        data: new Uint8Array(weights.buffer),
        quantization: quantization(1 / before, 0),
      }),
      tensor("b", [n], { dtype: "int32", data: int32(...bias), quantization: quantization(1, 0) }),
      tensor(`y${i}`, [1, n], { quantization: quantization(scale, zeroPoint) }),
    );
    const attributes = { activation, keepDims: false, asymmetric: false };
    return node("fullyConnected", [last, last + 1, last + 2], [last + 3], attributes);
  });
  return graph(tensors, nodes, [0], [tensors.length - 1]);
}

function expected(x: Int8Array, layers: readonly Layer[]): Int8Array {
  let xZeroPoint = X_ZERO_POINT;
  return layers.reduce((values, { weights, bias, scale, zeroPoint, activation }) => {
    const step = (real: number) => Math.min(Math.max(zeroPoint + Math.round(real / scale), -128), 127);
    const y = convolution({
      x: values,
      xShape: [1, 1, 1, values.length],
      w: weights,
      bias: Int32Array.from(bias),
      kernel: [1, 1],
      stride: [1, 1],
      dilation: [1, 1],
      before: [0, 0],
      yShape: [1, 1, 1, bias.length],
      xZeroPoint,
      yZeroPoint: zeroPoint,
      multipliers: [quantizeMultiplier(1 / scale)],
      lo: activation === "none" ? -128 : step(0),
      hi: activation === "relu6" ? step(6) : 127,
      depthwise: false,
    });
    xZeroPoint = zeroPoint;
    return y;
  }, x);
}

async function compiled(inputs: number, layers: readonly Layer[], optimize: Optimize) {
  const kernels = await readKernels("scalar");
  const network = runPasses(networkOf(inputs, layers));
  const plan = planGraph(network, { module: "scalar", moduleHash: kernels.hash, optimize });
  const layout = layoutOf(plan, optimize);
  const wasm = await link(plan, kernels, layout, optimize);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>));
  const { memory, invoke } = exports as { readonly memory: WebAssembly.Memory; readonly invoke: () => number };
  const run = (x: Int8Array) => {
    new Int8Array(memory.buffer).set(x, plan.inputs[0]?.address);
    invoke();
    return new Int8Array(memory.buffer, plan.outputs[0]?.address, plan.outputs[0]?.bytes).slice();
  };
  return { run, wasm, straight: layout.straight.size, segments: layout.segments.length };
}

const byte = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 127, 0));
const bytes = (length: number) =>
  fc.array(byte, { minLength: length, maxLength: length }).map((all) => Int8Array.from(all));
const layer = (inputs: number, outputs: number): fc.Arbitrary<Layer> =>
  fc.record({
    weights: bytes(inputs * outputs).map((w) => w.map((value) => Math.max(value, -127))),
    bias: fc.array(fc.integer({ min: -200000, max: 200000 }), { minLength: outputs, maxLength: outputs }),
    // Halves and quarters give ties; a scale under 1 needs a shift to the left, which the kernel keeps.
    scale: fc.oneof(fc.double({ min: 0.7, max: 5000, noNaN: true }).map(Math.fround), fc.constantFrom(1, 2, 64, 1024)),
    zeroPoint: byte,
    activation: fc.constantFrom("none", "relu", "relu6"),
  });
const networks = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 7 }))
  .chain(([inputs, middle, outputs]) =>
    fc.record({
      layers: fc.tuple(layer(inputs, middle), layer(middle, outputs)),
      inputs: fc.array(bytes(inputs), { minLength: 20, maxLength: 20 }),
    }),
  );

test("equals the reference, by rows of products and by code", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(networks, fc.constantFrom("size", "speed"), async ({ layers, inputs }, optimize) => {
      const { run, straight } = await compiled(inputs[0]?.length ?? 0, layers, optimize);
      seen.add(`${optimize} ${straight}`);
      for (const x of inputs) assert.deepEqual(run(x), expected(x, layers));
    }),
    { numRuns: 40 },
  );
  assert.ok(seen.has("size 2") && seen.has("speed 2") && seen.has("size 0"), [...seen].join());
});

const plain = (inputs: number, outputs: number, weight: number): Layer => ({
  weights: new Int8Array(inputs * outputs).fill(weight),
  bias: new Array<number>(outputs).fill(5),
  scale: 100,
  zeroPoint: 4,
  activation: "none",
});

test("neither kernel nor data where all is code; weights that a kernel reads, too, stay", async () => {
  const small = await compiled(16, [plain(16, 3, 7)], "size");
  assert.deepEqual([small.straight, small.segments], [1, 0]);
  assert.ok(small.wasm.length < 1500, `${small.wasm.length} bytes`);
  // 129 inputs are too many for code; one input more is too much for sums of 21 bits.
  for (const [inputs, weight] of [
    [129, 1],
    [128, 127],
  ] as const) {
    const layers = [plain(inputs, 3, weight)];
    const { run, straight } = await compiled(inputs, layers, "speed");
    assert.equal(straight, 0);
    const x = new Int8Array(inputs).fill(127);
    assert.deepEqual(run(x), expected(x, layers));
  }
  // The first of these shifts to the left, so it keeps the kernel, and both have the same weights.
  const layers = [{ ...plain(4, 4, 1), scale: 0.3 }, plain(4, 4, 1)];
  const { run, straight } = await compiled(4, layers, "speed");
  assert.equal(straight, 1);
  for (const x of [Int8Array.of(1, 2, 3, 4), Int8Array.of(-128, 127, 9, 0)])
    assert.deepEqual(run(x), expected(x, layers));
});
