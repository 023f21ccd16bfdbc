/** float16 between operators: expected values are what onnxruntime 1.32 gives on x64 without optimizations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHalf } from "../../../bindings/ops/values.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const halves = (name: string, dims: readonly number[], bits: number): TensorSpec => ({
  name,
  dims,
  type: 10,
  raw: Uint8Array.of(bits & 255, bits >> 8),
});
const integers = (name: string, values: readonly number[]): TensorSpec => ({
  name,
  dims: [values.length],
  type: 7,
  values,
});
const to = (type: 1 | 10) => ({ int: { to: type } });

/** 0.1, 0.7, 1.3 and 2.9 through the nodes, to `y` of float32. */
async function run(nodes: readonly NodeSpec[], type: 1 | 10 = 10, opset = 17): Promise<readonly number[]> {
  const outputs = [
    { name: "y", type: 1 },
    ...(nodes.some((each) => each.outputs[0] === "also") ? [{ name: "also", type: 10 }] : []),
    ...(nodes.some((each) => each.outputs[0] === "size") ? [{ name: "size", type: 7 }] : []),
  ];
  const initializers = [
    halves("third", [1], 0x34cd),
    halves("thousand", [1], 0x63d0),
    halves("zero", [], 0),
    halves("six", [], 0x4600),
    { name: "one", dims: [], type: 1, values: [1] } as const,
    integers("four", [4]),
    integers("square", [2, 2]),
    integers("ones", [1, 1]),
    { name: "row", dims: [1, 2], type: 10, raw: Uint8Array.of(0xcd, 0x34, 0x9a, 0x39) } as const,
  ];
  const model = await loadModel(
    buildOnnx({ nodes, inputs: [{ name: "x", type, dims: [2, 2] }], outputs, initializers }, opset),
  );
  const x = type === 1 ? Float32Array.of(0.1, 0.7, 1.3, 2.9) : Uint16Array.of(0x2e66, 0x399a, 0x3d33, 0x41cd);
  const { y } = model.run([x]);
  model.close();
  return Array.from(y as Float32Array);
}

/** Multiplies by 0.3, goes through the nodes from `a` to `b`, and multiplies by 1000. */
const between = (...nodes: readonly NodeSpec[]) => betweenOf(17, ...nodes);
const betweenOf = (opset: number, ...nodes: readonly NodeSpec[]) =>
  run(
    [
      node("Mul", "x third", nodes[0]?.inputs[0] ?? "b"),
      ...nodes,
      node("Mul", `${nodes.at(-1)?.outputs[0] ?? "b"} thousand`, "c"),
      node("Cast", "c", "y", to(1)),
    ],
    10,
    opset,
  );

const EXACT = [29.997556686401367, 210.09278869628906, 390.0048828125, 870.2587890625] as const;
const ROUNDED = [29.998779296875, 210.0830078125, 389.892578125, 870.1171875] as const;
const turned = ([a, b, c, d]: readonly [number, number, number, number]) => [a, c, b, d];

test("float16 is not rounded between operators of float32", async () => {
  assert.deepEqual(await between(), EXACT);
});

test("what onnxruntime has for float16, too, rounds nothing between operators of float32", async () => {
  assert.deepEqual(await between(node("Transpose", "a", "b")), turned(EXACT));
  assert.deepEqual(await between(node("Clip", "a zero six", "b")), EXACT);
  assert.deepEqual(await between(node("Tile", "a ones", "b")), EXACT);
});

test("before opset 12 it has bounds for float32 alone, which casts of the model around them do not round", async () => {
  const around = (operator: string, rest: string) => [
    node("Cast", "x", "h", to(10)),
    node(operator, `h ${rest}`, "a"),
    node("Cast", "a", "y", to(1)),
  ];
  for (const nodes of [around("Clip", "zero six"), around("Max", "zero")]) {
    assert.deepEqual(await run(nodes, 1, 12), [0.0999755859375, 0.7001953125, 1.2998046875, 2.900390625]);
    assert.deepEqual(await run(nodes, 1, 11), [0.1, 0.7, 1.3, 2.9].map(Math.fround));
  }
});

test("two such operators in a row are given rounded values, as is one whose result is an output", async () => {
  assert.deepEqual(await between(node("Transpose", "a", "m"), node("Reshape", "m four", "b")), turned(ROUNDED));
  assert.deepEqual(await between(node("Clip", "a zero six", "also")), ROUNDED);
});

