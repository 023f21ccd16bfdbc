import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import type { Graph } from "../../bindings/graph.ts";
import { verifyStructure, verifyTypes } from "../../bindings/passes/verify.ts";
import { fakeOperators, graph, id, node, tensor } from "./graphs.ts";

const x = tensor("x", [1, 4]);
const good = graph(
  [x, tensor("y", [1, 4]), tensor("z", [1, 4])],
  [node("relu", [0], [1], {}), node("relu", [1], [2], {})],
  [0],
  [2],
);

const refuses = (name: string, bad: Graph, received: RegExp, code = "INVALID_GRAPH") =>
  test(`refuses ${name}`, () =>
    assert.throws(
      () => verifyStructure(bad),
      (error) => error instanceof Pint8Error && error.code === code && received.test(error.message),
    ));

test("accepts a graph that runs in order", () => verifyStructure(good));
refuses("an id past the end", { ...good, nodes: [node("relu", [0], [7], {})] }, /received 7/);
refuses("an absent output", { ...good, nodes: [node("relu", [0], [-1], {})] }, /received -1/);
refuses("a fractional id", { ...good, nodes: [node("relu", [0.5], [1], {})] }, /received 0.5/);
refuses("a loop", { ...good, nodes: [node("relu", [2], [1], {}), node("relu", [1], [2], {})] }, /no earlier writer/);
refuses("a node that reads itself", { ...good, nodes: [node("relu", [2], [2], {})] }, /no earlier writer/);
refuses("two writers", { ...good, nodes: [node("relu", [0], [1], {}), node("relu", [0], [1], {})] }, /second one/);
refuses("a node that writes an input", { ...good, nodes: [node("relu", [0], [0], {})] }, /second one/);
refuses("an output that nothing writes", { ...good, nodes: [node("relu", [0], [1], {})] }, /no writer/);
refuses("an output port past the end", { ...good, outputs: [{ name: "o", tensor: id(9) }] }, /received 9/);
refuses(
  "a constant of the wrong length",
  graph([tensor("x", [4], { data: new Uint8Array(3) })], [], [], [0]),
  /received 3/,
);
refuses(
  "a node that writes a constant",
  graph([x, tensor("c", [4], { data: new Uint8Array(4) })], [node("relu", [0], [1], {})], [0], [1]),
  /second one/,
);
refuses("a string input", graph([tensor("s", [1], { dtype: "string" })], [], [0], [0]), /string/, "UNSUPPORTED");
refuses("a negative size", graph([tensor("s", [-1, 4])], [], [0], [0]), /-1,4/, "INVALID_MODEL");
refuses("an input of 4 GiB", graph([tensor("s", [2 ** 16, 2 ** 16])], [], [0], [0]), /65536/, "OUT_OF_MEMORY");
refuses(
  "sizes whose product overflows",
  graph([tensor("s", [2 ** 31, 2 ** 31, 2 ** 31])], [], [0], [0]),
  /./,
  "OUT_OF_MEMORY",
);

test("refuses types that the operator does not give", () => {
  const operators = fakeOperators({ relu: { infer: () => [{ dtype: "int8", shape: [2, 2] }] } });
  assert.throws(() => verifyTypes(good, operators), /expected \[2,2\] int8, received \[1,4\] int8/);
});
