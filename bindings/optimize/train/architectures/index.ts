/** Small networks by name, with random weights: what can be trained or distilled into without a model to begin from. */

import { ensure, kindOf } from "../../../errors.ts";
import { requireText } from "../../../given.ts";
import type { Graph } from "../../../graph.ts";
import { listText, sizeOf } from "../../../tensor.ts";
import { beginNetwork, type Gives } from "./builder.ts";

/** What a network is made for. */
interface Fresh {
  /** `[1,height,width,channels]`, `[1,length,channels]`, for `mlp` any. */
  readonly shape: readonly number[];
  /** Classes, or numbers of another output. */
  readonly classes: number;
  readonly seed: number;
  /** Probabilities of classes when absent; their scores or values as they are, embeddings of length 1, or probabilities each by itself. */
  readonly gives?: Gives;
}

type Make = (fresh: Fresh, width: number) => Graph;

/** Channels by the width, a multiple of 8, as vectors like them. */
const wide = (channels: number, width: number) => Math.max(Math.round((channels * width) / 8) * 8, 8);

/** Depthwise-separable: a 3×3 stem of stride 2, five pairs of a depthwise and a pointwise convolution; of sequences 9×1 and 4. */
const dsCnn: Make = ({ shape, classes, seed, gives }, width) => {
  const to = beginNetwork("ds-cnn", shape, seed);
  let x = to.conv(to.input, wide(16, width), 3, 2, "relu6");
  for (const [channels, stride] of [
    [32, 1],
    [64, 2],
    [64, 1],
    [64, 1],
    [64, 2],
  ] as const)
    x = to.conv(to.depthwise(x, stride), wide(channels, width), 1, 1, "relu6");
  return to.finish(x, classes, gives);
};

/** Expansion, channels, stride of each block. */
const BLOCKS = [
  [1, 8, 1],
  [6, 16, 2],
  [6, 16, 1],
  [6, 24, 2],
  [6, 24, 1],
  [6, 48, 1],
  [6, 48, 1],
  [6, 48, 1],
] as const;

/** MobileNetV2-like, for pictures of some 32 pixels: inverted residuals of linear bottlenecks. Source: arXiv 1801.04381. */
const mobilenetV2: Make = ({ shape, classes, seed, gives }, width) => {
  const to = beginNetwork("mobilenet-v2", shape, seed);
  let x = to.conv(to.input, wide(16, width), 3, 2, "relu6");
  for (const [expansion, channels, stride] of BLOCKS) {
    const from = sizeOf(x, 3);
    const wider = expansion === 1 ? x : to.conv(x, from * expansion, 1, 1, "relu6");
    const y = to.conv(to.depthwise(wider, stride), wide(channels, width), 1, 1, "none");
    x = stride === 1 && y.shape[3] === from ? to.add(y, x) : y;
  }
  return to.finish(to.conv(x, wide(192, width), 1, 1, "relu6"), classes, gives);
};

/** Three dense layers of 64, for numbers without places. */
const mlp: Make = ({ shape, classes, seed, gives }, width) => {
  const to = beginNetwork("mlp", shape, seed);
  let x = to.flat(to.input);
  for (let i = 0; i < 3; i++) x = to.dense(x, wide(64, width), "relu6");
  return to.finish(x, classes, gives);
};

const ARCHITECTURES: Readonly<Record<string, Make>> = { "ds-cnn": dsCnn, "mobilenet-v2": mobilenetV2, mlp };

/** The names that `freshNetwork` knows. */
const ARCHITECTURE_NAMES: readonly string[] = Object.keys(ARCHITECTURES);

/**
 * A network by its name, and a width after a colon: `mobilenet-v2:0.5` has half of the channels.
 *
 * Errors: INVALID_OPTION.
 */
export function freshNetwork(name: string, fresh: Fresh): Graph {
  requireText("freshNetwork, name", name);
  ensure(
    Array.isArray(Object(fresh).shape) && Number.isInteger(fresh.classes) && fresh.classes >= 1,
    "INVALID_OPTION",
    () => ({
      where: "freshNetwork",
      expected: "{ shape, classes, seed }",
      received: kindOf(fresh),
      hint: 'As freshNetwork("ds-cnn", { shape: [1, 28, 28, 1], classes: 10, seed: 0 }).',
    }),
  );
  const [kind = "", factor = "1"] = name.split(":");
  const make = Object.hasOwn(ARCHITECTURES, kind) ? ARCHITECTURES[kind] : undefined;
  const width = Number(factor);
  ensure(make !== undefined && width >= 0.125 && width <= 8, "INVALID_OPTION", () => ({
    where: "architecture",
    expected: `${ARCHITECTURE_NAMES.join(", ")}, and a width from 0.125 to 8 after a colon`,
    received: name,
    hint: "mobilenet-v2:0.5 has half of the channels.",
  }));
  ensure(kind === "mlp" || fresh.shape.length === 4 || fresh.shape.length === 3, "INVALID_OPTION", () => ({
    where: "architecture",
    expected: "pictures [1,height,width,channels] or sequences [1,length,channels]",
    received: listText(fresh.shape),
    hint: "mlp takes any. Or give a student as a model.",
  }));
  return (make as Make)(fresh, width);
}
