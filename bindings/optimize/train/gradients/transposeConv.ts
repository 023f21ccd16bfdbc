/** Transposed convolutions: forward is the gradient of a convolution's input, and the other way round. */
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import { placeWindow } from "../../../primitives/window.ts";
import { dimensions } from "../../../tensor.ts";
import { convolve } from "./conv2d.ts";
import { finishForward, startBackward } from "./finish.ts";
import { type Mixture, mix, turned } from "./mixture.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";
import { unary } from "./unary.ts";

type Kind = "transposeConv" | "transposeConvBias";

/** With the inputs output shape, weights, x, bias. */
export const transposeConv = transposing<"transposeConv">(1, 2, 3);
/** With the inputs x, weights, bias. */
export const transposeConvBias = transposing<"transposeConvBias">(1, 0, 2);

/** y = clamp(Wᵀ · x, each pixel's product put at its place, + bias). dx = the convolution of dy by W; dW = xᵀ · patches of dy. */
function transposing<K extends Kind>(input: number, x: number, bias: number): Gradient<K> {
  const sizesOf = (view: NodeView<K>) => geometryOf(view as NodeView<Kind>, x);
  const activationOf = ({ attributes }: NodeView<K>) => ("activation" in attributes ? attributes.activation : "none");
  return {
    weights: { input, bias, axis: 0 },
    forward(node, view, tape) {
      const { g, rows, channels, macs, turn } = sizesOf(view);
      const activation = activationOf(view);
      const norm = tape.norm(node as Node);
      const y = tape.value(node.outputs[0] as TensorId);
      const d = norm?.z ?? y;
      const w = turnedWeights(node as Node, tape, turn);
      const own = { ...g, x: 0, w, dy: tape.value(node.inputs[x] as TensorId), d, accumulate: 0 };
      tape.call({ kernel: "convGradInputF32", params: own }, { macs });
      const count = rows * channels;
      const added = tape.bias(node as Node);
      // One row for all positions: images of no rows.
      const same = { images: rows, from: 0, width: channels, rows: [[[0, 1] as const]] };
      if (!norm && added) mix(tape, same, added.value, y, 1);
      if (!norm && activation !== "none") unary(tape, UNARY_F32.clamp, y, y, count, BOUNDS[activation]);
      finishForward(node as Node, activation, { rows, channels }, tape);
    },
    backward(node, view, tape) {
      const { g, rows, channels, macs, turn, weights } = sizesOf(view);
      const dy = startBackward(node as Node, activationOf(view), { rows, channels }, tape);
      const from = tape.value(node.inputs[x] as TensorId);
      const d = tape.temporary(weights);
      const own = { ...g, x: dy, w: 0, dy: from, d, accumulate: 0 };
      tape.call({ kernel: "convGradWeightsF32", params: own }, { macs });
      mix(tape, turned(turn), d, tape.weights(node as Node).gradient);
      const target = tape.give(node.inputs[x] as TensorId);
      if (target === undefined) return;
      const w = turnedWeights(node as Node, tape, turn);
      const count = g.batch * g.outH * g.outW * g.outC;
      const to = target.accumulate ? tape.temporary(count) : target.address;
      convolve(tape, g, { x: dy, w, y: to });
      if (target.accumulate) pair(tape, { a: to, b: target.address, y: target.address, count, form: PAIR.sum });
    },
  };
}

/** The convolution whose input has the place of y and whose output that of x, and the turn from `[O,kH,kW,C]` to its weights `[C,kH,kW,O]`. */
function geometryOf(view: NodeView<Kind>, x: number) {
  const [batch, outH, outW, outC] = dimensions(inputOf(view, x).shape, 4);
  const [, inH, inW, inC] = dimensions(outputOf(view).shape, 4);
  const [, kH, kW] = dimensions(inputOf(view, 1).shape, 4);
  const { stride, padding } = view.attributes;
  const [strideH, strideW] = stride;
  const padTop = placeWindow(inH, kH, strideH, 1, padding, "height").before;
  const padLeft = placeWindow(inW, kW, strideW, 1, padding, "width").before;
  const sizes = { batch, inH, inW, inC, outH, outW, outC, kH, kW };
  const g = { ...sizes, strideH, strideW, dilationH: 1, dilationW: 1, padTop, padLeft };
  const taps = kH * kW;
  const weights = taps * inC * outC;
  const turn: Mixture = {
    ...{ images: 1, from: weights, width: 1 },
    rows: Array.from({ length: weights }, (_, at) => {
      const [o, c] = [at % inC, Math.floor(at / (taps * inC))];
      const tap = Math.floor(at / inC) % taps;
      return [[(o * taps + tap) * outC + c, 1] as const];
    }),
  };
  return { g, rows: batch * inH * inW, channels: inC, macs: batch * outH * outW * outC * taps * inC, turn, weights };
}

function turnedWeights(node: Node, tape: Tape, turn: Mixture): number {
  const w = tape.temporary(turn.from);
  mix(tape, turn, tape.weights(node).value, w);
  return w;
}
