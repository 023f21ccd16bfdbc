/** QLinearAdd and QLinearMul of two constants, and by scales that are infinite: bytes as onnxruntime 1.32 gives them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { qlinear } from "../../reference/nearest.ts";
import { buildOnnx, type GraphSpec, node, type TensorSpec } from "../build-onnx.ts";

type Kind = "Add" | "Mul";
interface Numbers {
  readonly scale: number;
  readonly zero: number;
}

const byte = (name: string, dims: readonly number[], values: ArrayLike<number>, type: 2 | 3): TensorSpec => ({
  name,
  dims,
  type,
  raw: Uint8Array.from(values, (q) => q & 255),
});

/** One node of operands a and b, which are inputs or constants. */
function model(kind: Kind, type: 2 | 3, numbers: readonly Numbers[], operands: readonly TensorSpec[], given: string) {
  const scales = numbers.flatMap(({ scale, zero }, i): readonly TensorSpec[] => [
    { name: `s${i}`, dims: [], type: 1, values: [scale] },
    byte(`z${i}`, [], [zero], type),
  ]);
  const spec: GraphSpec = {
    nodes: [node(`QLinear${kind}`, "a s0 z0 b s1 z1 s2 z2", "y", { domain: "com.microsoft" })],
    inputs: operands.filter(({ name }) => given.includes(name)).map(({ name, dims }) => ({ name, dims, type })),
    outputs: [{ name: "y", type }],
    initializers: [...scales, ...operands.filter(({ name }) => !given.includes(name))],
  };
  return buildOnnx(spec);
}

async function run(bytes: Uint8Array, inputs: readonly ArrayBufferView[]): Promise<readonly number[]> {
  const session = await loadModel(bytes, { module: "simd" });
  const [y] = Object.values(session.run(inputs as never)) as readonly ArrayLike<number>[];
  session.close();
  return Array.from(y as ArrayLike<number>);
}

/** Halves of steps: every second sum is a tie. */
const TIES: readonly Numbers[] = [
  { scale: 0.5, zero: 3 },
  { scale: 0.25, zero: 100 },
  { scale: 1, zero: 7 },
];

