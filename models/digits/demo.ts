// What `npm start` shows: the digits model reads its ten samples.
import { readFileSync } from "node:fs";
import { type ClassScore, topClasses } from "../../bindings/cli/classes.ts";
import { measure } from "../../bindings/cli/measure.ts";
import { decodePicture } from "../../bindings/cli/picture/decode.ts";
import { milliseconds, percent } from "../../bindings/cli/text.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { TypedArray } from "../../bindings/tensor.ts";
import { defaultScaling, preparePicture } from "../../bindings/values/image.ts";
import { grey, type Picture } from "../../bindings/values/picture.ts";

/** Columns of a terminal that does not say how many it has, and the most that are used. */
const COLUMNS = 80;
const MOST_COLUMNS = 160;
const SHADES = " .:-=+*#%@";

/** A part of a picture, in pixels; right and bottom lie outside. */
interface Crop {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The smallest crop that holds the ink of all pictures, and a pixel around it. */
function inked(pictures: readonly Picture[]): Crop {
  const ink = pictures.flatMap((picture) =>
    Array.from(grey(picture), (value, i) => ({ value, x: i % picture.width, y: Math.floor(i / picture.width) })),
  );
  const [xs, ys] = [
    ink.filter(({ value }) => value > 32).map(({ x }) => x),
    ink.filter(({ value }) => value > 32).map(({ y }) => y),
  ];
  return {
    left: Math.min(...xs) - 1,
    right: Math.max(...xs) + 2,
    top: Math.min(...ys) - 1,
    bottom: Math.max(...ys) + 2,
  };
}

/** Lines of characters of two pixels each, one above the other; `cell` draws one. */
function lines(
  picture: Picture,
  { left, right, top, bottom }: Crop,
  cell: (upper: number, lower: number) => string,
): string[] {
  const pixels = grey(picture);
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < picture.width && y < picture.height;
  const at = (x: number, y: number) => (inside(x, y) ? (pixels[y * picture.width + x] as number) : 0);
  return Array.from({ length: Math.ceil((bottom - top) / 2) }, (_, row) =>
    Array.from({ length: right - left }, (_, column) =>
      cell(at(left + column, top + row * 2), at(left + column, top + row * 2 + 1)),
    ).join(""),
  );
}

/** In grey shades: the upper pixel is the ink of ▀, the lower one its background. */
function halfBlocks(picture: Picture, crop: Crop): readonly string[] {
  const shade = (value: number) => 232 + Math.round((value / 255) * 23);
  const cell = (upper: number, lower: number) => `\u001b[38;5;${shade(upper)};48;5;${shade(lower)}m▀`;
  return lines(picture, crop, cell).map((line) => `${line}\u001b[0m`);
}

/** In letters, for files and terminals without colour. */
function letters(picture: Picture, crop: Crop): readonly string[] {
  return lines(
    picture,
    crop,
    (upper, lower) => SHADES[Math.round(((upper + lower) / 510) * (SHADES.length - 1))] as string,
  );
}

interface Shown {
  readonly lines: readonly string[];
  readonly caption: string;
}

/** Prints pictures beside each other, as many as fit, each with its caption below. */
function show(pictures: readonly Shown[], width: number): void {
  const perRow = Math.max(1, Math.floor((Math.min(process.stdout.columns ?? COLUMNS, MOST_COLUMNS) + 2) / (width + 2)));
  for (let first = 0; first < pictures.length; first += perRow) {
    const row = pictures.slice(first, first + perRow);
    const rows = (row[0] as Shown).lines.map((_, line) => row.map(({ lines }) => lines[line]).join("  "));
    const captions = row.map(({ caption }) => caption.padEnd(width)).join("  ");
    for (const line of [...rows, captions, ""]) console.log(line.trimEnd());
  }
}

const color = process.stdout.isTTY === true && process.stdout.getColorDepth() >= 8;
const draw = color ? halfBlocks : letters;
const model = await loadModel(new URL("digits_int8.tflite", import.meta.url));
const [input, output] = [model.inputs[0], model.outputs[0]];
if (input === undefined || output === undefined) throw new Error("the digits model has no input or no output");

interface Reading {
  readonly picture: Picture;
  readonly best: ClassScore;
  /** Median latency in milliseconds. */
  readonly latency: number;
}

const readings: Reading[] = [];
for (let digit = 0; digit < 10; digit++) {
  const path = `samples/digit_${digit}.png`;
  const picture = await decodePicture("PNG", readFileSync(new URL(path, import.meta.url)), path);
  const value = preparePicture(picture, input, defaultScaling(input));
  const [best] = topClasses(output, model.run([value])[output.name] as TypedArray, 1, undefined);
  if (best === undefined) throw new Error("the digits model has no classes");
  const { median } = await measure(() => model.run([value]), { warmUp: 50, duration: 100, leastRuns: 5 });
  readings.push({ picture, best, latency: median });
}
model.close();

const crop = inked(readings.map(({ picture }) => picture));
show(
  readings.map(({ picture, best, latency }) => ({
    lines: draw(picture, crop),
    caption: `${best.index}  ${percent(best.value)}  ${milliseconds(latency)}`,
  })),
  crop.right - crop.left,
);
const right = readings.filter(({ best }, digit) => best.index === digit).length;
const typical = readings.map(({ latency }) => latency).sort((a, b) => a - b)[5] as number;
console.log(`${right} of 10 right, ${milliseconds(typical)} each, on the ${model.module} module.`);
console.log("Next: npx pint8 run models/digits/digits_int8.tflite --input models/digits/samples/digit_7.png");
