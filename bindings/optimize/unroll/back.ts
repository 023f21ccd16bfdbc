/** Weights of a network of all steps, back where it runs step by step. */
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId, tensorOf, withBodies } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { floatsOf } from "../constants.ts";
import { layersOf, withParameters } from "../layers.ts";
import { whereInTurn } from "./loops.ts";
import { BIASES, RECURRENT, WEIGHTS, whereOfGate } from "./lstm.ts";

/** Where a layer stands in whatever step: not every step has each, as that of a state of zeros. */
const ofAnyStep = (where: string) => where.replace(/, step \d+/, "");

/** Weights and biases of layers by where they stand. */
type Layers = ReadonlyMap<string, { readonly weights: Tensor; readonly bias: Tensor | undefined }>;

/** The graph with weights of the layers of another, which stand where its own do; undefined where one is missing. */
export function putBack(graph: Graph, changed: Graph): Graph | undefined {
  const layers: Layers = new Map(
    layersOf(changed).map(({ node, w, bias }) => [
      ofAnyStep(node.where),
      { weights: tensorOf(changed, w), bias: bias === NONE ? undefined : tensorOf(changed, bias) },
    ]),
  );
  // What stayed as it was.
  const stays = new Set(changed.nodes.flatMap(({ kind, where }) => (kind === "while" || kind === "lstm" ? where : [])));
  let isWhole = true;
  const withWeights = (own: Graph, whereOf: (node: AnyNode) => string): Graph => {
    const tensors = [...own.tensors];
    const places = new Map(layersOf(own).map((layer) => [layer.index, layer] as const));
    const written = new Map<TensorId, Tensor>();
    // A constant that two layers share, as biases of zeros are, may have become two.
    const put = (id: TensorId, from: Tensor | undefined): TensorId => {
      const known = written.get(id);
      const data = from?.data;
      isWhole &&= data !== undefined && elementCount(from?.shape ?? []) === elementCount(tensorOf(own, id).shape);
      if (data === undefined || from === undefined || known === from) return id;
      const tensor = { ...tensorOf(own, id), data };
      if (known !== undefined)
        return (tensors.push({ ...tensor, name: `${tensor.name}_${tensors.length}` }) - 1) as TensorId;
      written.set(id, from);
      tensors[id] = tensor;
      return id;
    };
    const nodes = own.nodes.map((node, index): AnyNode => {
      if (stays.has(node.where)) return node;
      if (node.kind === "while") {
        const [condition, body] = bodiesOf(node) as [Graph, Graph];
        return withBodies(node, [condition, withWeights(body, (inner) => ofAnyStep(whereInTurn(node, inner, 0)))]);
      }
      const inputs = [...node.inputs];
      const set = (i: number, from: Tensor | undefined) => {
        inputs[i] = put(inputs[i] as TensorId, from);
      };
      if (node.kind === "lstm") {
        for (let gate = 0; gate < 4; gate++) {
          const x = layers.get(ofAnyStep(whereOfGate(node, gate, "x", 0)));
          const state = layers.get(ofAnyStep(whereOfGate(node, gate, "state", 0)));
          set(WEIGHTS + gate, x?.weights);
          set(RECURRENT + gate, state?.weights);
          set(BIASES + gate, sumOf(x?.bias, state?.bias));
        }
        return { ...node, inputs };
      }
      const layer = places.get(index);
      if (layer === undefined) return node;
      const found = layers.get(whereOf(node));
      const weights = put(layer.w, found?.weights);
      if (found?.bias === undefined)
        return {
          ...node,
          inputs: withParameters(node, inputs, [weights, ...(layer.bias === NONE ? [] : [layer.bias])]),
        } as AnyNode;
      const bias =
        layer.bias === NONE
          ? ((tensors.push({ ...found.bias, name: `${layer.name}_bias` }) - 1) as TensorId)
          : put(layer.bias, found.bias);
      return { ...node, inputs: withParameters(node, inputs, [weights, bias]) } as AnyNode;
    });
    return { ...own, tensors, nodes };
  };
  const back = withWeights(graph, ({ where }) => where);
  return isWhole ? back : undefined;
}

function sumOf(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  if (a === undefined || b === undefined) return a;
  const more = floatsOf(b);
  const sum = floatsOf(a).map((value, i) => value + (more[i] as number));
  return { ...a, data: new Uint8Array(sum.buffer) };
}
