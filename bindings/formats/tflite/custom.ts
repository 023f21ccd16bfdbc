/** Custom operators of the file ↔ nodes of the graph, by name. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, Node, OpKind } from "../../graph.ts";
import { type FlexValue, readFlexMap } from "./flexbuffer.ts";
import { ACTIVATIONS } from "./options.ts";

/** What every node has, besides its kind and attributes. */
type NodeParts = Pick<Node, "where" | "inputs" | "outputs">;

/** An option by its key: a number, or a flag; numbers may have a value where the map has none. */
export interface CustomField {
  readonly key: string;
  readonly as: "number" | "flag";
  readonly absent?: number;
}

/** The attributes of an operator by the keys of its options; several make a list. */
export type CustomFields = { readonly [attribute: string]: CustomField | readonly CustomField[] };

/** Makes a node of a custom operator from the bytes of its options. */
export type CustomEntry = (parts: NodeParts, bytes: Uint8Array) => AnyNode;

/** One custom operator: its kind and, where its options are a map, the keys of its attributes. */
interface CustomOperator {
  readonly kind: OpKind;
  readonly fields?: CustomFields;
  readonly node: CustomEntry;
}

const number = (key: string, absent?: number): CustomField => ({
  key,
  as: "number",
  ...(absent === undefined ? {} : { absent }),
});
const flag = (key: string): CustomField => ({ key, as: "flag" });

/** Operators by name. */
export const CUSTOM_OPERATORS: ReadonlyMap<string, CustomOperator> = new Map([
  [
    "TFLite_Detection_PostProcess",
    entry("detectionPostProcess", {
      mostDetections: number("max_detections"),
      classesPerDetection: number("max_classes_per_detection"),
      detectionsPerClass: number("detections_per_class", 100),
      everyClass: flag("use_regular_nms"),
      scoreThreshold: number("nms_score_threshold"),
      overlapThreshold: number("nms_iou_threshold"),
      classes: number("num_classes"),
      scales: [number("y_scale"), number("x_scale"), number("h_scale"), number("w_scale")],
    }),
  ],
  ["Convolution2DTransposeBias", { kind: "transposeConvBias", node: transposeBias }],
  ["MaxPoolingWithArgmax2D", { kind: "maxPoolPlaces", node: pooling("maxPoolPlaces") }],
  ["MaxUnpooling2D", { kind: "maxUnpool", node: pooling("maxUnpool") }],
  ["SignalWindow", entry("signalWindow", { shift: number("shift") })],
  ["SignalFftAutoScale", entry("signalAutoScale", {})],
  ["SignalRfft", entry("signalTransform", { length: number("fft_length") })],
  ["SignalIrfft", entry("signalInverse", { length: number("fft_length") })],
  ["SignalDelay", entry("signalDelay", { length: number("delay_length") })],
  [
    "SignalFramer",
    entry("signalFramer", { size: number("frame_size"), step: number("frame_step"), prefill: flag("prefill") }),
  ],
  [
    "SignalStacker",
    entry("signalStacker", {
      channels: number("num_channels"),
      left: number("stacker_left_context"),
      right: number("stacker_right_context"),
      step: number("stacker_step"),
    }),
  ],
  ["SignalOverlapAdd", entry("signalOverlapAdd", { step: number("frame_step") })],
  ["SignalEnergy", entry("signalEnergy", { first: number("start_index"), last: number("end_index") })],
  ["SignalFilterBank", entry("signalFilterBank", { channels: number("num_channels") })],
  ["SignalFilterBankSquareRoot", entry("signalRoot", {})],
  [
    "SignalFilterBankSpectralSubtraction",
    entry("signalSubtraction", {
      smoothing: number("smoothing"),
      rest: number("one_minus_smoothing"),
      oddSmoothing: number("alternate_smoothing"),
      oddRest: number("alternate_one_minus_smoothing"),
      least: number("min_signal_remaining"),
      clamping: flag("clamping"),
      smoothingBits: number("smoothing_bits"),
      bits: number("spectral_subtraction_bits"),
    }),
  ],
  ["SignalPCAN", entry("signalGain", { shift: number("snr_shift") })],
  [
    "SignalFilterBankLog",
    entry("signalLog", { scale: number("output_scale"), correction: number("input_correction_bits") }),
  ],
]);

function entry<K extends OpKind>(
  kind: K,
  fields: { readonly [A in keyof Attributes[K]]: CustomField | readonly CustomField[] },
): CustomOperator {
  const list: CustomFields = fields;
  const node: CustomEntry = (parts, bytes) => {
    const where = `${parts.where}, options`;
    const values = readFlexMap(bytes, where);
    const read = (field: CustomField) => readOption(field, values, where);
    const attributes = Object.entries(list).map(([name, field]) => [
      name,
      Array.isArray(field) ? field.map(read) : read(field as CustomField),
    ]);
    return { kind, ...parts, attributes: Object.fromEntries(attributes) } as unknown as AnyNode;
  };
  return { kind, fields: list, node };
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

const RULES = ["", "same", "valid"] as const;

/** Int32: padding (1 same, 2 valid), strides across and down, filter across and down, activation. */
function pooling(kind: "maxPoolPlaces" | "maxUnpool"): CustomEntry {
  return (parts, bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = (i: number) => (bytes.byteLength >= 24 ? view.getInt32(4 * i, true) : 0);
    const padding = RULES[at(0)];
    const activation = ACTIVATIONS[at(5)];
    ensure(padding === "same" || padding === "valid", "INVALID_MODEL", () => ({
      where: `${parts.where}, options`,
      expected: "24 bytes that begin with padding 1 (same) or 2 (valid)",
      received: `${bytes.byteLength} bytes, padding ${at(0)}`,
    }));
    ensure(activation !== undefined, "UNSUPPORTED", () => ({
      where: `${parts.where}, options`,
      expected: "activation NONE, RELU, RELU_N1_TO_1 or RELU6",
      received: `${at(5)}`,
    }));
    const windows = { stride: [at(2), at(1)], filter: [at(4), at(3)], padding } as const;
    if (kind === "maxUnpool") return { kind, ...parts, attributes: windows };
    return { kind, ...parts, attributes: { ...windows, activation } };
  };
}

/** A finite number, or a flag, which may be a number itself. */
function readOption(
  { key, as, absent }: CustomField,
  values: ReadonlyMap<string, FlexValue>,
  where: string,
): number | boolean {
  const value = values.get(key) ?? absent;
  if (as === "flag") return value === true || value === 1;
  ensure(typeof value === "number" && Number.isFinite(value), "INVALID_MODEL", () => ({
    where,
    expected: `a number "${key}"`,
    received: value === undefined ? "none" : String(value),
  }));
  return value;
}
