/** `--data` and what belongs to it: the same for every command that learns from examples or is judged by them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { ensure } from "../errors.ts";
import type { Fit } from "../values/picture.ts";
import { deviations, means } from "./options.ts";

/** What the command line says about data. */
export interface DataOptions {
  readonly data?: string;
  readonly labels?: string;
  readonly samples?: SampleRange;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly fit?: Fit;
}

export interface SampleRange {
  readonly first: number;
  readonly end?: number;
}

/** The options themselves, for a command. */
export function addDataOptions(command: Command, need: "required" | "optional"): Command {
  const data = new Option(
    "--data <path>",
    "examples: a folder of pictures or sounds (one folder a class), IDX (gzip too), .npy, .npz, .csv or .parquet",
  );
  return command
    .addOption(need === "required" ? data.makeOptionMandatory() : data)
    .option(
      "--labels <file>",
      "their classes: IDX, .npy or one a line; the name of a column of a .csv; numbers that are not whole are what a regression should give",
    )
    .option("--samples <first:end>", "which of them, as in 0:500; end does not count", rangeOf)
    .option("--mean <m>", "subtract from pixels of 0..255: one number, or one per channel", means)
    .option("--std <s>", "then divide by; 255 where neither is given", deviations)
    .addOption(
      new Option("--fit <how>", "pictures of other proportions")
        .choices(["stretch", "cover", "contain"])
        .default("stretch"),
    );
}

/** `0:500`, `8000:`, or `500` for the first 500. */
export function rangeOf(text: string): SampleRange {
  const [, first, colon, end] = /^(\d*)(:?)(\d*)$/.exec(text) ?? [];
  if (first === undefined || (first === "" && end === ""))
    throw new InvalidArgumentError("Expected a range such as 0:500, or a number of samples.");
  if (colon === "") return { first: 0, end: Number(first) };
  return { first: Number(first), ...(end === "" ? {} : { end: Number(end) }) };
}

/** Refuses what speaks of data where there is none: it would count for nothing. */
export function requireData(options: DataOptions): void {
  const lost = (["labels", "samples", "mean", "std"] as const).find((name) => options[name] !== undefined);
  ensure(options.data !== undefined || lost === undefined, "INVALID_OPTION", () => ({
    where: `--${lost}`,
    expected: "--data, which it speaks of",
    received: "none",
  }));
}

/** Refuses samples to be tested by that are learned from. */
export function requireApart(samples: SampleRange = { first: 0 }, test: SampleRange | undefined): void {
  const { first, end = Number.POSITIVE_INFINITY } = samples;
  const apart = test === undefined || (test.end ?? Number.POSITIVE_INFINITY) <= first || end <= test.first;
  ensure(apart, "INVALID_OPTION", () => ({
    where: "--test",
    expected: "samples that are not learned from",
    received: `some of --samples ${first}:${Number.isFinite(end) ? end : ""}`,
    hint: "Say which are learned from, as in --samples 0:8000 --test 8000:.",
  }));
}
