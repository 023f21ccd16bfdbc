/** The operators of this family, each by its kind. */
export { depthwiseConv2d } from "./depthwiseConv2d.ts";
