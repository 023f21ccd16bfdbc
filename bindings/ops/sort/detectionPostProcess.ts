import { dimensions, listText, sizeOf, type Tensor } from "../../tensor.ts";
import { areWhole, constrain, inputOf, requireAffine, requireDType, requireTensors } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Boxes as offsets to anchors, scores, anchors; to boxes, classes, scores and how many. */
    readonly detectionPostProcess: {
      readonly mostDetections: number;
      readonly classesPerDetection: number;
      readonly detectionsPerClass: number;
      /** Thins out each class by itself. */
      readonly everyClass: boolean;
      readonly scoreThreshold: number;
      readonly overlapThreshold: number;
      readonly classes: number;
      /** What y, x, height and width of the offsets are divided by. */
      readonly scales: readonly [number, number, number, number];
    };
  }
}

const TYPES = { float32: 0, int8: 1, uint8: 2 } as const;
const MOST = 65536;

/** How the kernel reads an input. */
function reading(x: Tensor) {
  const type = TYPES[x.dtype as keyof typeof TYPES];
  const { scale, zeroPoint } = affineOf(x);
  return { type, zero: zeroPoint, scale };
}

function checkAttributes(node: NodeView<"detectionPostProcess">, scores: number): void {
  const { mostDetections, classesPerDetection, detectionsPerClass, overlapThreshold, classes, scales } =
    node.attributes;
  const counts = areWhole([mostDetections, classesPerDetection, detectionsPerClass, classes], 1, MOST);
  const fits = counts && mostDetections * classesPerDetection <= MOST && scores - classes >= 0 && scores - classes <= 1;
  constrain(node, "C5", fits, () => ({
    expected: "numbers of detections and classes from 1 on, and a score to each class and to none",
    received: `${mostDetections} detections of ${classesPerDetection} classes, ${classes} classes, ${scores} scores`,
  }));
  const inside = overlapThreshold > 0 && overlapThreshold <= 1 && scales.every((scale) => scale > 0);
  constrain(node, "C6", inside, () => ({
    expected: "an overlap above 0 and up to 1, scales above 0",
    received: `${overlapThreshold}, ${scales.join(", ")}`,
  }));
}

/**
 * Boxes from their offsets to anchors, the best of each place. C1: offsets, scores and anchors, four outputs. C2: inputs
 * float32, int8 or uint8, outputs float32. C3: quantized ones with one scale and zero point. C4: offsets `[1,N,4 or more]`,
 * scores `[1,N,C]`, anchors `[N,4]`. C5: numbers that fit. C6: thresholds and scales inside their ranges. Rows without a
 * detection are 0. Source: TFLite's detection_postprocess.
 */
export const detectionPostProcess: Operator<"detectionPostProcess"> = {
  infer(node) {
    requireTensors(node, 3, 4);
    const inputs = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)] as const;
    for (const x of inputs) {
      requireDType(node, "C2", x, "float32", "int8", "uint8");
      if (x.dtype !== "float32") requireAffine(node, "C3", x);
    }
    for (const y of node.outputs) requireDType(node, "C2", y, "float32");
    const [offsets, scores, anchors] = inputs.map(({ shape }) => shape) as [number[], number[], number[]];
    const [, boxes = 0, size = 0] = offsets;
    const [, , columns = 0] = scores;
    const fits = offsets.length === 3 && offsets[0] === 1 && size >= 4 && boxes >= 1 && boxes <= 2 ** 20;
    constrain(node, "C4", fits && `${scores}` === `1,${boxes},${columns}` && `${anchors}` === `${boxes},4`, () => ({
      expected: "offsets [1,N,4], scores [1,N,C] and anchors [N,4]",
      received: `${listText(offsets)}, ${listText(scores)} and ${listText(anchors)}`,
    }));
    checkAttributes(node, columns);
    const rows = node.attributes.mostDetections * node.attributes.classesPerDetection;
    return [[1, rows, 4], [1, rows], [1, rows], [1]].map((shape) => ({ dtype: "float32", shape }));
  },
  lower(node, to) {
    const { attributes } = node;
    const [encodings, scores, anchors] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    const [encoding, score, anchor] = [reading(encodings), reading(scores), reading(anchors)];
    const [, boxes, encodingSize] = dimensions(encodings.shape, 3);
    const scoreSize = sizeOf(scores, 2);
    const [yScale, xScale, hScale, wScale] = attributes.scales;
    to.call({
      kernel: "detect",
      params: {
        encodings: to.input(0),
        scores: to.input(1),
        anchors: to.input(2),
        yBoxes: to.output(0),
        yClasses: to.output(1),
        yScores: to.output(2),
        yCount: to.output(3),
        ...to.scratch(boxes * 28 + attributes.mostDetections * 8),
        boxes,
        encodingSize,
        scoreSize,
        offset: scoreSize - attributes.classes,
        classes: attributes.classes,
        most: attributes.mostDetections,
        perBox: attributes.classesPerDetection,
        rows: attributes.mostDetections * attributes.classesPerDetection,
        perClass: attributes.everyClass ? attributes.detectionsPerClass : 0,
        threshold: attributes.scoreThreshold,
        overlap: attributes.overlapThreshold,
        yScale,
        xScale,
        hScale,
        wScale,
        encodingType: encoding.type,
        encodingZero: encoding.zero,
        encodingScale: encoding.scale,
        scoreType: score.type,
        scoreZero: score.zero,
        scoreScale: score.scale,
        anchorType: anchor.type,
        anchorZero: anchor.zero,
        anchorScale: anchor.scale,
      },
    });
  },
};
