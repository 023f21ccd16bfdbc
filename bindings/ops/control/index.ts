/** The operators of this family, each by its kind. */
export { callOnce, ifOperator as if, whileOperator as while } from "./branches.ts";
export { call, reduceWindow, scatter, varHandle } from "./calls.ts";
export { custom } from "./custom.ts";
export { assignVariable, readVariable } from "./variables.ts";
