/** Real models: the graph has the tensors that the reference interpreter reports. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { byteLength, type Tensor } from "../../bindings/tensor.ts";
import { sharedJson, sharedModel, sharedModels, skipShared } from "./shared.ts";

interface TensorInfo {
  readonly tensor: number;
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly scale?: readonly number[];
  readonly zero_point?: readonly number[];
  readonly quantized_dimension?: number;
}

interface Golden {
  readonly ops: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** Models that may be refused while pint8 lacks some of their operators; all others are read. */
const MAY_LACK = /audio_preprocessor|deeplab|keyword_scrambled|movenet|split_concat|trained_lstm|seanet_int16/;

for (const name of sharedModels()) {
  const refusal = MAY_LACK.test(name) ? refusalOf(name) : undefined;
  if (refusal !== undefined) {
    test(`${name} is refused for its operators, all named in one error`, () => {
      assert.equal(refusal.code, "UNSUPPORTED");
      assert.match(refusal.where, /^node \d+ \(.+\)$/);
      assert.match(refusal.received, /^.+ \(node \d+(, \d+)*( and \d+ more)?\)(, .+ \(node .+\))*$/);
    });
    continue;
  }
  test(`${name} has the reference's inputs and outputs`, () => {
    const graph = importModel(sharedModel(name), {});
    const golden = sharedJson(`goldens/${name}.json`) as Golden | undefined;
    checkRunnable(graph);
    if (golden === undefined) return;
    if (golden.ops !== undefined) assert.equal(graph.nodes.length, golden.ops);
    for (const kind of ["inputs", "outputs"] as const) {
      assert.deepEqual(
        graph[kind].map(({ tensor }) => tensor),
        golden[kind].map(({ tensor }) => tensor),
      );
      assert.equal(new Set(graph[kind].map((port) => port.name)).size, golden[kind].length);
      for (const info of golden[kind]) checkTensor(graph, info);
    }
  });
}

function refusalOf(name: string): Pint8Error | undefined {
  try {
    importModel(sharedModel(name), {});
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Pint8Error);
    return error;
  }
}

const LAYERED = [
  "hello_world_int8",
  "kws_ref_model",
  "micro_speech_quantized",
  "person_detect",
  "pretrainedResnet_quant",
  "vww_96_int8",
];

for (const name of LAYERED)
  test(`${name} has every tensor of the reference`, { skip: skipShared }, () => {
    const graph = importModel(sharedModel(name), {});
    const manifest = sharedJson(`goldens/layers/${name}/manifest.json`) as { const: boolean; info: TensorInfo }[];
    assert.equal(graph.tensors.length, manifest.length);
    for (const entry of manifest) {
      const tensor = checkTensor(graph, entry.info);
      assert.equal(tensor.data !== undefined, entry.const, tensor.name);
    }
  });

function checkTensor(graph: Graph, info: TensorInfo): Tensor {
  const tensor = graph.tensors[info.tensor];
  assert.ok(tensor, `tensor ${info.tensor}`);
  assert.equal(tensor.name, info.name);
  assert.equal(tensor.dtype, info.dtype.toLowerCase());
  assert.deepEqual(tensor.shape, info.shape);
  assert.equal(byteLength(tensor), info.bytes);
  // Nine digits name a float32.
  assert.deepEqual(tensor.quantization?.scale, info.scale?.map(Math.fround), `${info.name}: scales`);
  assert.deepEqual(tensor.quantization?.zeroPoint, info.zero_point, `${info.name}: zero points`);
  // A single dimension is the axis, whatever the file says.
  if ((info.scale?.length ?? 0) > 1 && info.shape.length > 1)
    assert.equal(tensor.quantization?.axis, info.quantized_dimension);
  return tensor;
}

/** Every input of a node comes from a constant, a variable, a graph input or an earlier node. */
function checkRunnable({ tensors, nodes, inputs, outputs }: Graph): void {
  const ready = new Set<number>(inputs.map(({ tensor }) => tensor));
  for (const [id, { data, variable }] of tensors.entries()) if (data || variable) ready.add(id);
  for (const { where, inputs: ids, outputs: results } of nodes) {
    for (const id of ids) assert.ok(id === -1 || ready.has(id), `${where} reads ${id}`);
    for (const id of results) ready.add(id);
  }
  for (const { tensor } of outputs) assert.ok(ready.has(tensor), `output ${tensor}`);
}
