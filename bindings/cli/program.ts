import { Command } from "commander";
import { inFile } from "../errors.ts";
import { bench } from "./commands/bench.ts";
import { compile } from "./commands/compile.ts";
import { inspect } from "./commands/inspect.ts";
import { plan } from "./commands/plan.ts";
import { run } from "./commands/run.ts";
import { types } from "./commands/types.ts";
import { addDataOptions } from "./dataOptions.ts";
import { addDistilOptions } from "./distilOptions.ts";
import { forgetInputs, spokenName } from "./files.ts";
import {
  addReadingOptions,
  deviations,
  jsonOption,
  kernelsOption,
  means,
  memoryOption,
  moduleOption,
  optimizeOption,
  shapeOption,
  signatureOption,
  threadListOption,
  threadsOption,
  wholeFrom,
} from "./options.ts";
import { addPruneOptions } from "./pruneOptions.ts";
import { addQuantizeOptions } from "./quantizeOptions.ts";
import { failureJson, failureLines } from "./report.ts";
import type { Streams } from "./streams.ts";

const MODEL = "a .tflite or .onnx model: a file, a URL, or - for standard input";
const MODEL_OR_PLAN = "a .tflite or .onnx model, or a plan that pint8 saved: a file, a URL, or - for standard input";
/** Commands that take models apart, which plans cannot be. */
const OF_MODELS = ["plan", "quantize", "prune", "distil", "evaluate"];
/** Commands that take of a model whatever `loadModel` does. */
const OF_WHOLE_MODELS = ["run", "inspect", "bench", "types", "plan", "compile"];

const EXAMPLES = `
Examples:
  $ pint8 inspect model.tflite
  $ pint8 run model.tflite --input picture.jpg --labels labels.txt
  $ pint8 run model.tflite --input features.npy --output result.bin
  $ pint8 run model.tflite --input pictures/ --batch 8 --labels labels.txt
  $ pint8 bench model.tflite --threads 1,2,4
  $ pint8 bench model.tflite --profile
  $ pint8 types model.tflite > model.d.ts
  $ pint8 plan model.tflite -o model.plan
  $ pint8 compile model.tflite -o model.wasm
  $ pint8 quantize float.tflite --data pictures/ -o int8.tflite
  $ pint8 prune float.tflite --sparsity 70% --data pictures/ -o pruned.tflite
  $ pint8 distil teacher.tflite --like ds-cnn --data pictures/ -o student.tflite
  $ pint8 evaluate model.tflite --data photos/ --against float.tflite --report report.html
  $ pint8 help run`;

/**
 * Runs one command line, without the program's own name, and returns its exit status: 0, or 1 after
 * `pint8: CODE: message` and a hint on standard error.
 */
export async function main(args: readonly string[], streams: Streams, version: string): Promise<0 | 1> {
  forgetInputs();
  const root = program(streams, version);
  try {
    const asked = root.commands.some((each) => each.name() === args[1]);
    const line = args[0] === "help" && !asked ? args.slice(1) : args;
    // Alone it says what there is.
    await root.parseAsync(line.length === 0 ? ["--help"] : line, { from: "user" });
    return 0;
  } catch (error) {
    if (isHelp(error)) return 0;
    const command = root.commands.find((each) => each.name() === args[0])?.name();
    if (args.includes("--json")) streams.out(failureJson(error, command));
    for (const line of failureLines(error, command)) streams.err(line);
    return 1;
  }
}

/** The examples of one command. */
function examplesOf(name: string): string {
  const lines = EXAMPLES.split("\n").filter((line) => line.startsWith(`  $ pint8 ${name} `));
  return lines.length === 0 ? "" : `\nExamples:\n${lines.join("\n")}`;
}

/** Commander leaves by an exception after --help and --version too. */
function isHelp(error: unknown): boolean {
  return error instanceof Error && "exitCode" in error && error.exitCode === 0;
}

