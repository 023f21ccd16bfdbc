/** One network of the wild in a process of its own: ours and the peers' in turns, then ours kernel by kernel. */
import { readFileSync } from "node:fs";
import { noise } from "../../bindings/cli/commands/bench.ts";
import { loadPeak } from "../../bindings/cli/peak.ts";
import { loadModel, type ModuleName, type Session } from "../../bindings/public/index.ts";
import type { TypedArray } from "../../bindings/tensor.ts";
import { type Contender, quantile, type Ratio, ratioOf, takeTurns } from "../measure.ts";
import { loadPeer, type PeerName } from "../peers.ts";
import { copyCeiling, type KernelTime, kernelTimes } from "./kernels.ts";
import { loadOrt } from "./ort.ts";

/** What one process measures. */
export interface WildJob {
  readonly name: string;
  readonly path: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly module: ModuleName;
  /** The folder where the peers are installed. */
  readonly peers?: string;
  readonly durationMs: number;
}

export interface WildResult {
  readonly name: string;
  readonly macs: number;
  /** Milliseconds, medians. */
  readonly ours: number;
  readonly peers: readonly (Ratio & { readonly name: string; readonly ms: number })[];
  readonly kernels: readonly KernelTime[];
  /** Multiply-accumulates of registers, 10⁹ a second. */
  readonly peakGmacs: number;
  /** A copy loop's bytes read and written, 10⁹ a second. */
  readonly copyGbytes: number;
  /** Peers that could not run it, and why. */
  readonly skipped: readonly string[];
}

const IN_PLACE = { outputs: "views" } as const;
const WARM_UP_MS = 300;
const PROFILE_MS = 300;

export async function benchWild(job: WildJob): Promise<WildResult> {
  const bytes = new Uint8Array(readFileSync(job.path));
  const session = await open(job, bytes);
  const inputs = noise(session.inputs).map(withinTables);
  // The peers leave their outputs where they are, and find their inputs there; ours are copied in, since a run may overwrite them.
  const contenders: Contender[] = [{ name: "pint8", run: () => session.run(inputs, IN_PLACE) }];
  const skipped: string[] = [];
  for (const name of job.peers === undefined ? [] : peersOf(job))
    try {
      contenders.push({ name, run: await runnerOf(job.peers as string, name, bytes, session, inputs) });
    } catch (error) {
      skipped.push(`${name}: ${(error instanceof Error ? error.message : String(error)).slice(0, 160)}`);
    }
  const [ours, ...theirs] = await takeTurns(contenders, { warmUpMs: WARM_UP_MS, durationMs: job.durationMs });
  if (ours === undefined) throw new Error("nothing was measured");
  const peak = await loadPeak(session.module);
  const copies: number[] = [];
  const peaks: number[] = [];
  const kernels = kernelTimes(session, PROFILE_MS, () => {
    if (peaks.length < 60) peaks.push(peak.slice());
    if (copies.length < 60) copies.push(copyCeiling());
  });
  session.run(inputs);
  return {
    name: job.name,
    macs: session.steps.reduce((sum, step) => sum + step.macs, 0),
    ours: ours.median,
    peers: theirs.map((one) => ({ name: one.name, ms: one.median, ...ratioOf(one, ours) })),
    kernels,
    peakGmacs: quantile(peaks, 0.5),
    copyGbytes: quantile(copies, 0.5),
    skipped,
  };
}

/** Open dimensions have the corpus's sizes where the network takes them. */
async function open({ module, shapes }: WildJob, bytes: Uint8Array): Promise<Session> {
  const options = { module, onWarning: () => {} };
  if (Object.keys(shapes).length > 0) {
    const shaped = await loadModel(bytes, { ...options, shapes }).catch(() => undefined);
    if (shaped !== undefined) return shaped;
  }
  return loadModel(bytes, options);
}

const peersOf = ({ path, module }: WildJob): readonly (PeerName | "onnxruntime-web")[] =>
  path.endsWith(".onnx")
    ? ["onnxruntime-web"]
    : module === "relaxed"
      ? ["litert-relaxed", "tfjs-tflite"]
      : ["litert", "tfjs-tflite"];

async function runnerOf(
  folder: string,
  name: PeerName | "onnxruntime-web",
  model: Uint8Array,
  session: Session,
  inputs: readonly TypedArray[],
): Promise<() => unknown> {
  if (name === "onnxruntime-web") return loadOrt(folder, model, session.inputs, inputs);
  const peer = await loadPeer(folder, name, model);
  for (const [i, { buffer, byteOffset, byteLength }] of inputs.entries())
    peer.setInput(i, new Uint8Array(buffer, byteOffset, byteLength));
  await peer.run();
  const most = session.outputs.length;
  for (let i = 0; i < most; i++) peer.output(i);
  return () => peer.run();
}

/** Whole numbers may be places in tables: small ones. */
function withinTables(values: TypedArray): TypedArray {
  if (values instanceof Int32Array) return values.map((value) => value & 7);
  if (values instanceof BigInt64Array) return values.map((value) => value & 7n);
  return values;
}
