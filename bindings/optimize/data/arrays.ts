/** Arrays of examples, whatever file they came from: the leading size counts the examples. */
import { ensure } from "../../errors.ts";
import { requireList } from "../../given.ts";
import { elementCount, listText } from "../../tensor.ts";
import { imageShape, preparePicture, type Scaling, scalingText } from "../../values/image.ts";
import type { Fit, Picture } from "../../values/picture.ts";
import { moved } from "./planes.ts";
import { withSome } from "./some.ts";
import type { Dataset, Sample } from "./types.ts";

/** Numbers of any type, row-major; `shape[0]` examples. */
export interface Rows {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number | bigint>;
  /** Bytes 0 to 255, which are pixels where the model takes pictures. */
  readonly pixels: "pixels" | "numbers";
}

/** An input of a model: its real values. */
export interface DataPort {
  readonly name: string;
  readonly shape: readonly number[];
}

/** How values become inputs. */
export interface Preparation {
  /** Of pixels; 0 to 1 where absent. */
  readonly scaling?: Scaling;
  /** Pictures of other proportions; stretched where absent. */
  readonly fit?: Fit;
}

export const UNIT_SCALING: Scaling = { kind: "real", mean: [0], std: [255] };

/** What is known of the examples besides their inputs. */
export interface Known {
  readonly labels?: ArrayLike<number>;
  readonly classes?: readonly string[];
  /** What the first output of a regression should be. */
  readonly targets?: Rows;
}

/**
 * The examples of arrays, one array per input of the model. Pixels of the input's size are scaled, pictures of others resized
 * too; other numbers are taken as they are.
 *
 * Errors: INVALID_INPUT for another number of arrays, examples, labels or elements than there must be.
 */
export function arrayDataset(
  ports: readonly DataPort[],
  arrays: readonly Rows[],
  known: Known = {},
  preparation: Preparation = {},
): Dataset {
  requireList("arrayDataset, ports", ports, "the model's inputs { name, shape }, as model.inputs", "shape");
  requireList("arrayDataset, arrays", arrays, "arrays { shape, values, pixels }, one for each input", "shape");
  ensure(arrays.length === ports.length, "INVALID_INPUT", () => ({
    where: "data",
    expected: `${ports.length} arrays, one for each input`,
    received: `${arrays.length}`,
  }));
  const size = arrays[0]?.shape[0] ?? 0;
  ensure(size > 0 && arrays.every(({ shape }) => shape[0] === size), "INVALID_INPUT", () => ({
    where: "data",
    expected: "at least one example, as many of each input",
    received: arrays.map(({ shape }) => listText(shape)).join(", "),
  }));
  const { labels, classes, targets } = known;
  ensure(targets === undefined || targets.shape[0] === size, "INVALID_INPUT", () => ({
    where: "labels",
    expected: `${size} targets, one for each example`,
    received: `${targets?.shape[0]}`,
    hint: "Check that data and targets belong together.",
  }));
  ensure(labels === undefined || labels.length === size, "INVALID_INPUT", () => ({
    where: "labels",
    expected: `${size}, one for each example`,
    received: `${labels?.length}`,
    hint: "Check that data and labels belong together.",
  }));
  const makers = ports.map((port, i) => maker(port, arrays[i] as Rows, preparation));
  const about = {
    size,
    ...(classes === undefined ? {} : { classes }),
    preparation: [...new Set(makers.map(({ text }) => text))].join("; "),
  };
  return withSome(about, async function* (wanted) {
    for (let i = 0; i < size; i++) {
      if (!wanted(i)) continue;
      const sample: Sample = { inputs: makers.map(({ make }) => make(i)), name: `sample ${i}` };
      yield { ...sample, ...answerOf(known, i) };
    }
  });
}

/** What is known of one example. */
export const answerOf = ({ labels, targets }: Known, row: number): Pick<Sample, "label" | "targets"> => ({
  ...(labels !== undefined && { label: Number(labels[row]) }),
  ...(targets !== undefined && { targets: [rowOf(targets, row)] }),
});

/** The numbers of one example. */
function rowOf({ shape, values }: Rows, row: number): Float32Array {
  const width = values.length / (shape[0] ?? 1);
  return Float32Array.from({ length: width }, (_, i) => Number(values[row * width + i]));
}

/** What makes the value of an input for an example. */
interface Maker {
  readonly make: (example: number) => Float32Array;
  readonly text: string;
}

