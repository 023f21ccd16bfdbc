/** The one entry of every module: the step loop, the probe of the dot product, and every kernel by name. */
export { dotProduct, run } from "./run";
export * from "./kernels";
