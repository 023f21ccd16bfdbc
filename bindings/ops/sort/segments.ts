/** What SEGMENT_SUM and the UNSORTED_SEGMENT operators share. */
import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireInputs } from "../constraints.ts";
import { requireOpen } from "../move/moving.ts";
import type { NodeView, Operator } from "../types.ts";

const FORMS = {
  segmentSum: 0,
  unsortedSegmentSum: 0,
  unsortedSegmentProd: 1,
  unsortedSegmentMax: 2,
  unsortedSegmentMin: 3,
} as const;
type Segments = keyof typeof FORMS;

const KERNEL = { int32: "segmentS32", float32: "segmentF32" } as const;

/** True where only a run can tell. */
const isOpen = (kind: Segments, node: NodeView<Segments>) =>
  kind === "segmentSum" && inputOf(node, 1).data === undefined;

/** How many segments there are: said by the third input, or one more than the last id; at most as many as computed ids. */
function countOf(kind: Segments, node: NodeView<Segments>): number {
  const unsorted = kind !== "segmentSum";
  if (isOpen(kind, node)) return elementCount(inputOf(node, 1).shape);
  const values = requireConstant(node, "C4", inputOf(node, unsorted ? 2 : 1));
  const count = unsorted ? (values[0] ?? -1) : values.length === 0 ? 0 : (values.at(-1) as number) + 1;
  const rises = unsorted || values.every((id, i) => id >= (values[i - 1] ?? 0));
  constrain(node, "C4", count >= 0 && rises, () => ({
    expected: unsorted ? "a number of segments from 0 on" : "ids that rise from 0 on",
    received: values.slice(0, 8).join(","),
  }));
  return count;
}

/** Sums and products of int32, as sizes are worked out: einsum multiplies dimensions that it joins by segments. */
function foldSegments(kind: Segments, node: NodeView<Segments>): readonly Uint8Array[] | undefined {
  const x = inputOf(node, 0);
  if (x.dtype !== "int32" || (kind !== "unsortedSegmentSum" && kind !== "unsortedSegmentProd")) return undefined;
  const values = requireConstant(node, "C2", x);
  const ids = requireConstant(node, "C2", inputOf(node, 1));
  const segments = countOf(kind, node);
  const inner = elementCount(x.shape.slice(inputOf(node, 1).shape.length));
  const isSum = kind === "unsortedSegmentSum";
  const y = new Int32Array(segments * inner).fill(isSum ? 0 : 1);
  for (const [row, id] of ids.entries()) {
    if (id < 0 || id >= segments) continue;
    for (let i = 0; i < inner; i++) {
      const [a, b] = [y[id * inner + i] as number, values[row * inner + i] as number];
      y[id * inner + i] = isSum ? a + b : Math.imul(a, b);
    }
  }
  return [new Uint8Array(y.buffer)];
}

/**
 * Rows of x combined by the segment that they belong to. C1: x, ids and, of the unsorted ones, the number of segments; one
 * output. C2: x and output int32 or float32, ids int32. C3: ids of the shape that x begins with, one dimension where they
 * are sorted. C4: that number constant. Ids outside belong nowhere; sorted
 * ids that are computed rise by one at most, and leave the length open. Source: TFLite's segment_sum and
 * unsorted_segment.
 */
export function segmentOperator<K extends Segments>(kind: K): Operator<K> {
  return {
    infer(view) {
      const node = view as NodeView<Segments>;
      if (kind === "segmentSum") requireOpen(node, 2, 1);
      else requireInputs(node, 3);
      const x = inputOf(node, 0);
      const ids = inputOf(node, 1);
      const dtype = requireDType(node, "C2", x, "int32", "float32");
      requireDType(node, "C2", outputOf(node), dtype);
      requireDType(node, "C2", ids, "int32");
      const rank = ids.shape.length;
      const begins = rank >= 1 && rank <= x.shape.length && ids.shape.every((size, i) => size === x.shape[i]);
      constrain(node, "C3", begins && (kind !== "segmentSum" || rank === 1), () => ({
        expected: "ids of the shape that x begins with",
        received: `${listText(ids.shape)} for ${listText(x.shape)}`,
      }));
      const shape = [countOf(kind, node), ...x.shape.slice(rank)];
      return [{ dtype, shape, ...(isOpen(kind, node) && { open: "length" }) }];
    },
    fold: (view) => foldSegments(kind, view as NodeView<Segments>),
    lower(view, to) {
      const node = view as NodeView<Segments>;
      const { dtype, shape } = inputOf(node, 0);
      const lengthAt = to.output(1);
      if (elementCount(outputOf(node).shape) === 0 && lengthAt === 0) return;
      const ids = inputOf(node, 1).shape;
      to.call({
        kernel: KERNEL[dtype as keyof typeof KERNEL],
        params: {
          x: to.input(0),
          y: to.output(0),
          ids: to.input(1),
          rows: elementCount(ids),
          inner: elementCount(shape.slice(ids.length)),
          segments: countOf(kind, node),
          form: FORMS[kind],
          lengthAt,
        },
      });
    },
  };
}
