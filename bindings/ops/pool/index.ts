/** The rarer operators of this family, each by its kind; the others stand in `ordinary.ts`. */
export { l2Pool2d } from "./l2Pool2d.ts";
export { maxPoolPlaces } from "./maxPoolPlaces.ts";
export { maxUnpool } from "./maxUnpool.ts";
export { reduceAll } from "./reduceAll.ts";
export { reduceAny } from "./reduceAny.ts";
export { reduceMax } from "./reduceMax.ts";
export { reduceMin } from "./reduceMin.ts";
export { reduceProd } from "./reduceProd.ts";
export { sum } from "./sum.ts";
