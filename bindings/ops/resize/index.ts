/** The operators of this family, each by its kind. */
export { resizeBilinear } from "./resizeBilinear.ts";
export { resizeNearestNeighbor } from "./resizeNearestNeighbor.ts";
