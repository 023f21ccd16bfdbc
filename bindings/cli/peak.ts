import { readFile } from "node:fs/promises";
import type { ModuleName } from "../primitives/modules.ts";

/** The loop of `assembly/peak.ts`: multiply-accumulates on registers, what no kernel of the module can exceed. */
interface Peak {
  /** One slice of about a millisecond: GMAC/s. */
  slice(): number;
}

const URLS: { readonly [M in ModuleName]: () => URL } = {
  scalar: () => new URL("../../wasm/peak.scalar.wasm", import.meta.url),
  simd: () => new URL("../../wasm/peak.simd.wasm", import.meta.url),
  relaxed: () => new URL("../../wasm/peak.relaxed.wasm", import.meta.url),
};

/** Long enough for a clock of microseconds, short enough to fall between what other programs do. */
const SLICE_MS = 1;
const WARM_UP_MS = 60;

/** Loads and warms the peak loop of a module. */
export async function loadPeak(name: ModuleName): Promise<Peak> {
  const { instance } = await WebAssembly.instantiate(await readFile(URLS[name]()));
  const { memory, macsPerRound, peak } = instance.exports as {
    readonly memory: WebAssembly.Memory;
    readonly macsPerRound: () => number;
    readonly peak: (rounds: number) => number;
  };
  new Uint8Array(memory.buffer, 0, 512).fill(3);
  const time = (rounds: number) => {
    const start = performance.now();
    peak(rounds);
    return performance.now() - start;
  };
  let rounds = 1000;
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) time(rounds);
  while (time(rounds) < SLICE_MS) rounds *= 2;
  const macs = macsPerRound() * rounds;
  return { slice: () => macs / time(rounds) / 1e6 };
}
