/** Custom operators of the file ↔ nodes of the graph, by name. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, Node, OpKind } from "../../graph.ts";
import { type FlexValue, readFlexMap } from "./flexbuffer.ts";

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
export interface CustomOperator {
  readonly kind: OpKind;
  readonly fields?: CustomFields;
  readonly node: CustomEntry;
}

const number = (key: string, absent?: number): CustomField => ({
  ...{ key, as: "number" },
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
  ["SignalWindow", entry("signalWindow", { shift: number("shift") })],
  ["SignalFftAutoScale", entry("signalAutoScale", {})],
  ["SignalRfft", entry("signalTransform", { length: number("fft_length") })],
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
    received: String(value),
  }));
  return value;
}