describe("pairs of bytes", () => {
  for (const [type, shift] of [
    [2, 128],
    [3, 0],
  ] as const)
    for (const kind of ["Add", "Mul"] as const)
      test(`QLinear${kind} of two constants is what it is of two inputs, ${shift ? "uint8" : "int8"}`, async () => {
        const a = Array.from({ length: 256 }, (_, i) => i - 128 + shift);
        const b = a.map((_, i) => ((i * 37 + 11) & 255) - 128 + shift);
        const operands = [byte("a", [16, 16], a, type), byte("b", [16, 16], b, type)];
        const values = shift ? [Uint8Array.from(a), Uint8Array.from(b)] : [Int8Array.from(a), Int8Array.from(b)];
        const [p, q, y] = TIES.map(({ scale, zero }) => ({ scale, zeroPoint: zero - shift })) as never[];
        const rule = kind === "Add" ? "add" : "mul";
        const expected = a.map(
          (u, i) =>
            qlinear(rule, u - shift, (b[i] as number) - shift, p as never, q as never, y as never, shift) + shift,
        );
        assert.deepEqual(await run(model(kind, type, TIES, operands, "ab"), values), expected);
        assert.deepEqual(await run(model(kind, type, TIES, operands, ""), []), expected);
      });

  test("a constant goes on as one: weights that are a product", async () => {
    const operands = [byte("a", [2, 2], [1, 2, 3, 4], 3), byte("b", [2], [2, 4], 3)];
    const one = { scale: 1, zero: 0 };
    const file = buildOnnx({
      nodes: [
        node("QLinearMul", "a s z b s z s z", "w", { domain: "com.microsoft" }),
        node("QLinearMatMul", "x s z w s z s z", "y"),
      ],
      inputs: [{ name: "x", dims: [1, 2], type: 3 }],
      outputs: [{ name: "y", type: 3 }],
      initializers: [{ name: "s", dims: [], type: 1, values: [one.scale] }, byte("z", [], [one.zero], 3), ...operands],
    });
    assert.deepEqual(await run(file, [Int8Array.of(1, -1)]), [2 - 6, 8 - 16]);
  });

  // onnxruntime's on x64, on all pairs: the same whatever a and b are, but where they are counted
  const none = { scale: 0.1, zero: 3 };
  for (const [name, numbers, expected] of [
    ["an infinite y beside an infinite b", [none, { scale: Infinity, zero: 0 }, { scale: Infinity, zero: 0 }], 0],
    ["an infinite y", [none, none, { scale: Infinity, zero: 7 }], 7],
    ["an infinite a", [{ scale: Infinity, zero: 5 }, none, none], 0],
    ["no number", [none, { scale: Number.NaN, zero: 5 }, none], 0],
    ["y of scale 0", [none, none, { scale: 0, zero: 7 }], 0],
  ] as const)
    for (const kind of ["Add", "Mul"] as const)
      test(`QLinear${kind} by scales with ${name}`, async () => {
        const values = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
        const operands = [byte("a", [4, 16], values, 2), byte("b", [16], values.slice(7, 23), 2)];
        const y = await run(model(kind, 2, numbers, operands, "ab"), [values, values.slice(7, 23)]);
        assert.deepEqual(y, new Array(64).fill(expected));
      });

  test("a scale of 0 leaves the other operand", async () => {
    const numbers = [{ scale: 0, zero: 5 }, none, { scale: 0.2, zero: 7 }];
    const operands = [byte("a", [4], [0, 9, 200, 255], 2), byte("b", [4], [0, 3, 4, 201], 2)];
    const inputs = [Uint8Array.of(0, 9, 200, 255), Uint8Array.of(0, 3, 4, 201)];
    assert.deepEqual(await run(model("Add", 2, numbers, operands, "ab"), inputs), [6, 7, 8, 106]);
    assert.deepEqual(await run(model("Mul", 2, numbers, operands, "ab"), inputs), [7, 7, 7, 7]);
  });

  test("sums beyond int32 are its least, and scales below 0 are refused", async () => {
    const numbers = [none, none, { scale: 1e-40, zero: 7 }];
    const operands = [byte("a", [4], [3, 4, 4, 2], 2), byte("b", [4], [9, 3, 5, 2], 2)];
    const inputs = [Uint8Array.of(3, 4, 4, 2), Uint8Array.of(9, 3, 5, 2)];
    assert.deepEqual(await run(model("Mul", 2, numbers, operands, "ab"), inputs), [7, 7, 0, 0]);
    const below = [none, { scale: -1, zero: 0 }, none];
    await assert.rejects(run(model("Add", 2, below, operands, "ab"), inputs), /not below 0/);
  });

  for (const type of [2, 3] as const)
    test(`QLinearSoftmax by an infinite scale is 0, type ${type}`, async () => {
      const file = buildOnnx({
        nodes: [node("QLinearSoftmax", "x s z t u", "y", { domain: "com.microsoft", int: { axis: -1, opset: 13 } })],
        inputs: [{ name: "x", dims: [2, 3], type }],
        outputs: [{ name: "y", type }],
        initializers: [
          { name: "s", dims: [], type: 1, values: [Infinity] },
          byte("z", [], [0], type),
          { name: "t", dims: [], type: 1, values: [1 / 256] },
          byte("u", [], [type === 2 ? 5 : -128], type),
        ],
      });
      const x = [1, 2, 3, 0, 0, 0];
      assert.deepEqual(await run(file, [type === 2 ? Uint8Array.from(x) : Int8Array.from(x)]), [0, 0, 0, 0, 0, 0]);
    });

  test("QLinearSoftmax by a scale so small that its factor is large", async () => {
    const file = buildOnnx({
      nodes: [node("QLinearSoftmax", "x s z t u", "y", { domain: "com.microsoft", int: { axis: -1, opset: 13 } })],
      inputs: [{ name: "x", dims: [1, 8], type: 2 }],
      outputs: [{ name: "y", type: 2 }],
      initializers: [
        { name: "s", dims: [], type: 1, values: [0.25] },
        byte("z", [], [0], 2),
        { name: "t", dims: [], type: 1, values: [1 / 1400] },
        byte("u", [], [0], 2),
      ],
    });
    const x = [100, 100, 100, 100, 99, 100, 100, 98];
    const parts = x.map((value) => Math.exp((value - 100) / 4));
    const sum = parts.reduce((a, b) => a + b);
    const expected = parts.map((part) => Math.round((1400 * part) / sum));
    assert.deepEqual(await run(file, [Uint8Array.from(x)]), expected);
  });
});
