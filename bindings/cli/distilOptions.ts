/** What `pint8 distil` takes; what it does is loaded when it is asked for. */
import { type Command, Option } from "commander";
import { addDataOptions, rangeOf } from "./dataOptions.ts";
import {
  jsonOption,
  objectiveOption,
  positive,
  shapeOption,
  signatureOption,
  threadsOption,
  wholeFrom,
} from "./options.ts";

/** The options of `pint8 distil`. */
export function addDistilOptions(command: Command): Command {
  return addDataOptions(command, "required")
    .addOption(signatureOption())
    .addOption(shapeOption())
    .option("--student <file>", "the network to teach, as it is")
    .addOption(shapeOption("--student-shape", "the student"))
    .option(
      "--like <name>",
      "or a fresh one: ds-cnn or mobilenet-v2 (pictures, sequences), mlp, with a width after a colon as in ds-cnn:0.5",
    )
    .requiredOption("-o, --output <file>", "the student to write, .tflite or .onnx by its name")
    .option("--test <first:end>", "samples that are not learned from, for the accuracy after each epoch", rangeOf)
    .option("--epochs <n>", "times through the data, 36 when absent", wholeFrom(1, 100_000))
    .option(
      "--batch <n>",
      "samples of a step; when absent 32 or 16 for --like, at most 125 for --student",
      wholeFrom(1, 4096),
    )
    .option("--rate <r>", "largest rate of AdamW; 0.004 of a fresh network, 0.002 of another", positive)
    .option("--seed <n>", "the same seed gives the same student; 0 when absent", wholeFrom(0, 2 ** 31 - 1))
    .option("--copies <n>", "augmented copies that epochs take in turn, 12 when absent", wholeFrom(1, 1000))
    .addOption(
      new Option("--augment <how>", "other copies, as far as the teacher bears them").choices(["usual", "none"]),
    )
    .addOption(objectiveOption())
    .option("--checkpoint <file>", "where to go on from; the output's name with .checkpoint when absent")
    .option("--resume <file>", "go on from a checkpoint of the same command")
    .addOption(threadsOption())
    .addOption(jsonOption());
}
