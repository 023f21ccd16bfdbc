/** Settings layer by layer under bounds, by measured sensitivity: the engine itself judges every candidate. */
import { writeTflite } from "../../formats/tflite/write/index.ts";
import type { Graph } from "../../graph.ts";
import type { Sample } from "../data/types.ts";
import type { Progress } from "../progress.ts";
import { dropOf, type Expected, expect, medianTime } from "./bounds.ts";
import { errorOf, outputsOf } from "./judge.ts";
import type { ActivationType, Bound, BoundReport, LayerSetting, QuantizeOptions } from "./options.ts";
import { type Made, make, makeNearest, type Workshop } from "./workshop.ts";

/** The bounds that options state. */
export const boundsOf = (options: QuantizeOptions): readonly Bound[] =>
  (["maxDrop", "size", "latency"] as const).flatMap((name) => {
    const most = options[name];
    return most === undefined ? [] : [{ name, most }];
  });

/** What was planned, and the type of the operators between the layers. */
interface Planned extends Candidate {
  readonly bounds: readonly BoundReport[];
  readonly activations: ActivationType;
}

/** Examples by which single layers are compared. */
const COMPARED = 64;
const FLOAT: LayerSetting = { weights: "float32", activations: "float32" };

const bytesOf = (graph: Graph): number => writeTflite(graph, { onWarning: () => {} }).length;

type Settings = readonly LayerSetting[];
interface Candidate {
  readonly settings: Settings;
  readonly made: Made;
}

/**
 * Begins with the given settings. While the file is too large, layers get int4 weights, those first that hurt least for each byte;
 * while the drop is too large, layers get int8 weights and then stay float, those first that help most; where even that does not do, all
 * activations get 16 bits. The result may miss a bound, that of size as the smallest file: the report says so.
 */
export async function planMixed(
  workshop: Workshop,
  start: Settings,
  bounds: readonly Bound[],
  progress: Progress,
): Promise<Planned> {
  const { float, kept, options } = workshop;
  const most = new Map(bounds.map((bound) => [bound.name, bound.most]));
  const target = await expect(float, kept);
  const { of, bytes } = options.file ?? { of: bytesOf, bytes: bytesOf(float) };
  const sizeOf = (graph: Graph) => (100 * of(graph)) / bytes;
  const fits = (graph: Graph) => sizeOf(graph) <= (most.get("size") ?? Infinity);

  let settings = start;
  if (!fits(makeNearest(workshop, settings).graph)) {
    const ranked = await rank(workshop, settings, lower, target, progress);
    const enough = ranked.findIndex((_, k) => fits(makeNearest(workshop, apply(settings, ranked, k + 1)).graph));
    settings = apply(settings, ranked, enough < 0 ? ranked.length : enough + 1);
  }
  let best: Candidate = { settings, made: await make(workshop, settings, progress) };
  let drop = await dropOf(best.made.graph, kept, target);
  // Nothing that loses less is smaller: what misses the size so ends here, and says how near that was.
  const mostDrop = fits(best.made.graph) ? (most.get("maxDrop") ?? Infinity) : Infinity;
  for (let round = 0; round < 2 && drop > mostDrop; round++) {
    const base = best.settings;
    const ranked = await rank(workshop, base, raise, target, progress);
    const tried = async (k: number) => {
      const next = apply(base, ranked, k);
      const made = await make(workshop, next, progress);
      return { settings: next, made, drop: await dropOf(made.graph, kept, target) };
    };
    // The fewest that do: drops fall with the number of layers, as near as that can be known.
    let [low, high] = [0, ranked.length];
    let found = await tried(high);
    progress({ phase: "judge", done: 0, note: `drop ${found.drop.toFixed(2)} %` });
    if (found.drop <= mostDrop)
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        const next = await tried(middle);
        progress({ phase: "judge", done: middle, total: ranked.length, note: `drop ${next.drop.toFixed(2)} %` });
        if (next.drop <= mostDrop) [high, found] = [middle, next];
        else low = middle;
      }
    ({ drop } = found);
    best = found;
  }

  // Where it is the operators between the layers that hurt, all activations get 16 bits.
  const { activations = "int8", io } = workshop.options;
  let wide = false;
  if (drop > mostDrop && activations === "int8" && io !== "int8" && io !== "uint8") {
    const options = { ...workshop.options, activations: "int16" } as const;
    const next = settings.map(({ weights }): LayerSetting => ({ weights, activations: "int16" }));
    const made = await make({ ...workshop, options }, next, progress);
    const own = await dropOf(made.graph, kept, target);
    progress({ phase: "judge", done: 0, note: `drop ${own.toFixed(2)} % with activations of 16 bits` });
    wide = own < drop && (fits(made.graph) || !fits(best.made.graph));
    if (wide) [best, drop] = [{ settings: next, made }, own];
  }

  const reports: BoundReport[] = [];
  for (const bound of bounds) {
    const reached =
      bound.name === "maxDrop"
        ? drop
        : bound.name === "size"
          ? sizeOf(best.made.graph)
          : (100 * (await medianTime(best.made.graph, kept))) / (await medianTime(float, kept));
    reports.push({ ...bound, reached, met: reached <= bound.most });
  }
  return { settings: best.settings, made: best.made, bounds: reports, activations: wide ? "int16" : activations };
}

/** A layer with another setting. */
interface Change {
  readonly layer: number;
  readonly setting: LayerSetting;
}

const apply = (settings: Settings, changes: readonly Change[], count: number): Settings => {
  const changed = [...settings];
  for (const { layer, setting } of changes.slice(0, count)) changed[layer] = setting;
  return changed;
};

/** One step down: int4 weights. */
const lower = (setting: LayerSetting): LayerSetting | undefined =>
  setting.weights === "int8" ? { ...setting, weights: "int4" } : undefined;

/** One step up: int8 weights, then floats. */
function raise(setting: LayerSetting): LayerSetting | undefined {
  if (setting.weights === "int4") return { ...setting, weights: "int8" };
  return setting.weights === "int8" ? FLOAT : undefined;
}

/** The changes that single layers may take, those first that give the least error for the bytes that they free or cost. */
async function rank(
  workshop: Workshop,
  settings: Settings,
  change: (setting: LayerSetting) => LayerSetting | undefined,
  target: Expected,
  progress: Progress,
): Promise<readonly Change[]> {
  const { kept, layers } = workshop;
  const some: readonly Sample[] = kept.slice(0, COMPARED);
  const expected = target.outputs.slice(0, COMPARED);
  const error = async (own: Settings) => errorOf(await outputsOf(makeNearest(workshop, own).graph, some), expected);
  const before = await error(settings);
  const changes: (Change & { readonly order: number })[] = [];
  for (const [layer, each] of settings.entries()) {
    const setting = change(each);
    if (setting === undefined || (setting.weights === "int4" && layers[layer]?.node.kind === "transposeConv")) continue;
    progress({ phase: "compare", done: layer, total: settings.length, note: layers[layer]?.name ?? "" });
    const difference = (await error(apply(settings, [{ layer, setting }], 1))) - before;
    const { channels = 1, depth = 1 } = layers[layer] ?? {};
    changes.push({ layer, setting, order: difference / (channels * depth) });
  }
  return changes.sort((a, b) => a.order - b.order || a.layer - b.layer);
}
