/** Whole models, ours and the peers', taking turns in one process per model. */
import { readFileSync } from "node:fs";
import { noise } from "../bindings/cli/commands/bench.ts";
import { loadModel, type ModuleName, type Session } from "../bindings/public/index.ts";
import { type Beside, besideOf } from "./beside.ts";
import { type Contender, type Ratio, ratioOf, type Times, takeTurns } from "./measure.ts";
import { loadPeer, PEERS, type PeerName } from "./peers.ts";

/** What one process measures. */
export interface ModelJob {
  readonly name: string;
  readonly path: string;
  /** Another model of ours to pair with, in place of peers. */
  readonly against?: string;
  /** The folder where the peers are installed. */
  readonly peers?: string;
  readonly durationMs: number;
}

export interface ModelResult {
  readonly name: string;
  readonly macs: number;
  readonly times: readonly Omit<Times, "rounds">[];
  /** Theirs over ours; above 1 ours is faster. */
  readonly ratios: readonly (Ratio & { readonly ours: string; readonly theirs: string })[];
  /** What could not be run, and why. */
  readonly skipped: readonly string[];
  /** Peers whose output bytes are not ours, and by how much at most: XNNPACK rounds otherwise. */
  readonly differences: Readonly<Record<string, number>>;
}

const MODULES: readonly ModuleName[] = ["simd", "relaxed"];
const WARM_UP_MS = 700;

export async function benchModel(job: ModelJob): Promise<ModelResult> {
  const bytes = new Uint8Array(readFileSync(job.path));
  const contenders: Contender[] = [];
  const skipped: string[] = [];
  const sessions: Session[] = [];
  const differences: Record<string, number> = {};
  const pairs: [string, string][] = [];

  const addOwn = async (name: string, module: ModuleName, threads: number, model: Uint8Array) => {
    try {
      const session = await loadModel(model, {
        module,
        threads,
        onWarning: (message) => skipped.push(`${name}: ${message}`),
      });
      sessions.push(session);
      const inputs = noise(session.inputs);
      contenders.push({ name, run: () => session.run(inputs) });
      return session;
    } catch (error) {
      skipped.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const besides: Beside[] = [];
  /** One thread here and one beside it, each with a model of its own: what the machine's two cores give. */
  const addBoth = async (name: string, module: ModuleName) => {
    const alone = contenders.find((each) => each.name === module);
    if (alone === undefined) return;
    const beside = await besideOf(bytes, module);
    besides.push(beside);
    const run = () => {
      beside.begin();
      alone.run();
      beside.end();
    };
    contenders.push({ name, inferences: 2, run });
  };
  let first: Session | undefined;
  for (const module of MODULES) first = (await addOwn(module, module, 1, bytes)) ?? first;
  if (job.against === undefined)
    for (const module of MODULES)
      if (contenders.some(({ name }) => name === module)) {
        await addOwn(`${module}, 2 threads`, module, 2, bytes);
        await addBoth(`${module}, two at once`, module);
        pairs.push([`${module}, 2 threads`, module], [`${module}, 2 threads`, `${module}, two at once`]);
      }
  if (job.against !== undefined) {
    const other = new Uint8Array(readFileSync(job.against));
    for (const module of MODULES) {
      await addOwn(`${module}, dense`, module, 1, other);
      pairs.push([module, `${module}, dense`]);
    }
  }
  if (first === undefined) throw new Error(`${job.name}: ${skipped.join("; ")}`);
  const inputs = noise(first.inputs);
  const own = Object.values(first.run(inputs));
  for (const peer of job.peers === undefined ? [] : PEERS) {
    if (peer === "litert-relaxed" && !contenders.some(({ name }) => name === "relaxed")) continue;
    try {
      const engine = await loadPeer(job.peers as string, peer, bytes, peer === "litert-threads" ? 2 : 1);
      for (const [i, { buffer, byteOffset, byteLength }] of inputs.entries())
        engine.setInput(i, new Uint8Array(buffer, byteOffset, byteLength));
      await engine.run();
      differences[peer] = Math.max(...own.map((output, i) => difference(output, engine.output(i))));
      contenders.push({ name: peer, run: () => engine.run() });
      pairs.push(...pairsOf(peer));
    } catch (error) {
      skipped.push(`${peer}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const times = await takeTurns(contenders, { warmUpMs: WARM_UP_MS, durationMs: job.durationMs });
  const named = (name: string) => times.find((one) => one.name === name);
  const ratios = pairs.flatMap(([ours, theirs]) => {
    const [a, b] = [named(ours), named(theirs)];
    return a && b ? [{ ours, theirs, ...ratioOf(b, a) }] : [];
  });
  const macs = first.steps.reduce((sum, step) => sum + step.macs, 0);
  for (const session of sessions) session.close();
  for (const beside of besides) await beside.close();
  return { name: job.name, macs, times: times.map(({ rounds, ...rest }) => rest), ratios, skipped, differences };
}

/** Like against like: SIMD128 with SIMD128, relaxed with relaxed, two threads with two. */
function pairsOf(peer: PeerName): readonly [string, string][] {
  if (peer === "litert-relaxed") return [["relaxed", peer]];
  if (peer === "litert-threads")
    return [
      ["simd, 2 threads", peer],
      ["relaxed, 2 threads", peer],
    ];
  return [["simd", peer]];
}

/** The greatest difference between bytes, of int8 or uint8 outputs; −1 where the lengths differ. */
function difference(own: ArrayBufferView, theirs: Uint8Array): number {
  const a = new Int8Array(own.buffer, own.byteOffset, own.byteLength);
  if (a.length !== theirs.length) return -1;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (((theirs[i] as number) << 24) >> 24))), 0);
}
