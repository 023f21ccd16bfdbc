/** One node of ai.onnx.ml as a model, and what it gives. */
import { loadModel } from "../../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec } from "../../build-onnx.ts";

/** A node without what all have in common. */
export type Given = Omit<NodeSpec, "domain" | "inputs" | "outputs"> & { readonly outputs?: string };

/** ONNX's numbers of types. */
const TYPES = { float32: 1, int64: 7, float64: 11 } as const;

export interface Ran {
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly types: Readonly<Record<string, string>>;
}

/** Runs a node on x of this shape; outputs `y`, or those that are named. */
export async function ran(
  given: Given,
  dims: readonly number[],
  x: readonly number[],
  { type = "float32" as keyof typeof TYPES, version = 3, domain = "ai.onnx.ml" } = {},
): Promise<Ran> {
  const outputs = (given.outputs ?? "y").split(" ");
  const node: NodeSpec = { ...given, domain, inputs: ["x"], outputs };
  const spec = {
    nodes: [node],
    inputs: [{ name: "x", type: TYPES[type], dims }],
    outputs: outputs.map((name) => ({ name })),
  };
  const model = await loadModel(buildOnnx(spec, 17, version), { module: "simd" });
  const from = { float32: Float32Array, float64: Float64Array };
  const result = model.run([type === "int64" ? BigInt64Array.from(x, BigInt) : from[type].from(x)]);
  const each = <T>(of: (name: string) => T) => Object.fromEntries(outputs.map((name) => [name, of(name)]));
  const port = (name: string) => model.outputs.find((output) => output.name === name);
  const all = {
    values: each((name) => Array.from(result[name] as ArrayLike<number | bigint>, Number)),
    shapes: each((name) => port(name)?.shape ?? []),
    types: each((name) => port(name)?.dtype ?? ""),
  };
  model.close();
  return all;
}

/** Numbers as float32, five digits long. */
export const near = (values: readonly number[] | undefined): readonly number[] =>
  (values ?? []).map((value) => Number(value.toFixed(5)));
