/**
 * Operators of the file that few files have, and that are read by name or taken apart: custom ones, LSTM cells of kernel type BASIC, and
 * those that run other subgraphs or have state.
 */
import type { AnyNode, Graph } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { AUDIO_OPERATORS } from "./audio.ts";
import { withoutBasicCells } from "./basicLstm.ts";
import { CUSTOM_OPERATORS, type CustomEntry } from "./custom.ts";
import { FLEX_POOLS, withoutFlexPools } from "./flexPools.ts";
import { LANDMARK_OPERATORS, withoutLandmarks } from "./landmarks.ts";
import { linkSubgraphs, type Read } from "./link.ts";
import { LIST_OPERATORS, withoutLists } from "./lists.ts";
import { POSE_OPERATORS, withPoses } from "./poses.ts";
import { withState } from "./state.ts";

/** What reads them. */
export interface Customs {
  /** How a custom operator becomes a node, where it is known. */
  entry(name: string): CustomEntry | undefined;
  /** The nodes with those taken apart that are several; what they need is appended to `tensors`. INVALID_MODEL, UNSUPPORTED. */
  apart(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[];
  /** A subgraph with all that it runs: `linkSubgraphs`. INVALID_MODEL, UNSUPPORTED. */
  link(read: readonly Read[], index: number): Graph;
  /** Nodes and tensors with a variable for each operator that has state of its own: `withState`. */
  stated: typeof withState;
}

/** TensorFlow's own operators that a graph has too: converters leave them to TensorFlow, which small engines do not have. */
const TENSORFLOW_OPERATORS: readonly (readonly [string, CustomEntry])[] = [
  ["FlexErf", (parts) => ({ kind: "erf", ...parts, attributes: {} })],
];

/** Custom operators that are several nodes, that the host runs, or that are only read. */
export const OTHER_OPERATORS: ReadonlyMap<string, CustomEntry> = new Map([
  ...AUDIO_OPERATORS,
  ...FLEX_POOLS,
  ...LANDMARK_OPERATORS,
  ...LIST_OPERATORS,
  ...POSE_OPERATORS,
  ...TENSORFLOW_OPERATORS,
]);

export const customs: Customs = {
  entry: (name) => CUSTOM_OPERATORS.get(name)?.node ?? OTHER_OPERATORS.get(name),
  apart: (nodes, tensors) =>
    [withoutLists, withoutFlexPools, withoutBasicCells, withPoses, withoutLandmarks].reduce(
      (now, step) => step(now, tensors),
      nodes,
    ),
  link: linkSubgraphs,
  stated: withState,
};
