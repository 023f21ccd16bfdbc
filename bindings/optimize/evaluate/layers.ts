/** Where two models of one network differ: tensors of the same name, side by side. */
import type { Graph, TensorId } from "../../graph.ts";
import { elementCount, type Quantization, type Tensor } from "../../tensor.ts";
import type { Batch } from "../data/batches.ts";
import type { EngineOptions } from "../engine.ts";
import { type Tap, tapGraph } from "../tap.ts";
import type { LayerError } from "./figures.ts";

const BINS = 48;
/** Tensors of more elements are left out: they would be most of the memory. */
const MOST_ELEMENTS = 1 << 22;

const INTEGERS: { readonly [dtype: string]: readonly [number, number] } = {
  int4: [-8, 7],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};

interface Pair {
  readonly name: string;
  readonly where: string;
  readonly own: TensorId;
  readonly other: TensorId;
  readonly tensor: Tensor;
}

const isReal = ({ dtype, quantization }: Tensor) => dtype === "float32" || quantization?.scale.length === 1;

/** Computed tensors that both graphs have under one name, in the order in which the first computes them. */
function commonTensors(own: Graph, other: Graph): readonly Pair[] {
  const names = new Map<string, TensorId>();
  for (const { outputs } of other.nodes) for (const id of outputs) names.set(other.tensors[id]?.name ?? "", id);
  const taken = new Set<string>();
  return own.nodes.flatMap(({ outputs, where }) =>
    outputs.flatMap((id): readonly Pair[] => {
      const tensor = own.tensors[id] as Tensor;
      const found = names.get(tensor.name);
      const twin = found === undefined ? undefined : other.tensors[found];
      if (found === undefined || twin === undefined || tensor.name === "" || taken.has(tensor.name)) return [];
      const count = elementCount(tensor.shape);
      if (!isReal(tensor) || !isReal(twin) || count !== elementCount(twin.shape) || count > MOST_ELEMENTS) return [];
      taken.add(tensor.name);
      return [{ name: tensor.name, where, own: id, other: found, tensor }];
    }),
  );
}

/** Compares tensors batch by batch. */
interface LayerComparison {
  readonly batch: number;
  readonly add: (batch: Batch) => void;
  readonly result: () => readonly LayerError[];
  readonly close: () => void;
}

/** Both models with their common tensors in sight; undefined where they have none. Errors: those of `loadModel`. */
export async function compareLayers(
  own: Graph,
  other: Graph,
  options: EngineOptions = {},
): Promise<LayerComparison | undefined> {
  const pairs = commonTensors(own, other);
  if (pairs.length === 0) return undefined;
  const first = await tapGraph(
    own,
    pairs.map((pair) => pair.own),
    options,
  );
  const second = await tapGraph(
    other,
    pairs.map((pair) => pair.other),
    { ...options, batch: first.batch },
  );
  const ends = new Set(own.outputs.map(({ tensor }) => tensor));
  const sums = pairs.map(({ own: id, tensor }) => new LayerSum(Math.max(1, tensor.shape.at(-1) ?? 1), !ends.has(id)));
  return {
    batch: first.batch,
    add(batch) {
      const values = first.run(batch.inputs);
      const expected = runParts(second, batch, pairs.length);
      for (const [i, sum] of sums.entries()) sum.add(values[i] as Float32Array, expected[i] as Float32Array);
    },
    result() {
      const found = pairs.map((pair, i) => (sums[i] as LayerSum).result(pair));
      const left = new Map(pairs.map(({ own: id }, i) => [id, found[i]?.snr as number] as const));
      return found.map((layer, i) => withBehind(layer, own, (pairs[i] as Pair).own, left));
    },
    close() {
      first.close();
      second.close();
    },
  };
}

/** Functions that are level, or nearly so, from somewhere on. */
const LEVELLING: ReadonlySet<string> = new Set([
  ...["logistic", "tanh", "softmax", "logSoftmax", "hardSwish", "elu", "gelu"],
  ...["relu", "relu6", "reluN1To1", "relu0To1", "leakyRelu", "maximum", "minimum"],
]);

/** Says what is left behind the functions that read a tensor, where nothing else does. */
function withBehind(layer: LayerError, { nodes, outputs }: Graph, id: TensorId, left: ReadonlyMap<TensorId, number>) {
  const readers = nodes.filter(({ inputs }) => inputs.includes(id));
  const isSeen = readers.length === 0 || outputs.some(({ tensor }) => tensor === id);
  if (isSeen || readers.some(({ kind }) => !LEVELLING.has(kind))) return layer;
  const behind = Math.min(...readers.map(({ outputs: [made] }) => left.get(made as TensorId) ?? layer.snr));
  return behind > layer.snr ? { ...layer, behind } : layer;
}

