/** .onnx networks of ordinary operators are read and planned by these alone as they are by all. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { importModel } from "../../bindings/formats/index.ts";
import { importLater } from "../../bindings/formats/later.ts";
import { importing } from "../../bindings/formats/onnx/index.ts";
import { rare } from "../../bindings/formats/onnx/rare.ts";
import type { Graph } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import { atHand, oftenLater, operatorsFor } from "../../bindings/ops/later.ts";
import type { Operators } from "../../bindings/ops/types.ts";
import { runPassesBy } from "../../bindings/passes/run.ts";
import { planGraphBy } from "../../bindings/plan/bind.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { buildOnnx, type TensorSpec } from "../formats/build-onnx.ts";

const SHARED = fileURLToPath(new URL("../../../shared", import.meta.url));
const planned = (table: Operators, graph: Graph) =>
  Buffer.from(writePlan(planGraphBy(table, runPassesBy(table, graph), { module: "simd", moduleHash: "00" }))).toString(
    "base64",
  );

const SCALE: TensorSpec = { name: "s", type: 1, dims: [], values: [0.1] };
const ZERO: TensorSpec = { name: "z", type: 2, dims: [], raw: Uint8Array.of(3) };

/** A convolution of uint8, and an operator after it. */
function network(after: string): Uint8Array {
  const quantize = (operator: string, x: string, y: string) => ({ operator, inputs: [x, "s", "z"], outputs: [y] });
  return buildOnnx(
    {
      nodes: [
        quantize("QuantizeLinear", "x", "xq"),
        quantize("DequantizeLinear", "xq", "xd"),
        { operator: "DequantizeLinear", inputs: ["w", "s"], outputs: ["wd"] },
        { operator: "Conv", inputs: ["xd", "wd"], outputs: ["c"], ints: { kernel_shape: [3, 3] } },
        quantize("QuantizeLinear", "c", "cq"),
        quantize("DequantizeLinear", "cq", "cd"),
        { operator: after, inputs: ["cd"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", type: 1, dims: [1, 2, 5, 5] }],
      outputs: [{ name: "y" }],
      initializers: [
        SCALE,
        ZERO,
        { name: "w", type: 3, dims: [4, 2, 3, 3], raw: Uint8Array.from({ length: 72 }, (_, i) => i) },
      ],
    },
    17,
  );
}

test("the importer reads a convolution of uint8 with the operators at hand, and its plan needs no others", async () => {
  const bytes = network("Relu");
  const { done, value: graph } = importing(bytes, {}, atHand()).next();
  assert.ok(done);
  assert.deepEqual(graph, importModel(bytes));
  const own = await operatorsFor(graph);
  assert.ok(Object.keys(own).length < Object.keys(operators).length);
  assert.equal(planned(own, graph), planned(operators, graph));
});

test("it asks for the others where a node needs one, and goes on from there", async () => {
  for (const after of ["Exp", "Erf"]) {
    const bytes = network(after);
    const table = atHand();
    const steps = importing(bytes, {}, table);
    const asked: string[] = [];
    let step = steps.next();
    for (; !step.done; step = steps.next(asked.at(-1) === "rare" ? rare : undefined)) {
      asked.push(step.value);
      if (step.value === "operators") Object.assign(table, operators);
    }
    assert.deepEqual(asked, after === "Exp" ? ["operators"] : ["rare", "operators"]);
    assert.deepEqual(step.value, importModel(bytes), after);
    assert.deepEqual(await importLater(bytes, {}), importModel(bytes), after);
  }
});

test("whole networks need no others", { skip: !existsSync(SHARED) && "no folder shared" }, async () => {
  const networks = [
    ["mobilenet_v2_1.0_224_qdq_u8s8_pc", atHand()],
    ["resnet18_w16_64_qdq_u8s8_pc", atHand()],
    ["resnet18_w16_64_qop_u8s8_pc", atHand()],
    ["mobilenet_v3_small_224_qdq_u8s8_pc", await oftenLater()],
    ["mobilenet_v2_1.0_224_float", await oftenLater()],
  ] as const;
  for (const [name, table] of networks) {
    const bytes = new Uint8Array(readFileSync(`${SHARED}/zoo/onnx/large/${name}.onnx`));
    const { done, value: graph } = importing(bytes, {}, table).next();
    assert.ok(done, name);
    const own = await operatorsFor(graph);
    assert.ok(Object.keys(own).length < Object.keys(operators).length, name);
    assert.equal(planned(own, graph), planned(operators, graph), name);
  }
});
