/** Model files → Graph; who loads ordinary .tflite files alone never loads the importer of .onnx files and what reads custom operators. */
import { guarded } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { loadLater } from "../later.ts";
import { operatorsLater } from "../ops/later.ts";
import type { Rare } from "./onnx/convert.ts";
import { isOnnx } from "./onnx/recognise.ts";
import { type Importer, type ImportOptions, importBy, type Readers, viewOf } from "./select.ts";
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
    const [{ importing }, operators] = await Promise.all([loading, operatorsLater()]);
    const steps = importing(bytes, options, operators);
    const next = (rare?: Rare) => guarded("INVALID_MODEL", "file", () => steps.next(rare as Rare));
    const first = next();
    if (first.done) return { onnx: () => first.value };
    const { rare } = await loadLater("the rarer operators of .onnx files", () => import("./onnx/rare.ts"));
    return { onnx: () => next(rare).value as Graph };
  }
  if (!needsCustoms(bytes)) return {};
  // whose nodes are of the rarer operators, which come with them
  const [customs] = await Promise.all([customsLater(), operatorsLater()]);
  return { customs };
}

/** What reads custom operators. Errors: IO where it cannot be loaded. */
export async function customsLater(): Promise<Customs> {
  return (await loadLater("what reads custom operators", () => import("./tflite/customs.ts"))).customs;
}
