/** BatchNormalization in a network of quantized weights: within the product before it. */
import { NONE as ABSENT, type AnyNode, type Attributes, type TensorId } from "../../../graph.ts";
import { elementCount, floatsOf, type Tensor, typedCopy } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { isByte } from "../integer/network.ts";
import { isProduct, PRODUCTS, type Product } from "../integer/products.ts";
import type { Value } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { behind, channelNumbers } from "./conv.ts";

/** x·a + b per channel, by the weights and biases of the product before it where it is one. */
export function normalizedProduct(n: OnnxNode): void {
  const x = n.input(0);
  const id = x.shape.length < 3 ? n.plain(x) : n.last(x);
  const { factor, offset } = channelNumbers(n);
  const y = within(n, x, id, factor, offset);
  if (y === undefined) behind(n);
  else n.setLast(0, y, x.shape);
}

/** The product of quantized weights that x is, which nothing else reads, by weights and biases of other scales. */
function within(n: OnnxNode, x: Value, id: TensorId, factor: Float32Array, offset: Float32Array): TensorId | undefined {
  const { b, scope } = n;
  if (scope.readers(x.name).length !== 1 || scope.isOutput(x.name)) return undefined;
  const near = producer(n, id);
  const node = near?.kind === "reshape" ? producer(n, near.inputs[0] as TensorId) : near;
  if (node === undefined || !isProduct(node.kind) || ![...factor, ...offset].every(Number.isFinite)) return undefined;
  const at = PRODUCTS[node.kind];
  const [w, bias = ABSENT] = [node.inputs[at.w] as TensorId, node.inputs[at.bias]];
  const channels = b.tensor(node.outputs[0] as TensorId).shape.at(-1);
  if (!(bias === ABSENT || b.isConstant(bias)) || channels !== factor.length || b.tensor(id).shape.at(-1) !== channels)
    return undefined;
  const { shape } = b.tensor(w);
  if (shape[at.axis] !== channels) return undefined;
  const inner = elementCount(shape.slice(at.axis + 1));
  const origin = b.origins.get(w);
  const integers = origin === undefined ? undefined : rescaled(b.tensor(origin), factor, at.axis, inner);
  if (integers === undefined) return undefined;
  const weights = b.later({ dtype: "float32", shape }, () => {
    const values = floatsOf(b.tensor(w)).slice();
    eachChannel(values.length, channels, inner, (i, c) => {
      values[i] = (values[i] as number) * (factor[c] as number);
    });
    return new Uint8Array(values.buffer);
  });
  b.origins.set(weights, b.declare(integers));
  const before = bias === ABSENT ? [] : floatsOf(b.tensor(bias));
  const added = Float32Array.from(offset, (o, c) => (before[c] ?? 0) * (factor[c] as number) + o);
  const inputs = [...node.inputs];
  inputs[at.w] = weights;
  inputs[at.bias] = b.constant("float32", [channels], added);
  const [y] = n.add(
    node.kind,
    inputs,
    node.attributes as Attributes[Product],
    FLOAT,
    near === node ? n.outputs[0] : undefined,
  );
  return near === node ? y : n.add("reshape", [y, near?.inputs[1]], {}, FLOAT, n.outputs[0])[0];
}

/** Every element with its channel. */
function eachChannel(length: number, channels: number, inner: number, visit: (i: number, c: number) => void): void {
  for (let i = 0, c = 0; i < length; c = (c + 1) % channels) for (const end = i + inner; i < end; i++) visit(i, c);
}

/** The node that computes a tensor, among the last ones. */
function producer(n: OnnxNode, id: TensorId): AnyNode | undefined {
  const { nodes } = n.b;
  for (let i = nodes.length - 1; i >= 0; i--) if (nodes[i]?.outputs[0] === id) return nodes[i];
  return undefined;
}

/** Integers whose channels mean this many times as much; `undefined` where their type has no such ones. */
function rescaled(tensor: Tensor, factor: Float32Array, axis: number, inner: number): Tensor | undefined {
  const { dtype, quantization, data } = tensor;
  if (!isByte(dtype) || quantization === undefined || data === undefined || factor.includes(0)) return undefined;
  const { scale, zeroPoint } = quantization;
  if (scale.length > 1 && (quantization.axis !== axis || scale.length !== factor.length)) return undefined;
  const of = (list: readonly number[], c: number) => list[list.length === 1 ? 0 : c] as number;
  const values = typedCopy(dtype, data) as Int8Array;
  let isHeld = true;
  if (factor.some((f) => f < 0))
    eachChannel(values.length, factor.length, inner, (i, c) => {
      if ((factor[c] as number) > 0) return;
      const q = 2 * of(zeroPoint, c) - (values[i] as number);
      values[i] = q;
      if (values[i] !== q) isHeld = false;
    });
  if (!isHeld) return undefined;
  return {
    ...tensor,
    data: new Uint8Array(values.buffer),
    quantization: {
      scale: Array.from(factor, (f, c) => Math.fround(of(scale, c) * Math.abs(f))),
      zeroPoint: Array.from(factor, (_, c) => of(zeroPoint, c)),
      axis,
    },
  };
}
