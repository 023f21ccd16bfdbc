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
  ["Convolution2DTransposeBias", transposeBias],
  ["SignalWindow", entry("signalWindow", (o) => ({ shift: number(o, "shift") }))],
  ["SignalFftAutoScale", entry("signalAutoScale", () => ({}))],
  ["SignalRfft", entry("signalTransform", (o) => ({ length: number(o, "fft_length") }))],
  ["SignalEnergy", entry("signalEnergy", (o) => ({ first: number(o, "start_index"), last: number(o, "end_index") }))],
  ["SignalFilterBank", entry("signalFilterBank", (o) => ({ channels: number(o, "num_channels") }))],
  ["SignalFilterBankSquareRoot", entry("signalRoot", () => ({}))],
  ["SignalFilterBankSpectralSubtraction", entry("signalSubtraction", subtraction)],
  ["SignalPCAN", entry("signalGain", (o) => ({ shift: number(o, "snr_shift") }))],
  ["SignalFilterBankLog", entry("signalLog", logarithm)],
]);

function entry<K extends OpKind>(kind: K, attributes: (options: CustomOptions) => Attributes[K]): CustomEntry {
  return (parts, bytes) => {
    const where = `${parts.where}, options`;
    const made: Node<K> = { kind, ...parts, attributes: attributes({ where, values: readFlexMap(bytes, where) }) };
    return made as unknown as AnyNode;
  };
}

/** Three int32: padding (1 same, 2 valid), stride across, stride down. */
function transposeBias(parts: NodeParts, bytes: Uint8Array): AnyNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rule = bytes.byteLength >= 12 ? view.getInt32(0, true) : 0;
  ensure(rule === 1 || rule === 2, "INVALID_MODEL", () => ({
    where: `${parts.where}, options`,
    expected: "12 bytes that begin with padding 1 (same) or 2 (valid)",
    received: `${bytes.byteLength} bytes, padding ${rule}`,
  }));
  const stride = [view.getInt32(8, true), view.getInt32(4, true)] as const;
  return { kind: "transposeConvBias", ...parts, attributes: { stride, padding: rule === 1 ? "same" : "valid" } };
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

function subtraction(o: CustomOptions): Attributes["signalSubtraction"] {
  return {
    smoothing: number(o, "smoothing"),
    rest: number(o, "one_minus_smoothing"),
    oddSmoothing: number(o, "alternate_smoothing"),
    oddRest: number(o, "alternate_one_minus_smoothing"),
    least: number(o, "min_signal_remaining"),
    clamping: o.values.get("clamping") === true || o.values.get("clamping") === 1,
    smoothingBits: number(o, "smoothing_bits"),
    bits: number(o, "spectral_subtraction_bits"),
  };
}

function logarithm(o: CustomOptions): Attributes["signalLog"] {
  return { scale: number(o, "output_scale"), correction: number(o, "input_correction_bits") };
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
