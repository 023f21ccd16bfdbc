/** Custom operators of the file → nodes of the graph, by name. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, Node, OpKind } from "../../graph.ts";
import { type FlexValue, readFlexMap } from "./flexbuffer.ts";

/** What every node has, besides its kind and attributes. */
type NodeParts = Pick<Node, "where" | "inputs" | "outputs">;

/** The options of a custom operator: a map, or bytes of its own. */
interface CustomOptions {
  readonly where: string;
  readonly values: ReadonlyMap<string, FlexValue>;
}

/** Makes a node of a custom operator from the bytes of its options. */
export type CustomEntry = (parts: NodeParts, bytes: Uint8Array) => AnyNode;

/** Importers by name. */
export const CUSTOM_OPERATORS: ReadonlyMap<string, CustomEntry> = new Map([
  ["TFLite_Detection_PostProcess", entry("detectionPostProcess", detection)],
]);

function entry<K extends OpKind>(kind: K, attributes: (options: CustomOptions) => Attributes[K]): CustomEntry {
  return (parts, bytes) => {
    const where = `${parts.where}, options`;
    const made: Node<K> = { kind, ...parts, attributes: attributes({ where, values: readFlexMap(bytes, where) }) };
    return made as unknown as AnyNode;
  };
}

function detection(o: CustomOptions): Attributes["detectionPostProcess"] {
  return {
    mostDetections: number(o, "max_detections"),
    classesPerDetection: number(o, "max_classes_per_detection"),
    detectionsPerClass: number(o, "detections_per_class", 100),
    everyClass: o.values.get("use_regular_nms") === true || o.values.get("use_regular_nms") === 1,
    scoreThreshold: number(o, "nms_score_threshold"),
    overlapThreshold: number(o, "nms_iou_threshold"),
    classes: number(o, "num_classes"),
    scales: [number(o, "y_scale"), number(o, "x_scale"), number(o, "h_scale"), number(o, "w_scale")],
  };
}

/** A finite number, or `fallback` where there is none. */
function number({ where, values }: CustomOptions, key: string, fallback?: number): number {
  const value = values.get(key) ?? fallback;
  ensure(typeof value === "number" && Number.isFinite(value), "INVALID_MODEL", () => ({
    where,
    expected: `a number "${key}"`,
    received: String(value),
  }));
  return value;
}
