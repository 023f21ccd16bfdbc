/** What ordinary operators have, as the node is given it: those that come later have no copy of it. */
import type { OnnxNode } from "../convert.ts";
import type { Tools } from "../tools.ts";

const given = <K extends keyof Tools>(name: K): Tools[K] =>
  ((n: OnnxNode, ...rest: readonly unknown[]) =>
    (n.scope.shared.inner.tools[name] as (...all: readonly unknown[]) => unknown)(n, ...rest)) as Tools[K];

export const product = given("product");
export const knownQuantization = given("knownQuantization");
export const dequantized = given("dequantized");
export const quantizedValue = given("quantizedValue");
export const setQuantized = given("setQuantized");
export const matrixOf = given("matrixOf");
export const hybrid = given("hybrid");
