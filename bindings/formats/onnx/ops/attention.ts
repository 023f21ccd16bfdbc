/** Attention in its three spellings. */
import type { TensorId } from "../../../graph.ts";
import { GREATEST_FLOAT, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { BOOL as bool, FLOAT as float, INT32 } from "../types.ts";
import { real } from "./cast.ts";
import { centredProduct } from "./dequantized.ts";
import { columns, heads, joined, joint } from "./heads.ts";
import { product } from "./matmul.ts";
import { cast, channelled, entries, optional, reshapedTo, sized } from "./move.ts";
import { attend, attended, causal, farWhereZero, windowed } from "./scores.ts";

/** Lengths `[B]`, or ends and starts `[2B]`, as what is added to the scores. */
function farOutside(n: OnnxNode, lengths: TensorId, batch: number, keys: number, far: number): TensorId {
  const all = cast(n, lengths, "int32");
  const places = n.b.integers(Array.from({ length: entries(n, keys) }, (_, i) => i));
  const cut = (i: number) => {
    const inputs = [all, n.b.integers([i * batch]), n.b.integers([batch])];
    const [slice] = n.add("slice", inputs, {}, INT32);
    return reshapedTo(n, slice as TensorId, [batch, 1]);
  };
  let isKept = n.add("less", [places, cut(0)], {}, bool)[0];
  if (n.b.tensor(lengths).shape[0] === 2 * batch) {
    const [after] = n.add("greaterEqual", [places, cut(1)], {}, bool);
    [isKept] = n.add("logicalAnd", [isKept, after], {}, bool);
  }
  const [bias] = n.add("selectV2", [isKept, n.b.float(0), n.b.float(far)], {}, float);
  return reshapedTo(n, bias as TensorId, [batch, 1, 1, keys]);
}

/** com.microsoft's masks in all their shapes. */
function maskBias(n: OnnxNode, mask: Value, batch: number, queries: number, keys: number, far: number): TensorId {
  const id = n.plain(mask);
  const { shape } = mask;
  if (shape.length === 1 && (shape[0] === batch || shape[0] === 2 * batch)) return farOutside(n, id, batch, keys, far);
  if (shape.length === 2) return farWhereZero(n, id, [batch, 1, 1, keys], far);
  if (shape.length === 3) return farWhereZero(n, id, [batch, 1, queries, keys], far);
  return n.refuse("a mask of lengths, keys, or queries and keys", listText(shape));
}

/** What goes on after the projections of com.microsoft's Attention. */
function packedAttention(n: OnnxNode, qkv: TensorId, places: { mask: number; past: number; bias: number }): void {
  const [batch, length, width] = sized(n, n.b.tensor(qkv).shape, 3);
  const count = n.int("num_heads", 1);
  if (n.int("do_rotary", 0) !== 0) n.refuse("positions that are not rotated", "rotated ones");
  const third = width / 3;
  const sizes = (n.ints("qkv_hidden_sizes") ?? [third, third, third]) as readonly [number, number, number];
  if (sizes.length !== 3) n.refuse("three qkv_hidden_sizes", listText(sizes));
  const [qs, ks, vs] = sizes;
  const far = n.float("mask_filter_value", -10000);
  const biases: TensorId[] = [];
  const past = optional(n, places.past);
  const grown = (x: TensorId, i: number) => (past === undefined ? x : joint(n, [part(n, past, i), x], 2));
  const k = grown(heads(n, columns(n, qkv, qs, ks), count), 0);
  const v = grown(heads(n, columns(n, qkv, qs + ks, vs), count), 1);
  const keys = n.b.tensor(k).shape[2] as number;
  // beside the -10000 of masked keys fractions get lost: masks come last
  if (n.inputs[places.bias] !== undefined) biases.push(n.plain(n.input(places.bias)));
  if (n.inputs[places.mask] !== undefined) biases.push(maskBias(n, n.input(places.mask), batch, length, keys, far));
  if (n.int("unidirectional", 0) !== 0) biases.push(causal(n, length, keys, -GREATEST_FLOAT));
  const given = n.float("scale", 0);
  const y = attend(n, {
    q: heads(n, columns(n, qkv, 0, qs), count),
    k,
    v,
    scale: given === 0 ? 1 / Math.sqrt(qs / count) : given,
    biases,
  });
  n.setPlain(0, joined(n, y));
  if (n.outputs[1])
    n.setPlain(
      1,
      joint(
        n,
        [k, v].map((id) => reshapedTo(n, id, [1, ...n.b.tensor(id).shape])),
        0,
      ),
    );
}

/** Entry i of the first dimension, which goes away. */
function part(n: OnnxNode, x: TensorId, i: number): TensorId {
  const inputs = [x, n.b.integers([i], [])];
  return n.add("gather", inputs, { axis: 0, batchDims: 0 }, float)[0] as TensorId;
}

function microsoftAttention(n: OnnxNode): void {
  const [x, w] = [n.input(0), n.input(1)];
  const projected = product(n, n.plain(x), x.shape, n.plain(w), w.shape);
  const qkv = n.inputs[2] === undefined ? projected : real(n, "add", projected, n.plain(n.input(2)));
  packedAttention(n, qkv, { mask: 3, past: 4, bias: 5 });
}

/** The same with the projection of integers. */
function quantizedAttention(n: OnnxNode): void {
  const acc = centredProduct(n, n.input(0), n.inputs[6], n.input(1), n.inputs[7]);
  const scale = real(n, "mul", n.plain(n.input(3)), n.plain(n.input(4)));
  packedAttention(n, real(n, "add", real(n, "mul", acc, scale), n.plain(n.input(2))), { mask: 5, past: 8, bias: -1 });
}

/** query, key, value, their bias, a mask of keys, what is added to the scores. */
function multiHead(n: OnnxNode): void {
  const count = n.int("num_heads", 1);
  const [query, key, value] = [n.input(0), n.input(1), n.input(2)];
  const width = query.shape[2] as number;
  const bias = optional(n, 3);
  const side = (x: Value, from: number, size: number) => {
    if (x.shape.length === 4) return n.plain(x);
    const id = n.plain(x);
    return heads(n, bias === undefined ? id : real(n, "add", id, columns(n, bias, from, size)), count);
  };
  const grown = (id: TensorId, past: number) =>
    n.inputs[past] === undefined ? id : joint(n, [n.plain(n.input(past)), id], 2);
  const [q, k] = [side(query, 0, width), grown(side(key, width, width), 6)];
  const v = grown(side(value, 2 * width, value.shape[2] as number), 7);
  const keys = n.b.tensor(k).shape[2] as number;
  const [batch, length] = channelled(n, query.shape);
  const far = n.float("mask_filter_value", -10000);
  const biases: TensorId[] = [];
  if (n.inputs[5] !== undefined) biases.push(n.plain(n.input(5)));
  if (n.inputs[4] !== undefined) biases.push(maskBias(n, n.input(4), batch, length, keys, far));
  const past = n.inputs[6] === undefined ? 0 : (n.input(6).shape[2] as number);
  // onnxruntime lets the last query see every key
  if (n.int("unidirectional", 0) !== 0) biases.push(causal(n, length, keys, -GREATEST_FLOAT, past, length - 1));
  const given = n.float("scale", 0);
  const scale = given === 0 ? 1 / Math.sqrt(width / count) : given;
  n.setPlain(0, joined(n, attend(n, { q, k, v, scale, biases })));
  if (n.outputs[1]) n.setPlain(1, k);
  if (n.outputs[2]) n.setPlain(2, v);
}

/** ONNX's own: Q, K, V, a mask, past keys and values. */
function attention(n: OnnxNode): void {
  const [query, key, value] = [n.input(0), n.input(1), n.input(2)];
  const isFlat = query.shape.length === 3;
  const side = (x: Value, name: string) => (isFlat ? heads(n, n.plain(x), n.int(name, 1)) : n.plain(x));
  const q = side(query, "q_num_heads");
  const grown = (x: TensorId, past: number) =>
    n.inputs[past] === undefined ? x : joint(n, [n.plain(n.input(past)), x], 2);
  const [k, v] = [grown(side(key, "kv_num_heads"), 4), grown(side(value, "kv_num_heads"), 5)];
  const [, , length, width] = sized(n, n.b.tensor(q).shape, 4);
  const keys = n.b.tensor(k).shape[2] as number;
  const past = n.inputs[4] === undefined ? 0 : (n.input(4).shape[2] as number);
  const window = windowed(n, length, keys, past);
  const biases = window === undefined ? [] : [window];
  const mask = n.inputs[3];
  if (mask !== undefined) {
    const id = n.plain(mask);
    const bias = mask.dtype === "bool" ? farWhereZero(n, id, mask.shape, -Infinity) : id;
    // keys that it does not reach are not seen
    const [size = keys] = mask.shape.slice(-1);
    const pads = mask.shape.flatMap((_, d) => [0, d < mask.shape.length - 1 || size === 1 ? 0 : keys - size]);
    const inputs = [bias, n.b.integers(pads, [mask.shape.length, 2]), n.b.float(-Infinity)];
    biases.push(size < keys && size > 1 ? (n.add("pad", inputs, {}, float)[0] as TensorId) : bias);
  }
  const scale = n.attribute("scale")?.float ?? 1 / Math.sqrt(width);
  const softcap = n.float("softcap", 0);
  const mayBeBlind = mask !== undefined || n.inputs[6] !== undefined || n.int("right_window_size", -1) >= 0;
  const { y, scores } = attended(n, { q, k, v, scale, biases, softcap, mayBeBlind, rounded: n.rounded });
  n.setPlain(0, isFlat ? joined(n, y) : y);
  n.setPlain(1, k);
  n.setPlain(2, v);
  // as onnxruntime has it: softcap comes before the mask
  const seen = scores[n.int("qk_matmul_output_mode", 0)];
  if (n.outputs[3]) n.setPlain(3, seen ?? n.refuse("qk_matmul_output_mode 0 to 3", "another"));
}

export const ATTENTION: Conversions = {
  Attention: attention,
  "com.microsoft.Attention": microsoftAttention,
  "com.microsoft.MultiHeadAttention": multiHead,
  "com.microsoft.QAttention": quantizedAttention,
};