/** A batch in as many runs as the model needs for it. */
function runParts(tap: Tap, { samples, inputs }: Batch, count: number): readonly Float32Array[] {
  if (samples.length <= tap.batch) return tap.run(inputs);
  const parts: (readonly Float32Array[])[] = [];
  for (let at = 0; at < samples.length; at += tap.batch) {
    const end = Math.min(samples.length, at + tap.batch);
    const own = inputs.map((values) => {
      const size = values.length / samples.length;
      return values.subarray(at * size, end * size);
    });
    parts.push(tap.run(own).map((values) => values.slice()));
  }
  return Array.from({ length: count }, (_, i) => {
    const all = parts.map((part) => part[i] as Float32Array);
    const joined = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of all) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  });
}

class LayerSum {
  #signal = 0;
  #noise = 0;
  #own = 0;
  #dot = 0;
  #error = 0;
  #count = 0;
  #low = 0;
  #high = 0;
  #factors: Float64Array = new Float64Array();
  readonly #counts = new Array<number>(BINS).fill(0);

  /** Of so many channels, the last dimension, which may have other sizes inside of a network. */
  constructor(
    readonly channels: number,
    readonly isInner: boolean,
  ) {}

  add(values: Float32Array, expected: Float32Array): void {
    if (this.#count === 0) {
      this.#setRange(expected);
      this.#factors = this.isInner
        ? factorsOf(values, expected, this.channels)
        : new Float64Array(this.channels).fill(1);
    }
    const scale = BINS / (this.#high - this.#low);
    for (let i = 0; i < expected.length; i++) {
      const [a, b] = [(values[i] as number) * (this.#factors[i % this.channels] as number), expected[i] as number];
      this.#signal += b * b;
      this.#own += a * a;
      this.#dot += a * b;
      this.#noise += (a - b) ** 2;
      this.#error += Math.abs(a - b);
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((b - this.#low) * scale))) || 0;
      this.#counts[bin] = (this.#counts[bin] as number) + 1;
    }
    this.#count += expected.length;
  }

  /** The first batch says where the values are. */
  #setRange(values: Float32Array): void {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (!(high > low)) [low, high] = [Math.min(low, 0) || 0, (Number.isFinite(high) ? Math.max(high, 0) : 0) + 1];
    [this.#low, this.#high] = [low, high];
  }

  result({ name, where, tensor }: Pair): LayerError {
    const clip = this.#factors.every((by) => by === 1) ? clipOf(tensor.dtype, tensor.quantization) : undefined;
    return {
      name,
      where,
      snr: this.#noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(this.#signal / this.#noise),
      cosine:
        this.#own * this.#signal === 0
          ? this.#own === this.#signal
            ? 1
            : 0
          : this.#dot / Math.sqrt(this.#own * this.#signal),
      meanError: this.#error / Math.max(1, this.#count),
      histogram: { low: this.#low, high: this.#high, counts: this.#counts },
      ...(clip === undefined ? {} : { clip }),
    };
  }
}

/** A channel that differs by more than a factor of this, and by little else, was given another size, and is compared by its own. */
const OTHER_SIZE = 1.1;
/** The square of the cosine from which on little else differs. */
const LIKE = 0.5;

/** What brings channels that a quantizer gave another size, which layers behind take back, to their own; 1 for all others. */
function factorsOf(values: Float32Array, expected: Float32Array, channels: number): Float64Array {
  const [own, dot, signal] = [new Float64Array(channels), new Float64Array(channels), new Float64Array(channels)];
  for (let i = 0; i < expected.length; i++) {
    const [a, b, c] = [values[i] as number, expected[i] as number, i % channels];
    own[c] = (own[c] as number) + a * a;
    dot[c] = (dot[c] as number) + a * b;
    signal[c] = (signal[c] as number) + b * b;
  }
  return own.map((power, c) => {
    const [product, other] = [dot[c] as number, signal[c] as number];
    const by = product / power;
    return product ** 2 > LIKE * power * other && Math.max(by, 1 / by) > OTHER_SIZE && by > 0 ? by : 1;
  });
}

function clipOf(dtype: string, quantization: Quantization | undefined): readonly [number, number] | undefined {
  const range = INTEGERS[dtype];
  const [scale, zero] = [quantization?.scale[0], quantization?.zeroPoint[0]];
  if (range === undefined || scale === undefined || zero === undefined) return undefined;
  return [scale * (range[0] - zero), scale * (range[1] - zero)];
}
