/** `--data` and what belongs to it: the same for every command that learns from examples or is judged by them. */
import { type Command, InvalidArgumentError, Option } from "commander";
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
