import { Pint8Error } from "../errors.ts";

/** Ctrl-C while a command must put something away first: the first one asks it to end, the next one ends the process. */
export function interrupted(): { readonly signal: AbortSignal; readonly done: () => void } {
  const end = new AbortController();
  const stop = () => {
    process.exitCode = 130;
    end.abort(new Error("interrupted"));
  };
  process.once("SIGINT", stop);
  return { signal: end.signal, done: () => void process.removeListener("SIGINT", stop) };
}

/** What a command says that was ended before its output was written; `checkpoint`: the file that it can go on from. */
export function interruption(output: string, checkpoint: string | undefined): Pint8Error {
  return new Pint8Error("IO", {
    where: output,
    expected: "to be left to its end",
    received: "an interruption",
    hint: checkpoint === undefined ? "Nothing is kept: begin again." : `Go on with --resume ${checkpoint}.`,
  });
}
