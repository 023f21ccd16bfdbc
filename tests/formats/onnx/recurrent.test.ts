/**
 * LSTM and GRU against their definitions in doubles, with weights and biases that are constants and inputs; what a step takes of
 * operators where they are constants. tests/zoo has PyTorch's layers and the standard's own cases.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type TensorSpec } from "../build-onnx.ts";

const [T, I, H] = [6, 3, 4];
const noise = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(0.8 * Math.sin((i + seed) * (seed + 1.7))));
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

interface Case {
  readonly operator: "LSTM" | "GRU";
  readonly int?: Readonly<Record<string, number>>;
  readonly hasPeepholes?: true;
  /** Weights and biases that the caller gives. */
  readonly given?: readonly string[];
}

const drawn = ({ operator, hasPeepholes }: Case) => {
  const gates = operator === "LSTM" ? 4 : 3;
  return {
    x: { dims: [T, 1, I], values: noise(T * I, 1) },
    W: { dims: [1, gates * H, I], values: noise(gates * H * I, 2) },
    R: { dims: [1, gates * H, H], values: noise(gates * H * H, 3) },
    B: { dims: [1, 2 * gates * H], values: noise(2 * gates * H, 4) },
    ...(hasPeepholes && { P: { dims: [1, 3 * H], values: noise(3 * H, 5) } }),
  };
};

function reference(each: Case): readonly number[] {
  const { x, W, R, B, P } = { P: undefined, ...drawn(each) };
  const gates = each.operator === "LSTM" ? 4 : 3;
  const times = (m: readonly number[], row: number, v: readonly number[]) =>
    v.reduce((sum, value, i) => sum + value * (m[row * v.length + i] as number), 0);
  const ys: number[] = [];
  let [h, c] = [new Array<number>(H).fill(0), new Array<number>(H).fill(0)];
  for (let t = 0; t < T; t++) {
    const now = x.values.slice(t * I, (t + 1) * I);
    const given = (gate: number, i: number) => times(W.values, gate * H + i, now) + (B.values[gate * H + i] as number);
    const known = (gate: number, i: number, state = h) =>
      times(R.values, gate * H + i, state) + (B.values[(gates + gate) * H + i] as number);
    const all = (f: (i: number) => number) => Array.from({ length: H }, (_, i) => f(i));
    const at = (list: readonly number[], i: number) => list[i] as number;
    if (gates === 4) {
      const peep = (which: number, state: readonly number[], i: number) =>
        P ? at(P.values, which * H + i) * at(state, i) : 0;
      const gate = (g: number, which: number, state: readonly number[]) =>
        all((i) => logistic(given(g, i) + known(g, i) + peep(which, state, i)));
      const input = gate(0, 0, c);
      const forget = each.int?.input_forget ? input.map((value) => 1 - value) : gate(2, 2, c);
      const next = all((i) => at(forget, i) * at(c, i) + at(input, i) * Math.tanh(given(3, i) + known(3, i)));
      const output = gate(1, 1, next);
      [h, c] = [all((i) => at(output, i) * Math.tanh(at(next, i))), next];
    } else {
      const [update, reset] = [0, 1].map((g) => all((i) => logistic(given(g, i) + known(g, i)))) as [
        number[],
        number[],
      ];
      const kept = all((i) => at(reset, i) * at(h, i));
      const isLinear = each.int?.linear_before_reset === 1;
      const news = all((i) => Math.tanh(given(2, i) + (isLinear ? at(reset, i) * known(2, i) : known(2, i, kept))));
      h = all((i) => (1 - at(update, i)) * at(news, i) + at(update, i) * at(h, i));
    }
    ys.push(...h);
  }
  return ys;
}

async function run(each: Case) {
  const tensors = Object.entries(drawn(each)).map(([name, rest]): TensorSpec => ({ name, type: 1, ...rest }));
  const isInput = ({ name }: TensorSpec) => name === "x" || each.given?.includes(name);
  const inputs = ["x", "W", "R", "B", ...(each.hasPeepholes ? ["", "", "", "P"] : [])];
  const layer = { operator: each.operator, inputs, outputs: ["y"], int: { hidden_size: H, ...each.int } };
  const bytes = buildOnnx({
    nodes: [layer],
    inputs: tensors.filter(isInput).map(({ name, dims }) => ({ name, dims })),
    outputs: [{ name: "y" }],
    initializers: tensors.filter((tensor) => !isInput(tensor)),
  });
  const model = await loadModel(bytes, { module: "simd" });
  const values = tensors.filter(isInput).map((tensor) => Float32Array.from(tensor.values ?? []));
  const y = Array.from(Object.values(model.run(values))[0] as Float32Array);
  const steps = model.steps.length;
  model.close();
  return { y, steps };
}

const CASES: Readonly<Record<string, Case>> = {
  LSTM: { operator: "LSTM" },
  "LSTM of weights that are given": { operator: "LSTM", given: ["W", "R"] },
  "LSTM of a bias that is given": { operator: "LSTM", given: ["B"] },
  "LSTM of gates that look at the cell": { operator: "LSTM", hasPeepholes: true },
  "LSTM that forgets what it does not take": { operator: "LSTM", int: { input_forget: 1 } },
  GRU: { operator: "GRU" },
  "GRU of weights that are given": { operator: "GRU", given: ["W", "R"] },
  "GRU of a bias that is given": { operator: "GRU", given: ["B"] },
  "GRU as PyTorch writes it": { operator: "GRU", int: { linear_before_reset: 1 } },
};

for (const [name, each] of Object.entries(CASES))
  test(name, async () => {
    const [{ y }, expected] = [await run(each), reference(each)];
    assert.equal(y.length, expected.length);
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((y[i] as number) - value) < 1e-6, `${i}: ${y[i]} for ${value}`);
  });

test("a step takes one product with its bias, and gates of one function together", async () => {
  // products, rows, functions, and parts of what they gave; the product of all inputs and the list of results
  assert.ok((await run({ operator: "LSTM" })).steps <= 16 * T + 2);
  assert.ok((await run({ operator: "GRU", int: { linear_before_reset: 1 } })).steps <= 18 * T + 2);
});
