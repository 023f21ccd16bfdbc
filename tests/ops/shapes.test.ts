/** Shapes that `infer` computes, loops merged for kernels, windows, and multipliers as TFLite computes them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endsOf } from "../../bindings/ops/bind.ts";
import { sub } from "../../bindings/ops/elementwise/sub.ts";
import { expandDims } from "../../bindings/ops/move/expandDims.ts";
import { reshape } from "../../bindings/ops/move/reshape.ts";
import { squeeze } from "../../bindings/ops/move/squeeze.ts";
import { mean } from "../../bindings/ops/pool/mean.ts";
import { meanMultiplier } from "../../bindings/ops/pool/reducing.ts";
import { broadcastShape, broadcastStrides, mergeLoops } from "../../bindings/primitives/broadcast.ts";
import { reorder, whole } from "../../bindings/primitives/move/view.ts";
import { walkCalls } from "../../bindings/primitives/move/walk.ts";
import type { KernelCall } from "../../bindings/primitives/registry.ts";
import { packer } from "../../bindings/primitives/requantize/packer.ts";
import { activationRange } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import { quantizeMultiplier } from "../reference/fixedpoint.ts";
import { checkOperator, tensor } from "../support/kernels.ts";

const A = { scale: 0.5, zeroPoint: 0 };
const int8 = (shape: readonly number[]) => tensor("int8", shape, A);
const ints = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));
const node = { where: "node 0", outputs: [int8([2, 3])] };

describe("inferred shapes", () => {
  test("RESHAPE by constant, attribute, or the declared output", () => {
    const shapeOf = (inputs: ReturnType<typeof int8>[], shape?: readonly number[]) =>
      reshape.infer({ ...node, inputs, attributes: shape === undefined ? {} : { shape } })[0]?.shape;
    assert.deepEqual(shapeOf([int8([6]), ints(3, -1)]), [3, 2]);
    assert.deepEqual(shapeOf([int8([6]), ints(-1)], [1, 6]), [6]);
    assert.deepEqual(shapeOf([int8([6])], [1, 6]), [1, 6]);
    assert.deepEqual(shapeOf([int8([6]), tensor("int32", [2])]), [2, 3]);
    assert.deepEqual(shapeOf([int8([0]), ints(0, -1)]), [0, 0]);
    assert.deepEqual(shapeOf([int8([1]), ints()]), []);
  });

  test("SQUEEZE and EXPAND_DIMS", () => {
    const squeezed = (shape: readonly number[], axes: readonly number[]) =>
      squeeze.infer({ ...node, inputs: [int8(shape)], attributes: { axes } })[0]?.shape;
    assert.deepEqual(squeezed([1, 3, 1], []), [3]);
    assert.deepEqual(squeezed([1, 3, 1], [-1]), [1, 3]);
    const expanded = (axis: number) =>
      expandDims.infer({ ...node, inputs: [int8([2, 3]), ints(axis)], attributes: {} })[0]?.shape;
    assert.deepEqual(expanded(0), [1, 2, 3]);
    assert.deepEqual(expanded(-1), [2, 3, 1]);
  });

  test("aliases fold to the same bytes", () => {
    const x = Int8Array.of(1, 2, 3, 4, 5, 6);
    const example = { inputs: [int8([6]), ints(2, 3)], values: [x, Int32Array.of(2, 3)], output: int8([2, 3]) };
    checkOperator({ name: "scalar", module: EMPTY, skip: false }, reshape, { ...example, attributes: {} }, x);
  });

  test("MEAN with and without the reduced dimensions", () => {
    const shapeOf = (keepDims: boolean, ...axes: number[]) =>
      mean.infer({ ...node, inputs: [int8([2, 3, 4]), ints(...axes)], attributes: { keepDims } })[0]?.shape;
    assert.deepEqual(shapeOf(true, 1, 1, -1), [2, 1, 1]);
    assert.deepEqual(shapeOf(false, 0), [3, 4]);
    assert.deepEqual(shapeOf(false), [2, 3, 4]);
  });
});

/** The smallest module: no kernel is called where an operator is an alias. */
const EMPTY = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));

