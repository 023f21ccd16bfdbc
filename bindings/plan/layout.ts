/** Where the tensors of a graph lie, and those of the graphs that its nodes run. */
import { bodiesOf, type Graph, type TensorId } from "../graph.ts";
import type { Operators } from "../ops/types.ts";
import { byteLength } from "../tensor.ts";
import { placeBlocks } from "./arena.ts";
import { assignStorage, type Storage } from "./storage.ts";
import { align } from "./types.ts";

/** Offsets within a graph's own part of the arena. */
export interface GraphLayout {
  readonly graph: Graph;
  readonly storage: Storage;
  readonly offsets: readonly number[];
  /** Bytes of the arena, those of the graphs that nodes run included. */
  readonly bytes: number;
  /** The layouts of the graphs that a node runs, by the node's number. They lie over each other: only one runs at a time. */
  readonly bodies: ReadonlyMap<number, readonly GraphLayout[]>;
  /** Where outputs that are inputs in another order are kept until all have been read. */
  readonly spare: number;
}

/** Lays out a graph; the inputs of one that has a caller are where the caller has them, and those of a turn become the next one's. */
export function layoutGraph(graph: Graph, operators: Operators, hasCaller = false, isTurn = false): GraphLayout {
  const bodies = new Map<number, readonly GraphLayout[]>();
  for (const [i, node] of graph.nodes.entries()) {
    const inside = bodiesOf(node);
    if (inside.length === 0) continue;
    bodies.set(
      i,
      inside.map((body, which) => layoutGraph(body, operators, true, node.kind === "while" && which === 1)),
    );
  }
  const bytesInside = new Map(
    [...bodies].map(([i, layouts]) => [i, Math.max(...layouts.map(({ bytes }) => bytes))] as const),
  );
  const storage = assignStorage(graph, operators, { hasCaller, isTurn, bytesInside });
  const { offsets, bytes } = placeBlocks(storage.blocks);
  const spare = align(bytes);
  const kept = crossed(graph, storage).reduce((sum, i) => sum + align(bytesOf(graph, i)), 0);
  return { graph, storage, offsets, bytes: hasCaller ? spare + kept : bytes, bodies, spare };
}

const bytesOf = (graph: Graph, output: number): number => {
  const tensor = graph.tensors[graph.outputs[output]?.tensor as TensorId];
  return tensor === undefined ? 0 : byteLength(tensor);
};

/** Outputs of a body that are another of its inputs, by number. */
export function crossed({ inputs, outputs }: Graph, { sourceOf }: Storage): readonly number[] {
  return [...outputs.keys()].filter((i) => {
    const source = sourceOf(outputs[i]?.tensor as TensorId);
    return inputs.some(({ tensor }, j) => tensor === source && i !== j);
  });
}

/** Where a graph lies in memory: its part of the arena, and its inputs where they are another's. */
export interface Site {
  readonly layout: GraphLayout;
  readonly base: number;
  readonly inputs: ReadonlyMap<TensorId, number>;
}

/** The address of a tensor that has one without being a constant or variable. */
export function addressIn({ layout, base, inputs }: Site, id: TensorId): number | undefined {
  const { storage, offsets } = layout;
  const block = storage.blockOf(id);
  if (block !== undefined) return base + (offsets[block] as number);
  return inputs.get(storage.sourceOf(id));
}