/** What makes values of rows of numbers or pixels. Errors: INVALID_INPUT where they do not fit the input. */
export function maker(port: DataPort, rows: Rows, { scaling = UNIT_SCALING, fit = "stretch" }: Preparation): Maker {
  const count = elementCount(port.shape);
  const own = elementCount(rows.shape.slice(1));
  const shape = rows.pixels === "pixels" ? interleaved(rows.shape) : rows.shape;
  const [height = 0, width = 0, channels = 1] = shape.slice(1);
  const isFlat = shape.length < 3 || (shape.length > 3 && channels !== 1 && channels !== 3);
  const move = moved(rows.shape, rows.pixels === "pixels" && !isFlat ? shape : port.shape);
  const row = (example: number) => {
    const values = Float32Array.from({ length: own }, (_, i) => Number(rows.values[example * own + i]));
    return move?.(values) ?? values;
  };
  if (rows.pixels === "numbers") {
    ensure(own === count, "INVALID_INPUT", () => wrongSize(port, rows));
    return { make: row, text: `numbers as they are${move ? ", channels moved" : ""}` };
  }
  const real = scaling.kind === "real" ? scaling : UNIT_SCALING;
  // One channel of the input's own size needs no picture.
  if (
    own === count &&
    (isFlat || channels === 1) &&
    real.kind === "real" &&
    real.mean.length === 1 &&
    real.std.length === 1
  ) {
    const [mean, std] = [real.mean[0] as number, real.std[0] as number];
    const scaled = (example: number) => row(example).map((value) => (value - mean) / std);
    return { make: scaled, text: preparationText(real) };
  }
  ensure(!isFlat, "INVALID_INPUT", () => wrongSize(port, rows));
  const { height: toHeight, width: toWidth } = imageShape(floatPort(port));
  const make = (example: number) => {
    const values = row(example);
    const data =
      channels === 3 ? values : Float32Array.from({ length: 3 * own }, (_, i) => values[Math.floor(i / 3)] as number);
    return pictureInput(port, { width, height, data }, real, fit);
  };
  const resized = toHeight !== height || toWidth !== width ? `, ${width}x${height} resized by ${fit}` : "";
  return { make, text: preparationText(real) + resized };
}

/** The shape of pictures whose planes follow each other, as if their channels stood last. */
function interleaved(shape: readonly number[]): readonly number[] {
  const [n = 0, channels = 0, height = 0, width = 0] = shape;
  const isCount = (size: number) => size === 1 || size === 3;
  return shape.length === 4 && isCount(channels) && !isCount(width) ? [n, height, width, channels] : shape;
}

/** `pixels / 255`, or what was said instead. */
export function preparationText(scaling: Scaling): string {
  if (scaling.kind === "real" && `${scaling.mean}` === "0" && `${scaling.std}` === "255") return "pixels / 255";
  return scalingText(scaling);
}

const floatPort = ({ name, shape }: DataPort) => ({ name, shape, dtype: "float32" as const, scale: 0, zeroPoint: 0 });

/** Pictures are not stretched further, one side against the other: whose proportions differ more, they are not the network's. */
const MOST_STRETCH = 3;

/**
 * A picture as the real values of an input. INVALID_INPUT where the input is none of pictures, or of such proportions that it
 * is one of other things, as spectrograms are.
 */
export function pictureInput(port: DataPort, picture: Picture, scaling: Scaling, fit: Fit): Float32Array {
  const { width, height } = imageShape(floatPort(port));
  const stretch = (picture.width * height) / (picture.height * width);
  ensure(fit !== "stretch" || Math.max(stretch, 1 / stretch) <= MOST_STRETCH, "INVALID_INPUT", () => ({
    where: `input "${port.name}"`,
    expected: `pictures of nearly the proportions ${width}x${height}`,
    received: `${picture.width}x${picture.height}`,
    hint: "A network of sounds takes .wav or .npy files; pictures are cut to its proportions by --fit cover, or get borders by --fit contain.",
  }));
  return preparePicture(picture, floatPort(port), scaling, fit) as Float32Array;
}

function wrongSize({ name, shape }: DataPort, rows: Rows) {
  return {
    where: `input "${name}"`,
    expected: `${elementCount(shape)} numbers ${listText(shape)}`,
    received: `${listText(rows.shape.slice(1))} of ${rows.pixels}`,
    hint: "The data does not have the size that the model takes.",
  };
}
