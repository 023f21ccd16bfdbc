import { type Command, InvalidArgumentError, Option } from "commander";
import { ensure } from "../errors.ts";
import { MODULES, type ModuleName } from "../primitives/modules.ts";

/** Options that choose what is read of a model. */
export interface ReadingOptions {
  readonly signature?: string | undefined;
  readonly shape?: Shapes | undefined;
  /** Samples of one run. */
  readonly batch?: number | undefined;
}

/** Options that choose how a model runs. */
export interface EngineOptions extends ReadingOptions {
  readonly module: ModuleName | "auto";
  readonly threads?: number;
  readonly memory?: "low";
}

/** Shapes of inputs by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

export const moduleOption = (): Option =>
  new Option("--module <name>", "kernels to run on; auto takes the fastest that this engine runs correctly")
    .choices(["auto", ...MODULES])
    .default("auto");

export const kernelsOption = (): Option =>
  new Option("--module <name>", "kernels that it holds; scalar, the default, runs on every engine").choices(MODULES);

export const optimizeOption = (): Option =>
  new Option("--optimize <what>", "what to spare; size is the default for scalar, speed for the others").choices([
    "size",
    "speed",
  ]);

export const memoryOption = (): Option =>
  new Option("--memory <low>", "low: weights stay as compact as they are, in up to twice the time").choices(["low"]);

export const threadsOption = (): Option => new Option("--threads <n>", "threads to run on").argParser(wholeFrom(1, 64));

/** Numbers of threads, `1,2,4`. */
export const threadListOption = (): Option =>
  new Option("--threads <n,...>", "threads to run on; several numbers are measured one after the other").argParser(
    (text: string) => text.split(",").map(wholeFrom(1, 64)),
  );

export const signatureOption = (): Option =>
  new Option("--signature <name>", "which of a .tflite model's signatures; its first subgraph when absent");

/** What chooses what is read of a model, for a command that takes all of it. */
export const addReadingOptions = (command: Command): Command =>
  command.addOption(signatureOption()).addOption(shapeOption()).addOption(batchOption());

/** The same by the names of `loadModel`'s options, those that were given. */
export function readingOf({ signature, shape, batch }: ReadingOptions): {
  readonly signature?: string;
  readonly shapes?: Shapes;
  readonly batch?: number;
} {
  const named = Object.entries({ signature, shapes: shape, batch });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

const batchOption = (): Option =>
  new Option("--batch <n>", "samples of one run, where the model is of one or leaves it open").argParser(
    wholeFrom(1, 65536),
  );

export const shapeOption = (name = "--shape", of = "the model"): Option =>
  new Option(
    `${name} <name=sizes>`,
    `an input's shape where ${of} leaves it open, or in place of its own, as in image=1,320,320,3`,
  ).argParser(addShape);

/** `name=1,320,320,3` beside the shapes that were given before it; `=` may be part of a name. */
function addShape(text: string, before: Shapes = {}): Shapes {
  const at = text.lastIndexOf("=");
  const sizes = text.slice(at + 1).split(",");
  if (at <= 0 || sizes.some((size) => !/^\d{1,10}$/.test(size.trim())))
    throw new InvalidArgumentError("Expected a name and sizes, for example image=1,320,320,3.");
  return { ...before, [text.slice(0, at)]: sizes.map(Number) };
}

export const jsonOption = (): Option => new Option("--json", "print one JSON object");

/** Parses a whole number of the range, else commander says which option was wrong. */
export function wholeFrom(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    return value;
  };
}

/** Parses a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** Sizes that what a pixel of 0 to 255 is divided by can have: beyond them all pixels are alike, or none has a size that a network knows. */
const DIVISORS = [1e-3, 1e6] as const;

/** `--mean` and `--std` of pixels. */
export const means = within("means of pixels from 0 to 255", (value) => value >= 0 && value <= 255);
export const deviations = within(
  `numbers other than 0 from ${DIVISORS[0]} to ${DIVISORS[1]}`,
  (value) => Math.abs(value) >= DIVISORS[0] && Math.abs(value) <= DIVISORS[1],
);

/** Refuses means and deviations of pixels of 0 to 1, as PyTorch's recipes have them: pixels of 0 to 255 would come out 255 times too large. */
export function requirePixelUnits(mean: readonly number[] = [], std: readonly number[] = []): void {
  const isUnit = mean.length > 0 && std.length > 0 && [...mean, ...std].every((value) => Math.abs(value) < 1);
  const times255 = (values: readonly number[]) => values.map((value) => Number((255 * value).toFixed(3))).join(",");
  ensure(!isUnit || mean.every((value) => value === 0), "INVALID_OPTION", () => ({
    where: "--mean, --std",
    expected: "those of pixels of 0 to 255",
    received: `${mean.join(",")} and ${std.join(",")}, which are those of 0 to 1`,
    hint: `Say --mean ${times255(mean)} --std ${times255(std)}.`,
  }));
}

function within(what: string, fits: (value: number) => boolean): (text: string) => readonly number[] {
  return (text) => {
    const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (!values.every(fits)) throw new InvalidArgumentError(`Expected ${what}, separated by commas.`);
    return values;
  };
}

/** `--objective`: what training is for. */
export function objectiveOption(): Option {
  const what =
    "what the network gives: scores of classes (of each pixel in a segmentation), values as a regression's, embeddings; by its output and the labels when absent";
  return new Option("--objective <what>", what).choices(["classes", "values", "embeddings"]);
}

/** `--encode`: how the file holds weights with zeros. */
export function encodeOption(): Option {
  const how = "sparse: weights that get smaller so are stored without their zeros, for readers that know it";
  return new Option("--encode <how>", how).choices(["dense", "sparse"]).default("dense");
}
