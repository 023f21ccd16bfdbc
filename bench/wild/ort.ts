/** onnxruntime-web on one thread, from the folder of the peers. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TypedArray } from "../../bindings/tensor.ts";

interface Ort {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (dtype: string, data: ArrayBufferView, shape: readonly number[]) => object;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: Readonly<Record<string, object>>): Promise<unknown> }>;
  };
}

/** Feeds are made once; a run gives what it makes. */
export async function loadOrt(
  folder: string,
  model: Uint8Array,
  ports: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[],
  inputs: readonly TypedArray[],
): Promise<() => Promise<unknown>> {
  const path = join(folder, "node_modules/onnxruntime-web/dist/ort.node.min.mjs");
  const ort = (await import(pathToFileURL(path).href)) as Ort;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(new Uint8Array(model), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const feeds = Object.fromEntries(
    ports.map(({ name, dtype, shape }, i) => [name, new ort.Tensor(dtype, inputs[i] as TypedArray, shape)]),
  );
  const run = () => session.run(feeds);
  await run();
  return run;
}
