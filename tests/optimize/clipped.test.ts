/** Least squares before activations that clip: what is clipped may lie anywhere beyond the limit. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Layer, layersOf } from "../../bindings/optimize/linear/layers.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { refineClipped, STEPS } from "../../bindings/optimize/prune/clipped.ts";
import { splitActivations, targets } from "../../bindings/optimize/prune/drift.ts";
import { pickedRows } from "../../bindings/optimize/prune/picked.ts";
import { openProducts } from "../../bindings/optimize/prune/products.ts";
import { firstStage } from "../../bindings/optimize/prune/stage.ts";
import { keptInputs, reconstruct, type Solution, systemsOf } from "../../bindings/optimize/prune/systems.ts";
import { buildNetwork } from "./support/networks.ts";
import { numbers } from "./support/numbers.ts";

const SIZE = 12;
const ROWS = 400;
const limits = { relu: [0, Infinity], relu6: [0, 6] } as const;

/** A dense layer that loses every other weight: what was solved, what refined, and the squared errors of both. */
async function refined(activation: keyof typeof limits) {
  const to = buildNetwork([1, SIZE], 5);
  const options = { activation, keepDims: false } as const;
  const graph = prepareFloat(
    to.graph(to.node("fullyConnected", [to.input, to.weights([6, SIZE], 2), to.weights([6])], options)),
  );
  const layers = layersOf(graph);
  const next = numbers(11);
  const examples = Array.from({ length: ROWS }, () => {
    const common = 2 * next();
    return [Float32Array.from({ length: SIZE }, () => common + next())];
  });
  const [system] = await systemsOf(graph, layers, examples);
  assert.ok(system);
  const kept = Uint8Array.from({ length: 6 * SIZE }, (_, i) => (i + Math.floor(i / SIZE)) % 2);
  const { layer } = system;
  const wanted =
    (await targets(splitActivations(graph, layers), layers, firstStage(graph, examples))).get(layer.at) ?? [];
  const picked = pickedRows(layer, wanted, STEPS);
  assert.ok(picked);
  for (const [example, [x]] of examples.entries()) picked.add(layer, x as Float32Array, example);
  const keptOf = keptInputs(system, kept, true);
  const solved = reconstruct(system, kept, keptOf);
  assert.deepEqual(solved, reconstruct(system, kept));
  const better = await refineClipped(system, keptOf, solved, picked);
  const [low, high] = limits[activation];
  const clip = (x: number) => Math.min(Math.max(x, low), high);
  const errors = ({ weights, bias }: Solution) => {
    let bound = 0;
    let behind = 0;
    for (const [e, [x]] of examples.entries())
      for (let o = 0; o < 6; o++) {
        let y = bias[o] as number;
        for (let i = 0; i < SIZE; i++) y += (weights[o * SIZE + i] as number) * ((x as Float32Array)[i] as number);
        const t = (wanted[e] as Float32Array)[o] as number;
        bound += (t <= low ? Math.max(y - low, 0) : t >= high ? Math.max(high - y, 0) : y - t) ** 2;
        behind += (clip(y) - clip(t)) ** 2;
      }
    return { bound, behind };
  };
  return { kept, better, before: errors(solved), after: errors(better) };
}

describe("clipped targets", () => {
  for (const activation of ["relu", "relu6"] as const)
    test(`weights before ${activation} come nearer to what it lets through`, async () => {
      const { kept, better, before, after } = await refined(activation);
      assert.ok(after.bound < 0.9 * before.bound, `${after.bound} ${before.bound}`);
      assert.ok(after.behind < before.behind, `${after.behind} ${before.behind}`);
      assert.ok(after.behind <= after.bound * (1 + 1e-9));
      for (const [i, one] of kept.entries()) if (!one) assert.equal(better.weights[i], 0);
    });

  test("without an activation that clips no rows are picked", () => {
    const to = buildNetwork([1, SIZE], 5);
    const graph = prepareFloat(
      to.graph(
        to.node("fullyConnected", [to.input, to.weights([6, SIZE], 2)], { activation: "none", keepDims: false }),
      ),
    );
    const wanted = Array.from({ length: ROWS }, () => new Float32Array(6));
    assert.equal(pickedRows(layersOf(graph)[0] as Layer, wanted, STEPS), undefined);
  });
});

describe("products of a layer's rows", () => {
  for (const [outputs, inputs, groups] of [
    [8, 5, 1],
    [8, 7, 2],
    [6, 4, 3],
    [3, 9, 3],
  ] as const)
    test(`of ${outputs} outputs of ${inputs} inputs in ${groups} groups are the sums that they are`, async () => {
      const rows = 11;
      const next = numbers(3);
      const random = (length: number) => Float32Array.from({ length }, next);
      const [weights, x, errors] = [random(outputs * inputs), random(groups * inputs * rows), random(outputs * rows)];
      const at = (o: number, i: number, r: number) =>
        x[(Math.floor((o * groups) / outputs) * inputs + i) * rows + r] as number;
      const products = await openProducts({ outputs, inputs, groups } as Layer, rows);
      try {
        for (let again = 0; again < 2; again++) {
          const values = products.values(weights, x);
          for (let o = 0; o < outputs; o++)
            for (let r = 0; r < rows; r++) {
              let sum = 0;
              for (let i = 0; i < inputs; i++) sum += (weights[o * inputs + i] as number) * at(o, i, r);
              assert.ok(Math.abs(sum - (values[o * rows + r] as number)) < 1e-4);
            }
          const sums = products.sums(errors, x);
          for (let o = 0; o < outputs; o++)
            for (let i = 0; i < inputs; i++) {
              let sum = 0;
              for (let r = 0; r < rows; r++) sum += (errors[o * rows + r] as number) * at(o, i, r);
              assert.ok(Math.abs(sum - (sums[o * inputs + i] as number)) < 1e-4);
            }
        }
      } finally {
        products.close();
      }
    });
});
