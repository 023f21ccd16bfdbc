import { ensure } from "../../errors.ts";
import { importModel, isPlan, loadModule, loadPacker, planGraph, runPasses, writePlan } from "../../public/index.ts";
import { readExternalData, readModelBytes, requirePlaces, writeWhole } from "../files.ts";
import { type EngineOptions, type ReadingOptions, readingOf } from "../options.ts";
import type { Streams } from "../streams.ts";
import { count } from "../text.ts";

interface PlanOptions extends ReadingOptions, Pick<EngineOptions, "module" | "memory"> {
  readonly output: string;
}

/** Saves a model's plan for one module: it loads without an importer, and faster. */
export async function plan(model: string, options: PlanOptions, { err }: Streams): Promise<void> {
  const bytes = await readModelBytes(model);
  ensure(!isPlan(bytes), "INVALID_OPTION", () => ({
    where: model,
    expected: "a model",
    received: "a plan",
    hint: "Plans are made from the model that they came from.",
  }));
  const externalData = readExternalData(model, bytes);
  requirePlaces([options.output]);
  const graph = runPasses(importModel(bytes, { ...readingOf(options), externalData }));
  const [kernels, packer] = await Promise.all([loadModule(options.module), loadPacker()]);
  const optimize = options.memory === "low" ? "size" : "speed";
  const file = writePlan(planGraph(graph, { module: kernels.name, moduleHash: kernels.hash, packer, optimize }));
  writeWhole(options.output, [file]);
  err(`${options.output}: ${count(file.length)} bytes, for ${kernels.name}`);
}
