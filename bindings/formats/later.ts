/** Model files → Graph; who loads ordinary .tflite files alone never loads the importer of .onnx files and what reads custom operators. */
import { guarded } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { loadLater } from "../later.ts";
import { atHand, oftenLater, operatorsLater } from "../ops/later.ts";
import type { Importer, ImportOptions } from "./importing.ts";
import type { Rare } from "./onnx/convert.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { importBy, type Readers, viewOf } from "./select.ts";
import type { Customs } from "./tflite/customs.ts";
import { needsCustoms } from "./tflite/index.ts";

let provided: Importer | undefined;

/** Says that all importers are here already: none are loaded later. */
export function provideImporter(importer: Importer): void {
  provided = importer;
}

/** `importModel`, which loads what a file needs when it meets it. Errors: those of `importModel`; IO where it cannot be loaded. */
export async function importLater(bytes: Uint8Array, options: ImportOptions): Promise<Graph> {
  if (provided !== undefined) return provided(bytes, options);
  return importBy(await readersOf(viewOf(bytes), options), bytes, options);
}

async function readersOf(bytes: Uint8Array, options: ImportOptions): Promise<Readers> {
  if (isOnnx(bytes)) {
    const loading = loadLater("the importer of .onnx files", () => import("./onnx/index.ts"));
    const [{ importing }, operators] = await Promise.all([loading, isQuantized(bytes) ? atHand() : oftenLater()]);
    const steps = importing(bytes, options, operators);
    const next = (rare?: Rare) => guarded("INVALID_MODEL", "file", () => steps.next(rare));
    let step = next();
    while (!step.done) {
      const isRare = step.value === "rare";
      const more = isRare || operators.products ? operatorsLater() : oftenLater();
      const [all, rare] = await Promise.all([more, isRare ? rareLater() : undefined]);
      Object.assign(operators, all);
      step = next(rare);
    }
    const graph = step.value;
    return { onnx: () => graph };
  }
  if (!needsCustoms(bytes)) return {};
  // whose nodes are of the rarer operators, which come with them
  const [customs] = await Promise.all([customsLater(), operatorsLater()]);
  return { customs };
}

/** Bytes of a file among which the names of its first nodes are. */
const HEAD = 65536;

/** Whether a network seems to be quantized: ordinary operators may do for it. Products of floats come later, with what floats often need. */
const isQuantized = (bytes: Uint8Array) =>
  /DequantizeLinear|QLinearConv/.test(new TextDecoder("latin1").decode(bytes.subarray(0, HEAD)));

const rareLater = async () =>
  (await loadLater("the rarer operators of .onnx files", () => import("./onnx/rare.ts"))).rare;

/** What reads custom operators. Errors: IO where it cannot be loaded. */
export async function customsLater(): Promise<Customs> {
  return (await loadLater("what reads custom operators", () => import("./tflite/customs.ts"))).customs;
}
