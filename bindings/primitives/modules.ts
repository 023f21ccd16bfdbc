/** The three builds of the kernels, slowest first. */
export const MODULES = ["scalar", "simd", "relaxed"] as const;
export type ModuleName = (typeof MODULES)[number];

/** Each build in two sizes: `core` has the kernels of ordinary int8 networks, `full` has all of them. */
export const EDITIONS = ["core", "full"] as const;
export type Edition = (typeof EDITIONS)[number];

/** What to spare where there is a choice: bytes of weights, tables and code, or executed instructions. */
export type Optimize = "size" | "speed";
