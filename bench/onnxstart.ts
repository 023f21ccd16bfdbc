/** Start of a process to the first result of .onnx networks: from the file, from a saved plan, and onnxruntime-web in turns. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ColdStart, library, savePlan, timesOf } from "./coldstart.ts";

/** What the folder's `cases.json` says of a network. */
interface Network {
  readonly name: string;
  readonly file: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly declared?: readonly (number | string | null)[];
  }[];
}

export interface OnnxStart {
  readonly name: string;
  readonly starts: readonly ColdStart[];
}

const ARRAYS: Readonly<Record<string, string>> = {
  float32: "Float32Array",
  int64: "BigInt64Array",
  int32: "Int32Array",
  uint8: "Uint8Array",
  int8: "Int8Array",
};

/** onnxruntime-web below a folder of packages, if it is there. */
const webOf = (peers: string | undefined): string | undefined => {
  const path = peers && join(peers, "node_modules/onnxruntime-web/dist/ort.node.min.mjs");
  return path && existsSync(path) ? path : undefined;
};

/** All networks of a folder whose names are wanted; inputs are zeros, where shapes are open those of `cases.json`. */
export function onnxStarts(
  node: string,
  folder: string,
  wanted: (name: string) => boolean,
  peers: string | undefined,
  repeats: number,
): readonly OnnxStart[] {
  const list = join(folder, "cases.json");
  if (!existsSync(list)) return [];
  const networks = (JSON.parse(readFileSync(list, "utf8")) as readonly Network[]).filter(({ name }) => wanted(name));
  return networks.map(({ name, file, inputs }) => {
    process.stderr.write(`start of ${name} …\n`);
    const scratch = mkdtempSync(join(tmpdir(), "pint8-cold-"));
    try {
      const path = join(folder, file);
      const plan = join(scratch, "model.plan");
      const open = inputs.filter(({ shape, declared }) => declared?.some((size, i) => size !== shape[i]));
      const shapes = Object.fromEntries(open.map((input) => [input.name, input.shape]));
      savePlan(
        node,
        path,
        plan,
        open.flatMap((input) => ["--shape", `${input.name}=${input.shape.join(",")}`]),
      );
      const zeros = ({ dtype, shape }: Network["inputs"][number]) =>
        `new ${ARRAYS[dtype]}(${shape.reduce((a, b) => a * b, 1)})`;
      const own = `model.run({ ${inputs.map((input) => `${JSON.stringify(input.name)}: ${zeros(input)}`).join(", ")} });`;
      const web = webOf(peers);
      const feeds = inputs.map(
        (input) =>
          `${JSON.stringify(input.name)}: new ort.Tensor("${input.dtype}", ${zeros(input)}, ${JSON.stringify(input.shape)})`,
      );
      const text = JSON.stringify(path);
      const starts = timesOf(
        node,
        scratch,
        [
          [
            ".onnx",
            `import { loadModel } from ${library("node.js")}; const model = await loadModel(${text}, { shapes: ${JSON.stringify(shapes)} }); ${own}`,
          ],
          [
            "saved plan",
            `import { loadPlan } from ${library("runtime.js")}; const model = await loadPlan(${JSON.stringify(plan)}); ${own}`,
          ],
          ...(web === undefined
            ? []
            : [
                [
                  "onnxruntime-web",
                  `import { readFileSync } from "node:fs"; import * as ort from ${JSON.stringify(pathToFileURL(web).href)};
                   ort.env.wasm.numThreads = 1; ort.env.logLevel = "error";
                   const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(${text})), { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
                   await session.run({ ${feeds.join(", ")} });`,
                ] as const,
              ]),
        ],
        repeats,
      );
      return { name, starts };
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
