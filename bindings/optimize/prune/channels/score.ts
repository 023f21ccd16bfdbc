/** What a network would lose with each of its channels. */
import { type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { datasetOf } from "../../data/batches.ts";
import { floatsOf, type Layer } from "../../linear/layers.ts";
import { type Front, frontOf } from "../../train/front.ts";
import type { Objective } from "../../train/kinds.ts";
import { slotOf } from "../../train/layout.ts";
import { goalOf } from "../../train/objective.ts";
import { ownWeights } from "../../train/prepare.ts";
import { randomOf } from "../../train/random.ts";
import { openTrainer, type Trainer } from "../../train/trainer.ts";
import { forEach, type Inputs } from "../systems.ts";
import type { Channels } from "./classes.ts";

/** Scores are softened as `lossOf` softens them with labels. */
const TEMPERATURE = 4;

/**
 * Of each class of channels the second term of the loss's Taylor series, to be without it: the mean over the examples of the square
 * of Σ (a − ā) · ∂L/∂a over all places where a layer reads the channel, where the loss is that of a class drawn from the network's own softened
 * scores, or of other outputs half the squared difference from what they are with normal noise of variance 1 (Fisher information, as of classes). Means ā are left out because the next layer's bias makes up for them. No labels. Source: Theis et al. 2018, arXiv 1801.05787.
 *
 * Errors: those of `openTrainer`.
 */
export async function channelCosts(
  given: Graph,
  channels: Channels,
  examples: Inputs,
  check: () => void,
  objective: Objective,
): Promise<ReadonlyMap<number, number>> {
  const front = frontOf(given);
  const graph = ownWeights(front?.rest ?? given, true);
  const means = await meansOf(given, channels, examples);
  const { places, width } = goalOf(graph, objective);
  const scores = objective === "classes";
  const loss = scores ? { soft: 1, temperature: TEMPERATURE } : { squared: width / 2 };
  const trainer = await openTrainer(graph, { batch: 1, loss, objective, decay: 0, normalized: [], threads: 1 });
  const costs = new Map<number, number>();
  try {
    const reads = channels.layers.flatMap((layer) => readingOf(graph, trainer, channels, layer, means));
    const teacher = new Float32Array(places * width);
    const behind = front === undefined ? examples : await inputsBehind(front, examples);
    for (const [i, inputs] of behind.entries()) {
      const data = { inputs, labels: new Int32Array(places).fill(-1), teacher };
      trainer.step(data, 0, 1);
      const random = randomOf(i);
      for (let at = 0; at < teacher.length; at += width) {
        const own = trainer.logits.subarray(at, at + width);
        if (scores) {
          teacher.fill(0, at, at + width);
          const scored = width === 1 ? Float32Array.of(0, own[0] as number) : own;
          const found = drawn(scored, random.uniform());
          if (width > 1 || found > 0) teacher[at + (width > 1 ? found : 0)] = 1000 * TEMPERATURE;
          else teacher[at] = -1000 * TEMPERATURE;
        } else for (const [k, value] of own.entries()) teacher[at + k] = value + random.normal();
      }
      trainer.step(data, 0, 1);
      const found = new Map<number, number>();
      for (const read of reads) read(found);
      for (const [each, sum] of found) costs.set(each, (costs.get(each) ?? 0) + sum * sum);
      if (i % 32 === 0) await new Promise((resolve) => setTimeout(resolve));
      check();
    }
  } finally {
    trainer.close();
  }
  return costs;
}

/** The examples as what is behind the front takes them. */
async function inputsBehind({ through }: Front, examples: Inputs): Promise<Inputs> {
  const found: Float32Array[][] = [];
  for await (const { inputs } of through(datasetOf(examples.map((inputs) => ({ inputs }))))) found.push([...inputs]);
  return found;
}

/** A class by its share of the softened scores. */
function drawn(logits: Float32Array, uniform: number): number {
  const most = Math.max(...logits);
  const shares = Array.from(logits, (logit) => Math.exp((logit - most) / TEMPERATURE));
  let left = uniform * shares.reduce((a, b) => a + b, 0);
  const found = shares.findIndex((share) => {
    left -= share;
    return left < 0;
  });
  return found < 0 ? logits.indexOf(most) : found;
}

/** Adds a layer's Σ (a − ā) · ∂L/∂a of each class, after a step. */
type Read = (to: Map<number, number>) => void;

function readingOf(
  graph: Graph,
  { layout, arrays }: Trainer,
  channels: Channels,
  layer: Layer,
  means: ReadonlyMap<TensorId, Float64Array>,
): readonly Read[] {
  const columns = channels.columns(layer);
  const mean = means.get(layer.x);
  const weight = slotOf(layout, "weight", layer.weights);
  // Behind a front nodes stand elsewhere, tensors do not.
  const node = graph.nodes.find(({ outputs: [y] }) => y === layer.y);
  const bias = slotOf(layout, "bias", (node?.inputs[2] ?? NONE) as TensorId);
  if (columns === undefined || mean === undefined || weight === undefined) return [];
  const { inputs, outputs } = layer;
  const w = floatsOf(graph, layer.weights);
  const d = arrays.gradients.subarray(weight.offset, weight.offset + weight.floats);
  const b = bias && arrays.gradients.subarray(bias.offset, bias.offset + bias.floats);
  return [
    (to) => {
      const sums = new Float64Array(inputs);
      for (let o = 0; o < outputs; o++) {
        const whole = b?.[o] ?? 0;
        for (let i = 0; i < inputs; i++) {
          const at = o * inputs + i;
          const moved = (d[at] as number) - whole * (mean[i % mean.length] as number);
          sums[i] = (sums[i] as number) + (w[at] as number) * moved;
        }
      }
      for (const [i, each] of columns.entries()) to.set(each, (to.get(each) ?? 0) + (sums[i] as number));
    },
  ];
}

/** Means of the channels of all tensors that layers read. */
async function meansOf(
  graph: Graph,
  channels: Channels,
  examples: Inputs,
): Promise<ReadonlyMap<TensorId, Float64Array>> {
  const ids = [...new Set(channels.layers.filter((layer) => channels.columns(layer) !== undefined).map(({ x }) => x))];
  const sums = new Map(ids.map((id) => [id, new Float64Array(tensorOf(graph, id).shape.at(-1) ?? 1)] as const));
  await forEach(graph, ids, examples, (values) => {
    for (const [id, sum] of sums) {
      const all = values.get(id) as Float32Array;
      const share = sum.length / (all.length * examples.length);
      for (const [i, value] of all.entries()) {
        const c = i % sum.length;
        sum[c] = (sum[c] as number) + value * share;
      }
    }
  });
  return sums;
}
