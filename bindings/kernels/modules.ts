/** The three builds of the kernels, slowest first. */
export const MODULES = ["scalar", "simd", "relaxed"] as const;
export type ModuleName = (typeof MODULES)[number];

/** What to spare where there is a choice: bytes of weights, tables and code, or executed instructions. */
export type Optimize = "size" | "speed";
