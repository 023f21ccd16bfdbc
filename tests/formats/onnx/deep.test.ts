/** Integer products deeper than float32 sums exactly, and the weights of dynamically quantized layers, which all steps share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel, loadModel } from "../../../bindings/public/index.ts";
import { byteLength } from "../../../bindings/tensor.ts";
import { buildOnnx, floats, type GraphSpec, node, type TensorSpec } from "../build-onnx.ts";

const UINT8 = 2;
const domain = "com.microsoft";
const [ROWS, DEPTH, COLUMNS] = [2, 600, 3];
const MODULES = ["scalar", "simd"] as const;

const bytes = (name: string, dims: readonly number[], raw: Uint8Array): TensorSpec => ({ name, dims, type: 2, raw });

/** A of bytes by a B that the caller gives too, less zero points 3 and 1: most sums are above 2^24, and odd. */
const a = Uint8Array.from({ length: ROWS * DEPTH }, (_, i) => 255 - (i % 7) - (i < DEPTH ? 0 : 31));
const b = Uint8Array.from({ length: DEPTH * COLUMNS }, (_, i) => 254 - (i % 5));
const sums = Array.from({ length: ROWS * COLUMNS }, (_, at) => {
  const [r, c] = [Math.floor(at / COLUMNS), at % COLUMNS];
  let sum = 0;
  for (let k = 0; k < DEPTH; k++) sum += ((a[r * DEPTH + k] as number) - 3) * ((b[k * COLUMNS + c] as number) - 1);
  return sum;
});

function between(nodes: GraphSpec["nodes"], initializers: readonly TensorSpec[] = []): GraphSpec {
  return {
    nodes,
    inputs: [
      { name: "a", type: UINT8, dims: [ROWS, DEPTH] },
      { name: "b", type: UINT8, dims: [DEPTH, COLUMNS] },
    ],
    outputs: [{ name: "y" }],
    initializers: [bytes("az", [], Uint8Array.of(3)), bytes("bz", [], Uint8Array.of(1)), ...initializers],
  };
}

async function assertOutput(graph: GraphSpec, expected: ArrayLike<number>): Promise<void> {
  for (const module of MODULES) {
    const model = await loadModel(buildOnnx(graph), { module });
    assert.deepEqual(Object.values(model.run([a, b]))[0], expected, module);
    model.close();
  }
}

describe("computed matrices whose sums pass 2^24", () => {
  const [as, bs] = [Math.fround(0.013), Math.fround(0.0071)];
  const scales = [floats("as", [], [as]), floats("bs", [], [bs])];
  const real = sums.map((sum) => Math.fround(Math.fround(sum) * Math.fround(as * bs)));

  test("MatMulInteger gives int32", async () => {
    assert.ok(sums.every((sum) => sum > 2 ** 24) && sums.some((sum) => sum % 2 !== 0));
    await assertOutput(between([node("MatMulInteger", "a b az bz", "y")]), Int32Array.from(sums));
  });

  test("MatMulIntegerToFloat rounds them to float32", () =>
    assertOutput(
      between([node("MatMulIntegerToFloat", "a b as bs az bz", "y", { domain })], scales),
      Float32Array.from(real),
    ));

  test("QLinearMatMul requantizes them", () => {
    const ys = Math.fround(16);
    const scale = Math.fround(Math.fround(as * bs) / ys);
    const expected = sums.map((sum) => Math.min(255, Math.round(Math.fround(Math.fround(sum) * scale)) + 4));
    assert.ok(new Set(expected).size > 1 && Math.max(...expected) < 255);
    const more = [...scales, floats("ys", [], [ys]), bytes("yz", [], Uint8Array.of(4))];
    return assertOutput(
      between([node("QLinearMatMul", "a as az b bs bz ys yz", "y")], more),
      Uint8Array.from(expected),
    );
  });
});

test("the weights of a dynamically quantized LSTM are one tensor for all of its steps", () => {
  const [inputs, hidden] = [4, 8];
  const weights = (name: string, rows: number): TensorSpec[] => [
    bytes(
      name,
      [1, rows, 4 * hidden],
      Uint8Array.from({ length: rows * 4 * hidden }, (_, i) => (i * 37) % 256),
    ),
    floats(`${name}s`, [1], [0.01]),
    bytes(`${name}z`, [1], Uint8Array.of(128)),
  ];
  const constants = (steps: number): number => {
    const graph: GraphSpec = {
      nodes: [
        {
          operator: "DynamicQuantizeLSTM",
          domain,
          inputs: ["x", "W", "R", "", "", "", "", "", "Ws", "Wz", "Rs", "Rz"],
          outputs: ["y"],
          int: { hidden_size: hidden },
        },
      ],
      inputs: [{ name: "x", type: 1, dims: [steps, 1, inputs] }],
      outputs: [{ name: "y" }],
      initializers: [...weights("W", inputs), ...weights("R", hidden)],
    };
    const { tensors } = importModel(buildOnnx(graph));
    return tensors
      .filter(({ data, dtype }) => data !== undefined && dtype === "int8")
      .reduce((sum, tensor) => sum + byteLength(tensor), 0);
  };
  assert.equal(constants(3), (inputs + hidden) * 4 * hidden);
  assert.equal(constants(30), constants(3));
});

test("a matrix that several products share is turned once, through Identity too", () => {
  const [rows, columns] = [6, 5];
  const weights = floats(
    "w",
    [rows, columns],
    Array.from({ length: rows * columns }, (_, i) => i / 8),
  );
  const { tensors } = importModel(
    buildOnnx({
      nodes: [
        node("Identity", "w", "same"),
        ...["w", "same", "w"].map((w, i) => node("MatMul", `x ${w}`, `y${i}`)),
        node("Sum", "y0 y1 y2", "y"),
      ],
      inputs: [{ name: "x", type: 1, dims: [2, rows] }],
      outputs: [{ name: "y" }],
      initializers: [weights],
    }),
  );
  const turned = tensors.filter(({ data, shape }) => data !== undefined && `${shape}` === `${[columns, rows]}`);
  assert.equal(turned.length, 1);
});
