import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import type { Attributes, Graph } from "../../bindings/graph.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { fieldsOf, paramBytes } from "../../bindings/primitives/params.ts";
import { kernelNumber } from "../../bindings/primitives/registry.ts";
import { fakeOperators, graph, node, tensor } from "../passes/graphs.ts";

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(error.message);

/** relu and tanh look up; relu may run in place; reshape is an alias; softmax takes 100 bytes of scratch. */
const operators = fakeOperators({
  relu: {
    inPlace: () => [0],
    lower: (_, to) => lookup(to, 7),
  },
  tanh: { macs: () => 12, lower: (_, to) => lookup(to, 7) },
  reshape: { alias: true },
  maxPool2d: {
    lower: (_, to) => {
      const [x, y] = [to.inputs[0]?.address ?? 0, to.outputs[0]?.address ?? 0];
      to.call({ kernel: "maxPool", params: { ...POOL, x, y, ...to.scratch(100) } });
    },
  },
});
type Lowering = Parameters<NonNullable<typeof operators.relu.lower>>[1];
const lookup = (to: Lowering, fill: number) =>
  to.call({
    kernel: "lookup",
    note: "table",
    params: {
      x: to.inputs[0]?.address ?? 0,
      y: to.outputs[0]?.address ?? 0,
      table: to.place(new Uint8Array(256).fill(fill)),
      count: 64,
      flip: 0,
      channels: 1,
    },
  });
const POOL = {
  x: 0,
  y: 0,
  scratch: 0,
  scratchStride: 0,
  batch: 1,
  inH: 1,
  inW: 1,
  channels: 1,
  outH: 1,
  outW: 1,
  kH: 1,
  kW: 1,
  strideH: 1,
  strideW: 1,
  padTop: 0,
  padLeft: 0,
  lo: -128,
  hi: 127,
};
const FILTER: Attributes["maxPool2d"] = { filter: [1, 1], stride: [1, 1], padding: "valid", activation: "none" };

const names = ["x", "a", "b", "c", "y"].map((name) => tensor(name, [64]));
const plan = (network: Graph) => planGraph(network, { module: "simd", moduleHash: "00", operators });
const chain = graph(
  names,
  [
    node("tanh", [0], [1], {}),
    node("reshape", [1], [2], {}),
    node("relu", [2], [3], {}),
    node("maxPool2d", [3], [4], FILTER),
  ],
  [0],
  [4],
);

describe("planGraph", () => {
  test("puts arena, image and scratch one after the other, all aligned", () => {
    const made = plan(chain);
    assert.equal(made.arenaAddress, 1024);
    assert.equal(made.imageAddress, 1024 + made.arenaBytes);
    assert.ok(made.scratchAddress >= made.imageAddress + made.image.length);
    assert.equal(made.scratchBytes, 128, "100 bytes in whole cache lines");
    for (const address of [made.imageAddress, made.scratchAddress, made.stepsAddress]) assert.equal(address % 16, 0);
  });

  test("an alias costs nothing, and what may run in place does", () => {
    const { arenaBytes, steps, image, imageAddress } = plan(chain);
    assert.equal(arenaBytes, 128, "two tensors at once are enough for five");
    assert.deepEqual(
      steps.map(({ kernel }) => kernel),
      ["lookup", "lookup", "maxPool"],
    );
    const view = new DataView(image.buffer, image.byteOffset);
    const params = (steps[1]?.params ?? 0) - imageAddress;
    assert.equal(view.getUint32(params, true), view.getUint32(params + 4, true), "relu reads and writes one place");
  });

  test("nothing is overwritten while an output or another reader needs it", () => {
    const kept = plan({
      ...chain,
      outputs: [...chain.outputs, { name: "b", tensor: chain.nodes[1]?.outputs[0] as never }],
    });
    assert.notEqual(kept.outputs[0]?.address, kept.outputs[1]?.address);
    assert.equal(kept.arenaBytes, 192);
  });

  test("equal constants are stored once, the step table says kernels and parameters", () => {
    const { image, imageAddress, steps, stepsAddress, scratchAddress } = plan(chain);
    assert.ok(image.length < 2 * 256 + 100, `${image.length}`);
    const view = new DataView(image.buffer, image.byteOffset);
    for (const [i, { kernel, params }] of steps.entries()) {
      assert.equal(view.getUint32(stepsAddress - imageAddress + i * 8, true), kernelNumber(kernel));
      assert.equal(view.getUint32(stepsAddress - imageAddress + i * 8 + 4, true), params);
    }
    const at = (steps[2]?.params ?? 0) - imageAddress;
    const word = (field: string) =>
      view.getUint32(at + 4 * fieldsOf("Pool").findIndex(({ name }) => name === field), true);
    const [x, y] = [word("x"), word("y")];
    const expected = paramBytes("Pool", { ...POOL, x, y, scratch: scratchAddress, scratchStride: 0 });
    assert.deepEqual(image.slice(at, at + expected.length), expected, "scratch was patched in");
    assert.deepEqual(
      steps.map(({ macs }) => macs),
      [12, 0, 0],
    );
    assert.deepEqual(
      steps.map(({ bytes }) => bytes),
      [256, 256, 0],
    );
  });

  test("variables start at zero in their own quantization, in memory of their own", () => {
    const state = tensor("state", [5], { variable: true });
    const made = plan(graph([...names, state], [node("relu", [5], [1], {})], [], [1]));
    const [variable] = made.variables;
    assert.equal(variable?.bytes, 5);
    const offset = (variable?.address ?? 0) - made.imageAddress;
    assert.deepEqual(new Int8Array(made.image.slice(offset, offset + 5)), Int8Array.of(-3, -3, -3, -3, -3));
    assert.notEqual(made.outputs[0]?.address, variable?.address, "not in place");
  });

  test("inputs and constants can be outputs", () => {
    const constant = tensor("k", [3], { data: Uint8Array.of(1, 2, 3) });
    const made = plan(graph([...names, constant], [], [0], [0, 5]));
    assert.equal(made.outputs[0]?.address, made.inputs[0]?.address);
    const offset = (made.outputs[1]?.address ?? 0) - made.imageAddress;
    assert.deepEqual(made.image.slice(offset, offset + 3), Uint8Array.of(1, 2, 3));
  });

  test("ports of the same name, or of none, get names that differ", () => {
    const unnamed = [tensor("", [1]), tensor("", [1]), tensor("__proto__", [1])];
    const made = plan(graph(unnamed, [], [0, 1, 2], [0]));
    assert.equal(new Set(made.inputs.map(({ name }) => name)).size, 3);
    assert.ok(!made.inputs.some(({ name }) => name === "" || name === "__proto__"));
  });

  test("refuses more than 4 GiB and says what takes it", () => {
    const large = [tensor("large", [2 ** 31]), tensor("larger", [2 ** 31 + 5]), tensor("small", [4])];
    const network = graph(large, [node("tanh", [0], [1], {}), node("tanh", [1], [2], {})], [0], [2]);
    assert.throws(
      () => plan(network),
      fails("OUT_OF_MEMORY", /4\.00 GiB; the largest tensors: "larger" \[2147483653\] int8/),
    );
  });
});
