// What `npm start` shows: the digits model reads its ten samples.
import { readFileSync } from "node:fs";
import { topClasses } from "../../bindings/cli/classes.ts";
import { measure } from "../../bindings/cli/measure.ts";
import { decodePicture } from "../../bindings/cli/picture/decode.ts";
import { grey, type Picture } from "../../bindings/cli/picture/picture.ts";
import { defaultScaling, preparePicture } from "../../bindings/cli/picture/prepare.ts";
import { milliseconds, percent } from "../../bindings/cli/text.ts";
import { loadModel } from "../../bindings/index.ts";
import type { TypedArray } from "../../bindings/tensor.ts";

/** Pictures beside each other in 80 columns. */
const COLUMNS = 80;
const SHADES = " .:-=+*#%@";

const file = (name: string) => readFileSync(new URL(name, import.meta.url));

/** Two pixels per character, in grey shades: the upper one is the ink of ▀, the lower one its background. */
function halfBlocks(pixels: Float32Array, width: number): readonly string[] {
  const shade = (value: number) => 232 + Math.round((value / 255) * 23);
  const rows = pixels.length / width;
  return Array.from({ length: Math.ceil(rows / 2) }, (_, y) => {
    const cells = Array.from({ length: width }, (_, x) => {
      const upper = pixels[y * 2 * width + x] as number;
      const lower = pixels[(y * 2 + 1) * width + x] ?? 0;
      return `\u001b[38;5;${shade(upper)};48;5;${shade(lower)}m▀`;
    });
    return `${cells.join("")}\u001b[0m`;
  });
}

/** One character for two rows of pixels, darker ones lighter: for terminals without colour, and files. */
function letters(pixels: Float32Array, width: number): readonly string[] {
  const rows = pixels.length / width;
  return Array.from({ length: Math.ceil(rows / 2) }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const sum = (pixels[y * 2 * width + x] as number) + (pixels[(y * 2 + 1) * width + x] ?? 0);
      return SHADES[Math.round((sum / 510) * (SHADES.length - 1))];
    }).join(""),
  );
}

interface Shown {
  readonly lines: readonly string[];
  readonly captions: readonly string[];
}

/** Prints pictures beside each other, as many as fit, each with its captions below. */
function show(pictures: readonly Shown[], width: number): void {
  const perRow = Math.max(1, Math.floor((Math.min(process.stdout.columns ?? COLUMNS, 160) + 2) / (width + 2)));
  for (let first = 0; first < pictures.length; first += perRow) {
    const row = pictures.slice(first, first + perRow);
    for (let line = 0; line < (row[0] as Shown).lines.length; line++)
      console.log(row.map(({ lines }) => lines[line]).join("  "));
    for (let line = 0; line < (row[0] as Shown).captions.length; line++)
      console.log(
        row
          .map(({ captions }) => (captions[line] as string).padEnd(width))
          .join("  ")
          .trimEnd(),
      );
    console.log();
  }
}

const color = process.stdout.isTTY === true && process.stdout.getColorDepth() >= 8;
const draw = color ? halfBlocks : letters;
const model = await loadModel(new URL("digits_int8.tflite", import.meta.url));
const [input, output] = [model.inputs[0], model.outputs[0]];
if (input === undefined || output === undefined) throw new Error("the digits model has no input or no output");

const shown: Shown[] = [];
const medians: number[] = [];
let right = 0;
let width = 0;
for (let digit = 0; digit < 10; digit++) {
  const path = `samples/digit_${digit}.png`;
  const picture: Picture = await decodePicture("PNG", file(path), path);
  const value = preparePicture(picture, input, defaultScaling(input));
  const scores = model.run([value])[output.name] as TypedArray;
  const best = topClasses(output, scores, 1, undefined)[0];
  if (best === undefined) throw new Error("the digits model has no classes");
  const { median } = await measure(() => model.run([value]), { warmUp: 50, duration: 100, leastRuns: 5 });
  medians.push(median);
  if (best.index === digit) right++;
  width = picture.width;
  shown.push({
    lines: draw(grey(picture), picture.width),
    captions: [`${best.index}   ${percent(best.value)}   ${milliseconds(median)}`],
  });
}
model.close();
show(shown, width);
const typical = medians.sort((a, b) => a - b)[5] as number;
console.log(`${right} of 10 right, ${milliseconds(typical)} each, on the ${model.module} module.`);
console.log("Next: npx pint8 run models/digits/digits_int8.tflite --input models/digits/samples/digit_7.png");