function program(streams: Streams, version: string): Command {
  const root = new Command("pint8")
    .description("Runs int8 neural networks in WebAssembly: the same bytes on every engine.")
    .version(version)
    .configureOutput({ writeOut: (text) => streams.out(text.trimEnd()), writeErr: () => {} })
    .exitOverride()
    .helpCommand("help [command]", "what there is, with examples")
    .addHelpText("after", EXAMPLES);
  const command = (name: string, what: string) =>
    root
      .command(name)
      .copyInheritedSettings(root)
      .description(what)
      .argument("<model>", OF_MODELS.includes(name) ? MODEL : MODEL_OR_PLAN)
      .addHelpText("after", examplesOf(name));

  command("run", "one inference: prints the best classes")
    .requiredOption(
      "--input <file...>",
      "one per input, in order: .bin (raw bytes), .npy, or a PNG, JPEG or BMP picture; several and folders for a model of one input",
    )
    .option("--output <file>", "write the raw bytes of all outputs, one after the other")
    .addOption(moduleOption())
    .addOption(threadsOption())
    .addOption(memoryOption())
    .option("--save-input <file>", "write the raw bytes of all inputs as they were prepared")
    .option("--labels <file>", "class names, one per line")
    .option("--top <k>", "classes to print", wholeFrom(1, 1_000_000), 5)
    .option("--mean <m>", "subtract from pixels of 0..255: one number, or one per channel", means)
    .option("--std <s>", "then divide by: one number, or one per channel", deviations)
    .addOption(jsonOption())
    .action((model, options) => inFile(spokenName(model), () => run(model, options, streams)));

  command("inspect", "inputs, outputs, operators, kernels, work and memory")
    .addOption(moduleOption())
    .addOption(jsonOption())
    .action((model, options) => inFile(spokenName(model), () => inspect(model, options, streams)));

  command("bench", "latency of one inference: warm-up by time, then median, min and p90")
    .addOption(moduleOption())
    .addOption(threadListOption())
    .addOption(memoryOption())
    .option("--runs <n>", "at least so many runs, 5 when absent", wholeFrom(1, 1_000_000))
    .option("--duration <ms>", "milliseconds of runs that are counted, 2000 when absent", wholeFrom(1, 3_600_000))
    .option("--profile", "each kernel call: time, GMAC/s, and its share of what registers alone allow")
    .addOption(jsonOption())
    .action((model, options) => inFile(spokenName(model), () => bench(model, options, streams)));

  command("types", "TypeScript types of a model, for loadModel<Name>(…)")
    .option("--name <name>", "the interface's name; the file's when absent")
    .action((model, options) => inFile(spokenName(model), () => types(model, options, streams)));

  command("plan", "save the plan of a model for one module: it loads faster, and without an importer")
    .requiredOption("-o, --output <file>", "the plan file to write")
    .addOption(moduleOption())
    .addOption(memoryOption())
    .action((model, options) => inFile(spokenName(model), () => plan(model, options, streams)));

  command("compile", "one WebAssembly module that imports nothing, with a loader, its types and a C header")
    .requiredOption("-o, --output <file.wasm>", "the module to write; .js, .d.ts and .h are written beside it")
    .addOption(kernelsOption())
    .addOption(optimizeOption())
    .option("--max-memory <bytes>", "refuse a model that needs more linear memory", wholeFrom(1, 2 ** 32))
    .addOption(jsonOption())
    .action((model, options) => inFile(spokenName(model), () => compile(model, options, streams)));

  addQuantizeOptions(
    command("quantize", "floats to integers by examples, or weights alone without: an ordinary .tflite"),
  ).action(async (model, options) => (await import("./commands/quantize.ts")).quantize(model, options, streams));

  addPruneOptions(
    command("prune", "zeros in a float model, made up for by examples without labels: an ordinary .tflite to quantize"),
  ).action(async (model, options) => (await import("./commands/prune.ts")).prune(model, options, streams));

  addDistilOptions(
    command("distil", "teach a small network what a larger one says; Ctrl-C leaves a checkpoint"),
  ).action(async (model, options) => (await import("./commands/distil.ts")).distil(model, options, streams));

  addDataOptions(
    command("evaluate", "accuracy on data, and how far a model is from another, layer by layer"),
    "required",
  )
    .addOption(signatureOption())
    .addOption(shapeOption())
    .option("--against <models...>", "others of the same task; layers are compared with the first")
    .option("--output <name>", "which of several outputs the labels are of")
    .option("--layers <n>", "samples that layers are compared on; 0 compares none", wholeFrom(0, 1_000_000), 64)
    .addOption(moduleOption())
    .addOption(threadsOption())
    .option("--report <file.html>", "a page of figures, confusion, layers and sizes, in one file")
    .option("--node-data <file.json>", "errors of layers for Model Explorer")
    .addOption(jsonOption())
    .action(async (model, options) => (await import("./commands/evaluate.ts")).evaluate(model, options, streams));

  for (const each of root.commands) {
    if (OF_WHOLE_MODELS.includes(each.name())) addReadingOptions(each);
    askLast(each);
  }
  return root;
}

/** What a command cannot do without is asked for once all that was given is understood: a mistyped name is told before. */
function askLast(command: Command): void {
  const needed = command.options.filter(({ mandatory }) => mandatory);
  for (const option of needed) {
    option.makeOptionMandatory(false);
    option.description += "; required";
  }
  command.hook("preAction", () => {
    for (const option of needed)
      if (command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
  });
}