test("of lists the first input alone decides", async () => {
  const list = [
    node("Transpose", "a", "m"),
    node("Reshape", "m square", "n"),
    node("Concat", "a n", "b", { int: { axis: 0 } }),
  ];
  assert.deepEqual(await between(...list), [...EXACT, ...turned(ROUNDED)]);
});

test("casts of the model round where no operator stands between two of them", async () => {
  const around = [node("Cast", "x", "h", to(10)), node("Mul", "h third", "a"), node("Cast", "a", "y", to(1))];
  const expected = [0.03000488318502903, 0.21003417670726776, 0.39006346464157104, 0.8701416254043579];
  assert.deepEqual(await run(around, 1), expected);
  const midway = [
    node("Cast", "x", "h", to(10)),
    node("Mul", "h third", "a"),
    node("Cast", "a", "b", to(1)),
    node("Mul", "b one", "y"),
  ];
  assert.deepEqual(await run(midway, 1), expected);
  const twice = [node("Cast", "x", "h", to(10)), node("Cast", "h", "y", to(1))];
  assert.deepEqual(await run(twice, 1), [0.0999755859375, 0.7001953125, 1.2998046875, 2.900390625]);
});

test("casts of float16 to float16 round where others than casts and operators of float32 read them", async () => {
  const same = (x: string, y: string) => node("Cast", x, y, to(10));
  assert.deepEqual(await between(same("a", "b")), EXACT);
  assert.deepEqual(await between(same("a", "m"), same("m", "b")), EXACT);
  assert.deepEqual(await between(same("a", "m"), node("Shape", "m", "size"), node("Identity", "m", "b")), ROUNDED);
  const nodes = [same("x", "h"), same("h", "b"), node("Mul", "b thousand", "c"), node("Cast", "c", "y", to(1))];
  assert.deepEqual(await run(nodes, 1), [100, 700, 1300, 2900]);
});

test("beside a cast back to float32 no operator sees what the first cast rounds", async () => {
  const nodes = [
    node("Cast", "x", "b", to(10)),
    node("Cast", "b", "w", to(1)),
    node("Mul", "b thousand", "c"),
    node("Cast", "c", "d", to(1)),
    node("Mul", "w d", "y"),
  ];
  assert.deepEqual(await run(nodes, 1), [9.995118141174316, 490.2734680175781, 1689.4921875, 8412.265625]);
});

test("what nodes compute of constants is no constant there, of several results the first decides", async () => {
  const constant = [
    node("Mul", "row thousand", "a"),
    node("Transpose", "a", "b"),
    node("Mul", "x b", "c"),
    node("Cast", "c", "y", to(1)),
  ];
  assert.deepEqual(
    await run(constant),
    [29.997556686401367, 210.09278869628906, 910.1171264648438, 2030.8399658203125],
  );
  const split = node("Split", "a", "b other", { int: { axis: 0 } });
  const parts = [node("Mul", "x third", "a"), split, node("Transpose", "other", "also")];
  assert.deepEqual(
    await run([...parts, node("Mul", "b thousand", "c"), node("Cast", "c", "y", to(1))]),
    EXACT.slice(0, 2),
  );
});

test("from opset 18 on Relu and HardSigmoid are made of Min and Max", async () => {
  const relu = [node("Relu", "a", "m"), node("Reshape", "m four", "b")];
  assert.deepEqual(await betweenOf(17, ...relu), EXACT);
  assert.deepEqual(await betweenOf(18, ...relu), ROUNDED);
  assert.deepEqual(await betweenOf(18, node("Relu", "a", "b")), EXACT);
  const sigmoid = node("HardSigmoid", "a", "b");
  assert.deepEqual(await betweenOf(18, sigmoid), [505.859375, 541.9921875, 578.125, 673.828125]);
  const exact = [505.99951171875, 542.0185546875, 578.0009765625, 674.0517578125];
  for (const [i, y] of (await betweenOf(17, sigmoid)).entries()) assert.ok(Math.abs(y - (exact[i] as number)) < 1e-3);
});

test("sums of integers that are cast to float16 are not rounded before an operator of float32", async () => {
  // 2900·1000 is beyond float16
  const nodes = [
    node("Mul", "x thousand", "k"),
    node("Cast", "k", "i", { int: { to: 6 } }),
    node("Cast", "i", "h", to(10)),
    node("Mul", "h thousand", "a"),
    node("Cast", "a", "y", to(1)),
  ];
  assert.deepEqual(await run(nodes), [99000, 700000, 1299000, 2900000]);
});

