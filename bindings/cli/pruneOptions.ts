/** What `pint8 prune` takes; what it does is loaded when it is asked for. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { addDataOptions } from "./dataOptions.ts";
import {
  encodeOption,
  jsonOption,
  objectiveOption,
  shapeOption,
  signatureOption,
  threadsOption,
  wholeFrom,
} from "./options.ts";

/** The options of `pint8 prune`. */
export function addPruneOptions(command: Command): Command {
  return addDataOptions(command, "optional")
    .requiredOption("-o, --output <file>", "the pruned model to write, .tflite or .onnx by its name")
    .option(
      "--sparsity <share>",
      "of the weights that become zero, or with channels of the multiply-adds that go: 70% or 0.7; half when absent",
      share,
    )
    .option(
      "--latency <percent>",
      "in place of a sparsity: most of the dense model's time, both as int8, by what each layer's kernels take here",
      timeShare,
    )
    .addOption(
      new Option(
        "--pattern <pattern>",
        "which weights go together: any, blocks of 8 outputs × 4 inputs, two of four inputs, whole channels",
      )
        .choices(["unstructured", "block", "2:4", "channels"])
        .default("unstructured"),
    )
    .addOption(
      new Option("--allocation <how>", "how much each layer loses: the least error for all together, or all the same")
        .choices(["global", "uniform"])
        .default("global"),
    )
    .addOption(encodeOption())
    .option(
      "--tune <epochs>",
      "then train what is left towards the dense model's scores, and the labels where there are any",
      wholeFrom(1, 100_000),
    )
    .option(
      "--finish <n>",
      "without that: steps in which all layers learn the dense model's outputs; 300 when absent",
      wholeFrom(0, 1_000_000),
    )
    .option("--tune-steps <n>", "or so many steps in place of epochs", wholeFrom(1, 10_000_000))
    .option("--batch <n>", "samples of a step of training, 125 when absent", wholeFrom(1, 4096))
    .option("--copies <n>", "augmented copies that epochs take in turn, 12 when absent", wholeFrom(1, 1000))
    .addOption(
      new Option("--augment <how>", "other copies, as far as the teacher bears them").choices(["usual", "none"]),
    )
    .addOption(objectiveOption())
    .option(
      "--cuts <n>",
      "cuts in which weights go, with training between them; 5 with channels, else 1",
      wholeFrom(1, 100),
    )
    .option("--multiple <n>", "of which counts of channels stay; 8 with training, else 1", wholeFrom(1, 4096))
    .option("--checkpoint <file>", "where training can go on from; the output's name with .checkpoint when absent")
    .option("--resume <file>", "go on from a checkpoint of the same command")
    .option("--teacher <file>", "whose scores are learned in place of the dense model's")
    .addOption(threadsOption())
    .addOption(signatureOption())
    .addOption(shapeOption())
    .addOption(jsonOption());
}

/** `70%` or `0.7`. */
function share(text: string): number {
  const value = Number(text.replace(/%$/, "")) / (text.endsWith("%") ? 100 : 1);
  if (!/^\d*\.?\d+%?$/.test(text) || !(value > 0 && value < 1))
    throw new InvalidArgumentError("Expected a share above 0 and below 1, as in 70% or 0.7.");
  return value;
}

/** `80%` or `80`. */
function timeShare(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (!/^\d+(\.\d+)?%?$/.test(text) || !(value > 0 && value < 100))
    throw new InvalidArgumentError("Expected per cent above 0 and below 100, as in 80%.");
  return value;
}
