/** Types of one output, and the attributes of operators without an activation: written once, for all conversions have them. */
export const FLOAT = [{ dtype: "float32" }] as const;
export const BOOL = [{ dtype: "bool" }] as const;
export const INT32 = [{ dtype: "int32" }] as const;
export const INT64 = [{ dtype: "int64" }] as const;
export const NONE = { activation: "none" } as const;
