/** The three builds of the kernels, slowest first. */
export const MODULES = ["scalar", "simd", "relaxed"] as const;
export type ModuleName = (typeof MODULES)[number];