describe("layouts", () => {
  test("broadcasting", () => {
    assert.deepEqual(broadcastShape([4, 1, 3], [5, 1]), [4, 5, 3]);
    assert.equal(broadcastShape([4], [3]), undefined);
    assert.deepEqual(broadcastShape([], [2, 0]), [2, 0]);
    assert.deepEqual(broadcastStrides([5, 1], [4, 5, 3]), [0, 1, 0]);
  });

  test("loops merge where every operand walks on", () => {
    const same = [broadcastStrides([2, 3, 4], [2, 3, 4]), broadcastStrides([2, 3, 4], [2, 3, 4])];
    assert.deepEqual(mergeLoops([2, 3, 4], same), { sizes: [24], strides: [[1], [1]] });
    const bias = [broadcastStrides([2, 3, 4], [2, 3, 4]), broadcastStrides([4], [2, 3, 4])];
    assert.deepEqual(mergeLoops([2, 3, 4], bias), {
      sizes: [6, 4],
      strides: [
        [4, 1],
        [0, 1],
      ],
    });
  });

  test("a transpose of whole rows copies runs", () => {
    const from = reorder(whole([2, 3, 4, 5]), [0, 2, 1, 3]);
    const [call] = walkCalls({ from, to: whole(from.sizes), size: 2 }, 16, 1024);
    const loops = { d0: 1, d1: 1, d2: 2, d3: 4, d4: 3, d5: 5, x0: 2, x1: 2, x2: 120, x3: 10, x4: 40, x5: 2 };
    assert.deepEqual(call, { kernel: "permute", params: { x: 16, y: 1024, size: 2, ...loops } });
  });

  test("windows: SAME puts the odd row after", () => {
    assert.deepEqual(placeWindow(10, 3, 2, 1, "same", "height"), { out: 5, before: 0, after: 1 });
    assert.deepEqual(placeWindow(10, 3, 2, 1, "valid", "height"), { out: 4, before: 0, after: 0 });
    assert.deepEqual(placeWindow(5, 3, 1, 2, "same", "width"), { out: 5, before: 2, after: 2 });
    const pads = { top: 1, bottom: 2, left: 3, right: 0 };
    assert.deepEqual(placeWindow(5, 3, 1, 1, pads, "height"), { out: 6, before: 1, after: 2 });
    assert.deepEqual(placeWindow(5, 3, 1, 1, pads, "width"), { out: 6, before: 3, after: 0 });
  });
});

describe("multipliers", () => {
  test("SUB's are quotients of doubles, b's negative", () => {
    const affine = (scale: number) => ({ scale: Math.fround(scale), zeroPoint: 0 });
    const [a, b, y] = [affine(0.1), affine(0.03), affine(0.07)];
    const calls: KernelCall[] = [];
    const example = { where: "node 0", attributes: { activation: "none" as const } };
    const inputs = [tensor("int8", [4], a), tensor("int8", [4], b)];
    const outputs = [tensor("int8", [4], y)];
    sub.lower?.(
      { ...example, inputs, outputs },
      {
        module: "scalar",
        optimize: "speed",
        packer,
        ...endsOf({
          inputs: inputs.map((input) => ({ ...input, address: 64 })),
          outputs: outputs.map((output) => ({ ...output, address: 128 })),
        }),
        place: () => 0,
        scratch: () => ({ scratch: 0, scratchStride: 0 }),
        call: (call) => calls.push(call),
      },
    );
    const params = calls[0]?.params as { bMultiplier: number; bShift: number; yMultiplier: number; yShift: number };
    const twice = 2 * a.scale;
    const wanted = quantizeMultiplier(b.scale / twice);
    assert.deepEqual([params.bMultiplier, params.bShift], [-wanted.multiplier, wanted.shift]);
    const output = quantizeMultiplier(twice / (2 ** 20 * y.scale));
    assert.deepEqual([params.yMultiplier, params.yShift], [output.multiplier, output.shift]);
    assert.notEqual(output.multiplier, quantizeMultiplier(Math.fround(twice / (2 ** 20 * y.scale))).multiplier);
  });

  test("MEAN's holds 1/count, and stays inside the shifts that int32 has", () => {
    const { multiplier, shift } = meanMultiplier(1, 49);
    assert.ok(Math.abs(multiplier * 2 ** (shift - 31) - 1 / 49) < 2 ** -30);
    assert.ok(meanMultiplier(2 ** -28, 4096).shift >= -31);
  });

  test("clamps of activations", () => {
    const affine = { scale: Math.fround(6 / 255), zeroPoint: -128 };
    assert.deepEqual(activationRange("relu6", "int8", affine), { lo: -128, hi: 127 });
    assert.deepEqual(activationRange("relu", "int8", { scale: 0.1, zeroPoint: 3 }), { lo: 3, hi: 127 });
    assert.deepEqual(activationRange("reluN1To1", "int8", { scale: 0.5, zeroPoint: 3 }), { lo: 1, hi: 5 });
    assert.deepEqual(activationRange("relu6", "uint8", { scale: 1e-30, zeroPoint: 0 }), { lo: 0, hi: 255 });
  });
});
