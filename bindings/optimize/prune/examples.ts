/** Examples that pruning reads once and keeps. */
import { ensure } from "../../errors.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { elementCount, listText } from "../../tensor.ts";
import { requireFinite, Variety } from "../data/finite.ts";
import { spread } from "../data/some.ts";
import type { Dataset } from "../data/types.ts";
import type { Settings } from "./options.ts";
import type { Inputs } from "./systems.ts";

/**
 * The inputs of at most so many examples as the settings say, evenly spread over the data where it can give any, else the first.
 *
 * Errors: INVALID_INPUT for data that is empty, of another size than the model's inputs, or not finite.
 */
export async function readExamples(graph: Graph, data: Dataset, settings: Settings): Promise<Inputs> {
  const examples: (readonly Float32Array[])[] = [];
  const variety = new Variety();
  for await (const sample of data.some?.(spread(data, settings.samples)) ?? data) {
    const name = sample.name ?? `sample ${examples.length}`;
    ensure(sample.inputs.length === graph.inputs.length, "INVALID_INPUT", () => ({
      where: name,
      expected: `${graph.inputs.length} inputs`,
      received: `${sample.inputs.length}`,
    }));
    for (const [i, port] of graph.inputs.entries()) checkValues(graph, name, port, sample.inputs[i] as Float32Array);
    examples.push(sample.inputs);
    variety.add(sample.inputs);
    settings.onProgress({ phase: "read", done: examples.length });
    settings.check();
    if (examples.length >= settings.samples) break;
  }
  ensure(examples.length > 0, "INVALID_INPUT", () => ({
    where: "data",
    expected: "at least one example",
    received: "none",
    hint: "A few hundred are best; leave the data out to prune by magnitude alone.",
  }));
  variety.require();
  return examples;
}

function checkValues(graph: Graph, name: string, port: Graph["inputs"][number], values: Float32Array): void {
  const { shape } = tensorOf(graph, port.tensor);
  ensure(values.length === elementCount(shape), "INVALID_INPUT", () => ({
    where: `${name}, input "${port.name}"`,
    expected: `${elementCount(shape)} numbers ${listText(shape)}`,
    received: `${values.length}`,
    hint: "The data does not have the size that the model takes.",
  }));
  requireFinite(values, `${name}, input "${port.name}"`);
}
