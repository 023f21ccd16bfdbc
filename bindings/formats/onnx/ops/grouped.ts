/** GroupQueryAttention of onnxruntime: the attention of language models, with the keys and values of tokens before. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { NONE } from "../types.ts";
import { columns, heads, joined, joint, zeros } from "./heads.ts";
import { cast, entries, optional, reshapedTo, sized } from "./move.ts";
import { rootMeanSquared } from "./normalize.ts";
import { anglesAt, turned } from "./rotary.ts";
import { attend } from "./scores.ts";

const [PAST, LENGTHS, TOTAL, COSINES, SINES, POSITIONS, BIAS, SINK, NORM] = [3, 5, 6, 7, 8, 9, 10, 11, 14] as const;

/** 0 to `count` - 1. */
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/**
 * Query, key, value (or all three as the first), past keys and values `[B,K,P,d]`, how many tokens each sample has in all less 1,
 * how many there are at most, caches of cosines and sines, positions, what is added to scores, scores of no key. New keys
 * stand behind the past ones that count, zeros behind them; a prompt, which is all the tokens there are, has no past.
 */
function groupQueryAttention(n: OnnxNode): void {
  const [count, own] = [n.int("num_heads", 1), n.int("kv_num_heads", 1)];
  const query = n.plain(n.input(0));
  const isPacked = n.inputs[1] === undefined;
  const [batch, length, all] = sized(n, n.b.tensor(query).shape, 3);
  const width = all / (isPacked ? count + 2 * own : count);
  const given = (i: number) => optional(n, i);
  const side = (i: number, from: number, size: number) =>
    heads(n, isPacked ? columns(n, query, from * width, size * width) : n.plain(n.input(i)), size);
  let [q, k] = [side(0, 0, count), side(1, count, own)];
  const v = side(2, count + own, own);
  for (const type of ["k_quant_type", "v_quant_type"])
    if (n.string(type, "NONE") !== "NONE") n.refuse("keys and values of floats", `${type} ${n.string(type, "")}`);
  if (n.inputs.length > 16) n.refuse("16 inputs at most", `${n.inputs.length}`);
  if (n.outputs[3]) n.refuse("an output of scores that nobody asks for", `"${n.outputs[3]}"`);

  const past = n.inputs[PAST] === undefined ? 0 : (n.input(PAST).shape[2] as number);
  const total = n.number(TOTAL, 0);
  const keys = Math.max(past, total);
  const isPrompt = length === total;
  const add = adderOf(n, "int32");
  const whole = (value: number) => n.b.integers([value], []);
  /** How many keys count, `[B,1]`, and how many of the past. */
  const counts = add("add", [reshapedTo(n, cast(n, n.plain(n.input(LENGTHS)), "int32"), [batch, 1]), whole(1)], NONE);
  const before = isPrompt ? n.b.integers([0], [1, 1]) : add("sub", [counts, whole(length)], NONE);

  [q, k] = [q, k].map((x, i) => {
    const scale = given(NORM + i);
    return scale === undefined ? x : rootMeanSquared(n, x, [3], n.float("qk_norm_epsilon", 1e-6), scale);
  }) as [TensorId, TensorId];
  if (n.int("do_rotary", 0) !== 0) {
    const steps = [n.b.integers(upTo(entries(n, length)), [1, length]), before];
    const at = given(POSITIONS) ?? add("add", steps, NONE);
    const angles = (i: number) => {
      const rows = anglesAt(n, n.plain(n.input(i)), at);
      const [samples, , half] = sized(n, n.b.tensor(rows).shape, 3);
      return reshapedTo(n, rows, [samples, 1, length, half]);
    };
    const [cosines, sines, isPaired] = [angles(COSINES), angles(SINES), n.int("rotary_interleaved", 0) !== 0];
    [q, k] = [q, k].map((x) => n.rounded(turned(n, x, cosines, sines, isPaired))) as [TensorId, TensorId];
  }

  const grown = (x: TensorId, i: number): TensorId => {
    if (isPrompt) return keys === length ? x : joint(n, [x, zeros(n, batch, own, keys - length, width)], 2);
    const places = n.b.integers(upTo(entries(n, keys)), [1, keys]);
    const behind = add("add", [add("sub", [places, before], NONE), whole(past)], NONE);
    const held = add("minimum", [behind, n.b.integers([past + length], [])], {});
    const chosen = add("selectV2", [add("less", [places, before], {}, "bool"), places, held], {});
    const parts = [...(past === 0 ? [] : [n.plain(n.input(i))]), x, zeros(n, batch, own, 1, width)];
    return adderOf(n, "float32")("gather", [joint(n, parts, 2), chosen], { axis: 2, batchDims: 1 });
  };
  const [present, values] = [grown(k, PAST), grown(v, PAST + 1)];

  const window = n.int("local_window_size", -1);
  const bias = given(BIAS);
  const sink = given(SINK) ?? (n.int("smooth_softmax", 0) !== 0 ? zeros(n, count) : undefined);
  const scale = n.float("scale", 0);
  const y = attend(n, {
    q,
    k: present,
    v: values,
    scale: scale === 0 ? 1 / Math.sqrt(width) : scale,
    softcap: n.float("softcap", 0),
    sink,
    mayBeBlind: isPrompt && window > 0,
    biases: [...(bias === undefined ? [] : [bias]), seen()],
  });
  n.setPlain(0, joined(n, y));
  n.setPlain(1, present);
  n.setPlain(2, values);

  /** -∞ where a key comes after its query, or before the window that ends with it, or does not count. */
  function seen(): TensorId {
    const places = Array.from({ length: entries(n, length * keys) }, (_, i) => (i % keys) - Math.floor(i / keys));
    const [first, end] = [before, counts].map((id) => reshapedTo(n, id, [n.b.tensor(id).shape[0] as number, 1, 1, 1]));
    const steps = add("sub", [n.b.integers(places, [length, keys]), first as TensorId], NONE);
    const tests = [add("lessEqual", [steps, whole(0)], {}, "bool")];
    if (window > 0) tests.push(add("greater", [steps, whole(-window)], {}, "bool"));
    if (isPrompt) tests.push(add("less", [n.b.integers(upTo(entries(n, keys))), end as TensorId], {}, "bool"));
    const isSeen = tests.reduce((a, b) => add("logicalAnd", [a, b], {}, "bool"));
    return add("selectV2", [isSeen, n.b.float(0), n.b.float(-Infinity)], {}, "float32");
  }
}

export const GROUPED: Conversions = { "com.microsoft.GroupQueryAttention": groupQueryAttention };
