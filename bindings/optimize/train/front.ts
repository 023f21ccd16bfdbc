/**
 * What stands before the first layer and has no gradient, as tables that rows are taken from by whole numbers: computed once for each sample, so that what follows
 * is trained as a network of its own.
 */
import { Pint8Error } from "../../errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { elementCount } from "../../tensor.ts";
import type { Dataset, Sample } from "../data/types.ts";
import { tapGraph } from "../tap.ts";
import { gradientOf } from "./gradients/index.ts";
import type { TrainOptions } from "./options.ts";

export interface Front {
  /** What is computed for each sample, and is the same in every network that shares it. */
  readonly nodes: readonly AnyNode[];
  /** The network behind it: the same tensors, whose inputs are what crosses. */
  readonly rest: Graph;
  /** Samples as `rest` takes them. */
  through(data: Dataset): Dataset;
  /** What `rest` has become, with the front before it. */
  joined(changed: Graph): Graph;
}

/** A network's front; undefined where every operator has a gradient, or one without stands behind a layer. */
export function frontOf(graph: Graph): Front | undefined {
  const ready = runPasses(graph);
  const makers = new Map(ready.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  const front = new Set<AnyNode>();
  /** Whether a node and all before it are no layers. */
  const take = (node: AnyNode): boolean => {
    if (front.has(node)) return true;
    if (isLayer(ready, node)) return false;
    const before = node.inputs.flatMap((id) => makers.get(id) ?? []);
    if (!before.every(take)) return false;
    front.add(node);
    return true;
  };
  const without = ready.nodes.filter((node) => !hasGradient(ready, node));
  if (without.length === 0 || !without.every(take)) return undefined;
  const behind = ready.nodes.filter((node) => !front.has(node));
  const own = new Set(behind.flatMap(({ outputs }) => outputs));
  const read = [...behind.flatMap(({ inputs }) => inputs), ...ready.outputs.map(({ tensor }) => tensor)];
  const crossing = [...new Set(read)].filter(
    (id) => id !== NONE && !own.has(id) && tensorOf(ready, id).data === undefined,
  );
  if (behind.length === 0 || crossing.some((id) => tensorOf(ready, id).dtype !== "float32")) return undefined;
  // names of their own: tensors may have none
  const inputs = crossing.map((tensor, i) => ({ name: `front ${i}`, tensor }));
  return {
    nodes: [...front].sort((a, b) => ready.nodes.indexOf(a) - ready.nodes.indexOf(b)),
    rest: { ...ready, nodes: behind, inputs },
    through: (data) => withFront(ready, crossing, data),
    joined: (changed) => joined(ready, front, inputs, changed),
  };
}

/** What of a network is trained: what is behind its front, or all of it. */
export const trainedPart = (graph: Graph): Graph => frontOf(graph)?.rest ?? graph;

/** Nodes that tables alone belong to, whose rows are taken. */
const TAKE: ReadonlySet<string> = new Set(["gather", "gatherNd", "embeddingLookup"]);

/** What has weights, or runs what may have some. */
const isLayer = ({ tensors }: Graph, node: AnyNode): boolean =>
  bodiesOf(node).length > 0 ||
  (!TAKE.has(node.kind) &&
    node.inputs.some((id) => {
      const { data, dtype, shape } = tensors[id] ?? { dtype: "int8", shape: [] };
      return data !== undefined && dtype === "float32" && shape.length > 1;
    }));

/** Rows that numbers choose have none, nor have whole numbers. */
function hasGradient(graph: Graph, node: AnyNode): boolean {
  if (gradientOf(node as Node) === undefined) return false;
  if (node.kind === "gather" && tensorOf(graph, node.inputs[1] as TensorId).data === undefined) return false;
  return node.outputs.every((id) => tensorOf(graph, id).dtype === "float32");
}

/** Samples whose inputs are what crosses. */
function withFront(graph: Graph, ids: readonly TensorId[], data: Dataset): Dataset {
  const { size, classes, preparation, some } = data;
  async function* from(samples: AsyncIterable<Sample>): AsyncGenerator<Sample> {
    const tap = await tapGraph(graph, ids, { batch: 1 });
    try {
      for await (const sample of samples) {
        const fitting = graph.inputs.every(
          ({ tensor }, i) => sample.inputs[i]?.length === elementCount(tensorOf(graph, tensor).shape),
        );
        if (!fitting) throw wrongSize(graph, sample);
        yield { ...sample, inputs: tap.run(sample.inputs).map((values) => values.slice()) };
      }
    } finally {
      tap.close();
    }
  }
  return {
    ...(size !== undefined && { size }),
    ...(classes !== undefined && { classes }),
    ...(preparation !== undefined && { preparation }),
    ...(some !== undefined && { some: (places) => from(some(places)) }),
    [Symbol.asyncIterator]: () => from(data)[Symbol.asyncIterator](),
  };
}

function wrongSize({ inputs, tensors }: Graph, sample: Sample): Pint8Error {
  const sizes = inputs.map(({ tensor }) => elementCount(tensors[tensor]?.shape ?? []));
  return new Pint8Error("INVALID_INPUT", {
    where: sample.name ?? "a sample",
    expected: `inputs of ${sizes.join(", ")} values`,
    received: sample.inputs.map(({ length }) => length).join(", "),
  });
}

/** The front's tensors and nodes before a network that was trained, whose tensors may have other numbers. */
function joined(graph: Graph, front: ReadonlySet<AnyNode>, inputs: Graph["inputs"], changed: Graph): Graph {
  const tensors = [...changed.tensors];
  const ids = new Map<TensorId, TensorId>();
  for (const { name, tensor } of inputs) {
    const own = changed.inputs.find((port) => port.name === name);
    if (own !== undefined) ids.set(tensor, own.tensor);
  }
  const idOf = (id: TensorId): TensorId => {
    if (id === NONE) return NONE;
    const known = ids.get(id);
    if (known !== undefined) return known;
    const added = (tensors.push(tensorOf(graph, id)) - 1) as TensorId;
    ids.set(id, added);
    return added;
  };
  const before = graph.nodes
    .filter((node) => front.has(node))
    .map((node): AnyNode => ({ ...node, inputs: node.inputs.map(idOf), outputs: node.outputs.map(idOf) }) as AnyNode);
  const own = graph.inputs.map((port) => ({ ...port, tensor: idOf(port.tensor) }));
  return { ...changed, tensors, nodes: [...before, ...changed.nodes], inputs: own };
}

/**
 * What is said of training a network, said of what is behind its front.
 *
 * Errors: UNSUPPORTED for a teacher with another front.
 */
export const behindFront = (front: Front, { teacher, validation, ...options }: TrainOptions): TrainOptions => ({
  ...options,
  ...(teacher && { teacher: behindTheSame(front, teacher) }),
  ...(validation && { validation: front.through(validation) }),
});

function behindTheSame(front: Front, teacher: Graph): Graph {
  const own = frontOf(teacher);
  const text = ({ nodes, rest }: Front) =>
    nodes.map(({ kind, inputs, outputs }) => [
      kind,
      // The shape that RESHAPE is told may be left out: its output's says the same.
      ...[...(kind === "reshape" ? inputs.slice(0, 1) : inputs), ...outputs].map((id) => {
        const { shape, data } = rest.tensors[id] ?? { shape: [] };
        return `${shape}:${data === undefined ? "" : sumOf(data)}`;
      }),
    ]);
  if (own !== undefined && `${text(own)}` === `${text(front)}`) return own.rest;
  throw new Pint8Error("UNSUPPORTED", {
    where: "teacher",
    expected: `one with the student's ${front.nodes.map(({ kind }) => kind).join(", ")} before its layers`,
    received: own === undefined ? "one without" : "one of other tables",
    hint: "Tables that rows are taken from are not trained; a student has to begin with its teacher's.",
  });
}

/** A number that changes with any of the bytes. */
const sumOf = (data: Uint8Array): number => data.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7);