test("attention that turns float16 itself rounds what it turned, as RotaryEmbedding before it does", async () => {
  const [length, width] = [4, 16];
  const bytes = (count: number, f: (i: number) => number): Uint8Array =>
    new Uint8Array(Uint16Array.from({ length: count }, (_, i) => toHalf(f(i))).buffer);
  const table = (name: string, f: (x: number) => number): TensorSpec => {
    const dims = [length, width / 2];
    return { name, dims, type: 10, raw: bytes(length * 8, (i) => f(Math.floor(i / 8) * 10 ** (-(i % 8) / 4))) };
  };
  const attention = (q: string, k: string, rest: string, int: Readonly<Record<string, number>>) =>
    node("GroupQueryAttention", `${q} ${k} v pastK pastV counts total${rest}`, "y presentK presentV", {
      domain: "com.microsoft",
      int: { num_heads: 1, kv_num_heads: 1, ...int },
    });
  const rotary = (x: string, y: string) =>
    node("RotaryEmbedding", `${x} positions cos sin`, y, { domain: "com.microsoft" });
  const outputsOf = async (nodes: readonly NodeSpec[]) => {
    const spec = {
      nodes: [node("Cast", "total64", "total", { int: { to: 6 } }), ...nodes],
      inputs: ["q", "k", "v", "pastK", "pastV", "counts"].map((name, i) => {
        if (i === 5) return { name, type: 6, dims: [1] };
        return { name, type: 10, dims: i < 3 ? [1, length, width] : [1, 1, 0, width] };
      }),
      outputs: ["y", "presentK", "presentV"].map((name) => ({ name, type: 10 })),
      initializers: [
        { name: "total64", type: 7, dims: [], values: [length] } as const,
        { name: "positions", type: 7, dims: [1, length], values: [0, 1, 2, 3] } as const,
        table("cos", Math.cos),
        table("sin", Math.sin),
      ],
    };
    const model = await loadModel(buildOnnx(spec, 21));
    const x = [1, 2, 3].map((seed) =>
      Uint16Array.from({ length: length * width }, (_, i) => toHalf(2 * Math.sin((i + seed) * (seed + 1.7)))),
    );
    const outputs = model.run([...x, new Uint16Array(0), new Uint16Array(0), Int32Array.of(length - 1)]);
    model.close();
    return Object.values(outputs);
  };
  const within = await outputsOf([attention("q", "k", " cos sin", { do_rotary: 1 })]);
  const before = await outputsOf([
    rotary("q", "turnedQ"),
    rotary("k", "turnedK"),
    attention("turnedQ", "turnedK", "", {}),
  ]);
  assert.deepEqual(within, before);
});

test("ONNX's own Attention rounds its scores and weights", async () => {
  const [length, width] = [3, 4];
  const x = (seed: number, count: number) =>
    Uint16Array.from({ length: count }, (_, i) => toHalf(2 * Math.sin((i + seed) * (seed + 1.7))));
  const outputOf = async (inputs: string, float: Readonly<Record<string, number>>) => {
    const mask = { name: "mask", dims: [length, length], type: 10, raw: new Uint8Array(x(4, 9).buffer) } as const;
    const spec = {
      nodes: [node("Attention", inputs, "y", { float })],
      inputs: ["q", "k", "v"].map((name) => ({ name, type: 10, dims: [1, 1, length, width] })),
      outputs: [{ name: "y", type: 10 }],
      initializers: [mask],
    };
    const model = await loadModel(buildOnnx(spec, 23));
    const [y] = Object.values(model.run([1, 2, 3].map((seed) => x(seed, length * width)))) as [Uint16Array];
    model.close();
    return Array.from(y, (bits) => bits.toString(16)).join(" ");
  };
  assert.equal(await outputOf("q k v", { scale: 0.3 }), "3ffc b023 bff9 31b8 3ffc b023 bff9 31b8 3ff8 b268 bff3 33fc");
  // a bias is added before rounding, bending by softcap comes after it
  assert.equal(
    await outputOf("q k v mask", { scale: 0.3, softcap: 2 }),
    "3ff1 b40e bfea 34d7 3ffc b081 bff8 3216 3ff9 b233 bff4 33c7",
  );
});
