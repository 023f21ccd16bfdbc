/** What language models have in place of attention: a state that each token changes, and convolutions of tokens before. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { real } from "./cast.ts";
import { joint, stretch, zeros } from "./heads.ts";
import { product } from "./matmul.ts";
import { reshapedTo, sized } from "./move.ts";

/** Longer sequences would make plans of too many steps. */
const MOST_STEPS = 1024;

/**
 * Token by token: the state `[B,H,k,v]` decays by exp(decay) and grows by key ⊗ value, of which the delta rules take what the state
 * holds for the key, times beta; the query reads the state.
 */
function linearAttention(n: OnnxNode): void {
  const [count, own] = [n.int("q_num_heads", 1), n.int("kv_num_heads", 1)];
  const [batch, length, width] = sized(n, n.input(0).shape, 3);
  const [k, v] = [width / count, (n.input(2).shape[2] as number) / own];
  const rule = n.string("update_rule", "gated_delta");
  if (length > MOST_STEPS) n.refuse(`at most ${MOST_STEPS} tokens`, `${length}`);
  if (!/^(linear|gated|delta|gated_delta)$/.test(rule)) n.refuse("linear, gated, delta or gated_delta", rule);
  const [isGated, isDelta] = [rule.startsWith("gated"), rule.endsWith("delta")];
  const times = (a: TensorId, b: TensorId) => product(n, a, n.b.tensor(a).shape, b, n.b.tensor(b).shape);
  let state = n.inputs[3] === undefined ? zeros(n, batch, own, k, v) : n.plain(n.input(3));
  const scale = n.b.float(n.float("scale", 0) || 1 / Math.sqrt(k));
  const ys = Array.from({ length }, (_, t) => {
    const token = (i: number) => stretch(n, n.plain(n.input(i)), 1, t, 1);
    const as = (row: TensorId, ...shape: readonly number[]) => reshapedTo(n, row, [batch, ...shape]);
    /** How many numbers a token has. */
    const each = (row: TensorId) => n.b.tensor(row).shape[2] as number;
    if (isGated) {
      const row = token(4);
      const decay = as(row, own, each(row) / own, 1);
      state = real(n, "mul", state, adderOf(n)("exp", [decay], {}));
    }
    const key = token(1);
    let news = as(token(2), own, 1, v);
    if (isDelta) {
      const held = times(as(key, own, 1, k), state);
      const beta = token(5);
      news = real(n, "mul", real(n, "sub", news, held), as(beta, each(beta), 1, 1));
    }
    state = real(n, "add", state, real(n, "mul", as(key, own, k, 1), news));
    const y = times(as(token(0), own, count / own, k), state);
    return reshapedTo(n, real(n, "mul", y, scale), [batch, 1, count * v]);
  });
  n.setPlain(0, ys.length === 0 ? zeros(n, batch, 0, count * v) : joint(n, ys, 1));
  n.setPlain(1, state);
}

/** A convolution of each channel `[B,C,L]` over the tokens before it, the last of which the state holds. */
function causalConvolution(n: OnnxNode): void {
  const [batch, channels, length] = sized(n, n.input(0).shape, 3);
  const [, , taps] = sized(n, n.input(1).shape, 3);
  const before = n.inputs[3] === undefined ? zeros(n, batch, channels, taps - 1) : n.plain(n.input(3));
  const all = taps === 1 ? n.plain(n.input(0)) : joint(n, [before, n.plain(n.input(0))], 2);
  const weights = n.plain(n.input(1));
  let y = n.inputs[2] && reshapedTo(n, n.plain(n.input(2)), [1, channels, 1]);
  for (let i = 0; i < taps; i++) {
    const weight = reshapedTo(n, stretch(n, weights, 2, i, 1), [1, channels, 1]);
    const term = real(n, "mul", stretch(n, all, 2, i, length), weight);
    y = y === undefined ? term : real(n, "add", y, term);
  }
  if (n.string("activation", "none") !== "none")
    y = real(n, "mul", y as TensorId, adderOf(n)("logistic", [y as TensorId], {}));
  n.setPlain(0, y as TensorId);
  n.setPlain(1, stretch(n, all, 2, length, taps - 1));
}

export const LINEAR: Conversions = {
  CausalConvWithState: causalConvolution,
  LinearAttention: linearAttention,
  "com.microsoft.CausalConvWithState": causalConvolution,
  "com.microsoft.LinearAttention": linearAttention,
};
