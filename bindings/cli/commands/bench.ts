import { byteLength, type TypedArray, typedCopy } from "../../tensor.ts";
import type { Port } from "../../values/port.ts";
import { measure } from "../measure.ts";
import { open } from "../open.ts";
import type { EngineOptions } from "../options.ts";
import { profileLines, profileSteps } from "../profile.ts";
import type { Streams } from "../streams.ts";
import { milliseconds } from "../text.ts";

/** Warm-up and measured time in milliseconds. */
const MEASURE = { warmUp: 500, duration: 2000, leastRuns: 5 };

interface BenchOptions extends Omit<EngineOptions, "threads"> {
  /** Measured one after the other; 1 when absent. */
  readonly threads?: readonly number[];
  readonly profile?: true;
  readonly runs?: number;
  readonly duration?: number;
  readonly json?: true;
}

/** Measures the latency of one inference on inputs of fixed noise, without copying outputs into reports, for each number of threads. */
export async function bench(model: string, options: BenchOptions, streams: Streams): Promise<void> {
  const { threads: wanted = [1] } = options;
  const measured: object[] = [];
  for (const threads of wanted) measured.push(await benchOn(threads, model, options, streams));
  const [first] = measured;
  if (options.json) streams.out(JSON.stringify(measured.length === 1 ? first : { model, measurements: measured }));
}

/** One measurement; its lines are printed, or it is returned for JSON. */
async function benchOn(threads: number, model: string, options: BenchOptions, streams: Streams): Promise<object> {
  const { out, width } = streams;
  const session = await open(model, { ...options, threads }, streams);
  try {
    const { module, steps } = session;
    const macs = steps.reduce((sum, step) => sum + step.macs, 0);
    const inputs = noise(session.inputs);
    const measurement = await measure(() => session.run(inputs), {
      ...MEASURE,
      duration: options.duration ?? MEASURE.duration,
      leastRuns: options.runs ?? MEASURE.leastRuns,
    });
    const gmacs = macs / measurement.median / 1e6;
    const profile = options.profile && (await profileSteps(session, inputs));
    if (!options.json) {
      const { runs, median, min, p90 } = measurement;
      out(`${model} on ${module}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${runs} runs`);
      out(
        `median ${milliseconds(median)}  min ${milliseconds(min)}  p90 ${milliseconds(p90)}  ${gmacs.toFixed(2)} GMAC/s`,
      );
      if (profile) for (const line of profileLines(profile, width)) out(line);
    }
    return { model, module, threads, macs, ...measurement, gmacsPerSecond: gmacs, ...(profile && { profile }) };
  } finally {
    session.close();
  }
}

/**
 * The inputs that the golden outputs were made with: xorshift32 from seed 12345 over all inputs, one draw per byte, or per
 * element of the wider types (`int8 / 128` for float32, the low byte for int32).
 */
export function noise(ports: readonly Port[]): readonly TypedArray[] {
  let state = 12345;
  const draw = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  return ports.map((port) => {
    const { dtype } = port;
    const value = typedCopy(dtype, new Uint8Array(byteLength(port)));
    if (dtype === "float32") for (let i = 0; i < value.length; i++) value[i] = ((draw() << 24) >> 24) / 128;
    else if (dtype === "int32") for (let i = 0; i < value.length; i++) value[i] = draw();
    else {
      const bytes = new Uint8Array(value.buffer);
      const most = dtype === "bool" ? 1 : 255;
      for (let i = 0; i < bytes.length; i++) bytes[i] = draw() & most;
    }
    return value;
  });
}
