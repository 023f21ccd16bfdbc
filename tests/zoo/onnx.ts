/** The ONNX corpora: the zoo of exporters and quantizers, and the ONNX project's own tests of single operators. */
import { existsSync, readdirSync } from "node:fs";
import { readModel } from "../../bindings/formats/onnx/proto.ts";
import { dtypeOf, tensorOf } from "../../bindings/formats/onnx/tensors.ts";
import type { DType } from "../../bindings/tensor.ts";
import { readTensorProto } from "../support/tensor-proto.ts";
import { bytesOf, type CasePort, type CorpusCase, jsonOf, SHARED } from "./cases.ts";

interface OnnxCase {
  readonly name: string;
  readonly file: string;
  readonly bin: string;
  readonly kind: string;
  readonly operators: Readonly<Record<string, number>>;
  readonly inputs: readonly CasePort[];
  readonly outputs: readonly CasePort[];
  readonly sets: readonly {
    readonly inputs: readonly (readonly [number, number])[];
    readonly outputs: readonly (readonly [number, number])[];
    readonly input_shapes?: readonly (readonly number[])[];
  }[];
}

/** numpy's name of a type. */
const dtypeOfNumpy = (name: string): DType => (name === "bool_" ? "bool" : (name as DType));

/** A folder of the zoo; sets of other shapes are cases of their own. */
export function onnxZoo(folder: string): CorpusCase[] {
  if (!existsSync(new URL(`zoo/${folder}/cases.json`, SHARED))) return [];
  return (jsonOf(`zoo/${folder}/cases.json`) as readonly OnnxCase[]).flatMap((entry) => {
    const groups = new Map<string, number[]>();
    for (const [i, { input_shapes }] of entry.sets.entries()) {
      const key = JSON.stringify(input_shapes ?? entry.inputs.map(({ shape }) => shape));
      groups.set(key, [...(groups.get(key) ?? []), i]);
    }
    return [...groups].map(([key, sets], group): CorpusCase => {
      const shapes = JSON.parse(key) as readonly (readonly number[])[];
      return {
        corpus: folder,
        name: group === 0 ? entry.name : `${entry.name} (shapes ${group + 1})`,
        kind: entry.kind ?? "network",
        operators: Object.keys(entry.operators ?? {}),
        tolerance: 1e-5,
        inputs: entry.inputs.map((port, i) => ({
          ...port,
          dtype: dtypeOfNumpy(port.dtype),
          shape: shapes[i] as readonly number[],
          declared: port.declared ?? port.shape,
        })),
        outputs: entry.outputs.map((port) => ({ ...port, dtype: dtypeOfNumpy(port.dtype) })),
        model: () => bytesOf(`zoo/${folder}/${entry.file}`),
        sets: () => {
          const data = bytesOf(`zoo/${folder}/${entry.bin}`);
          const slice = ([offset, length]: readonly [number, number]) => data.slice(offset, offset + length);
          return sets.map((i) => {
            const set = entry.sets[i] as OnnxCase["sets"][number];
            const golden = set.outputs.map((each) => ({ bytes: each[1], data: slice(each) }));
            return [{ inputs: set.inputs.map(slice), references: [golden] }];
          });
        },
      };
    });
  });
}

/** `onnx/node`: a model a folder, inputs and outputs as protobuf tensors. */
export function onnxNode(): CorpusCase[] {
  const root = new URL("onnx/node/", SHARED);
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((name): CorpusCase[] => {
    const folder = `onnx/node/${name}/`;
    const model = () => bytesOf(`${folder}model.onnx`);
    const { graph } = readModel(model());
    if (graph === undefined) return [];
    const files = readdirSync(new URL(`${folder}test_data_set_0/`, SHARED)).sort();
    const tensors = (kind: "input" | "output") =>
      files
        .filter((file) => file.startsWith(`${kind}_`))
        .sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
        .map((file) => bytesOf(`${folder}test_data_set_0/${file}`));
    const port = ({ name: each, dataType, dims }: (typeof graph.inputs)[number], file?: Uint8Array): CasePort => ({
      name: each,
      dtype: supported(dataType),
      shape: file === undefined ? [] : readTensorProto(file).dims,
      declared: dims?.map((size) => size ?? -1) ?? [],
    });
    const [inputs, outputs] = [tensors("input"), tensors("output")];
    return [
      {
        corpus: "onnx_node",
        name,
        kind: "node",
        operators: [...new Set(graph.nodes.map(({ operator }) => operator))],
        tolerance: 1e-5,
        inputs: graph.inputs.map((each, i) => port(each, inputs[i])),
        outputs: graph.outputs.map((each, i) => port(each, outputs[i])),
        model,
        sets: () => {
          const data = (file: Uint8Array) => tensorOf(readTensorProto(file), name, {}).data as Uint8Array;
          const golden = outputs.map((file) => {
            const bytes = data(file);
            return { bytes: bytes.length, data: bytes };
          });
          return [[{ inputs: inputs.map(data), references: [golden] }]];
        },
      },
    ];
  });
}

/** The type, where pint8 has it: others make the model be refused anyway. */
function supported(code: number): DType {
  try {
    return dtypeOf(code, "");
  } catch {
    return "float32";
  }
}
