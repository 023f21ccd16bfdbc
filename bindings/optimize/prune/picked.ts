/** Rows of a layer whose activation clips: what it reads, and what the dense network gives before the activation. */
import { type Layer, pickRows } from "../linear/layers.ts";
import { rowsOf } from "./systems.ts";

/** What activations leave as it is lies between these. */
const LIMITS = {
  relu: [0, Infinity],
  relu6: [0, 6],
  reluN1To1: [-1, 1],
  relu0To1: [0, 1],
} as const satisfies { readonly [activation: string]: readonly [number, number] };

/** Multiply-adds of a layer's steps, and numbers of its inputs that are kept: rows beyond are left out. */
const MOST_WORK = 1e10;
const MOST_NUMBERS = 2 ** 25;
/** Rows for each weight of an output, below which those that were picked would be learned by heart. */
const LEAST_ROWS = 4;
/** Numbers of a layer's inputs that are multiplied at a time: 1 MB, which stays near the processor. */
const CHUNK = 2 ** 18;

export interface Picked {
  readonly rows: number;
  /** Rows of a chunk; the last is filled up with zeros. */
  readonly chunk: number;
  /** Inputs `[groups][inputs][chunk]`. */
  readonly inputs: readonly Float32Array[];
  /** Bounds of the values that are as good as their targets `[outputs][chunk]`: the target itself, without end where it is clipped. */
  readonly least: readonly Float32Array[];
  readonly most: readonly Float32Array[];
  /** Takes a layer's inputs of a view of an example; one after the other. */
  readonly add: (user: Layer, x: Float32Array, view: number) => void;
}

/** Room for the rows of a layer whose activation clips, given the targets of each view of an example; none where too few would be picked for so many steps. */
export function pickedRows(layer: Layer, wanted: readonly Float32Array[], steps: number): Picked | undefined {
  const { outputs, inputs, groups, node } = layer;
  const limits = LIMITS[node.attributes.activation as keyof typeof LIMITS];
  const every = limits && strideOf(layer, wanted, steps);
  if (every === undefined) return undefined;
  // Examples begin at different rows, so that those picked are not all of one place.
  const own = wanted.map(({ length }, example) =>
    Array.from({ length: length / outputs }, (_, i) => i).filter((i) => (i + example) % every === 0),
  );
  const rows = own.reduce((sum, { length }) => sum + length, 0);
  const chunk = Math.min(rows, Math.max(Math.floor(CHUNK / (inputs * groups)), 64));
  const room = (height: number) =>
    Array.from({ length: Math.ceil(rows / chunk) }, () => new Float32Array(height * chunk));
  const [read, least, most] = [room(groups * inputs), room(outputs), room(outputs)];
  let at = 0;
  const blockOf = (of: readonly Float32Array[], row: number) => of[Math.floor(row / chunk)] as Float32Array;
  const [low, high] = limits;
  const add: Picked["add"] = (user, x, view) => {
    const mine = own[view] as readonly number[];
    const places = rowsOf(user, wanted.length, view);
    const some = mine.map((i) => places[i] as number);
    pickRows(user, x, some, (group, i, values) => {
      const to = blockOf(read, at + i);
      const from = group * inputs * chunk + ((at + i) % chunk);
      for (let k = 0; k < inputs; k++) to[from + k * chunk] = values[k] as number;
    });
    const y = wanted[view] as Float32Array;
    for (const [i, row] of mine.entries()) {
      const [lows, highs, column] = [blockOf(least, at + i), blockOf(most, at + i), (at + i) % chunk];
      for (let o = 0; o < outputs; o++) {
        const target = y[row * outputs + o] as number;
        lows[o * chunk + column] = target <= low ? -Infinity : Math.min(target, high);
        highs[o * chunk + column] = target >= high ? Infinity : Math.max(target, low);
      }
    }
    at += mine.length;
  };
  return { rows, chunk, inputs: read, least, most, add };
}

/** Of how many rows one is picked; undefined where too few would be. */
function strideOf({ inputs, outputs, groups }: Layer, wanted: readonly Float32Array[], steps: number) {
  const all = wanted.reduce((sum, { length }) => sum + length / outputs, 0);
  const most = Math.min(MOST_WORK / (2 * steps * inputs * outputs), MOST_NUMBERS / (inputs * groups));
  return Math.min(all, most) < LEAST_ROWS * inputs ? undefined : Math.ceil(all / most);
}
