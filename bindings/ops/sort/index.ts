/** The operators of this family, each by its kind. */
export { argMax } from "./argMax.ts";
export { argMin } from "./argMin.ts";
export { cumsum } from "./cumsum.ts";
export { detectionPostProcess } from "./detectionPostProcess.ts";
export { nonMaxSuppressionV4 } from "./nonMaxSuppressionV4.ts";
export { nonMaxSuppressionV5 } from "./nonMaxSuppressionV5.ts";
export { oneHot } from "./oneHot.ts";
export { segmentSum } from "./segmentSum.ts";
export { topK } from "./topK.ts";
export { unsortedSegmentMax } from "./unsortedSegmentMax.ts";
export { unsortedSegmentMin } from "./unsortedSegmentMin.ts";
export { unsortedSegmentProd } from "./unsortedSegmentProd.ts";
export { unsortedSegmentSum } from "./unsortedSegmentSum.ts";
