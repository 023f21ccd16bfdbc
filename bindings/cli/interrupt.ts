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
