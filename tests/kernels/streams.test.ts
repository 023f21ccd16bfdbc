/**
 * Delays, frames, stacks, overlaps and Fourier transforms of sound: the bytes of the tflite-micro wheel 0.dev20261023 for inputs of a small
 * generator, run after run; files are written and read on the way.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";

interface Case {
  readonly kind: string;
  readonly attributes: object;
  readonly x: readonly ["int16" | "int32" | "float32", readonly number[]];
  readonly y: readonly number[];
  /** Outputs run by run; undefined where the operator says that there is none yet. */
  readonly runs: readonly (readonly number[] | undefined)[];
}

const CASES: readonly Case[] = [
  {
    kind: "signalDelay",
    attributes: { length: 3 },
    x: ["int16", [2, 5]],
    y: [2, 5],
    runs: [
      [0, 0, 0, 19564, -22962, 0, 0, 0, 3365, -734],
      [-21900, -10094, -237, -21555, 25363, -978, -24783, 10913, -32446, -18583],
      [-3138, 25874, 749, 252, -14301, -9114, 19150, 7460, -18144, -1129],
    ],
  },
  {
    kind: "signalDelay",
    attributes: { length: 7 },
    x: ["int16", [2, 3]],
    y: [2, 3],
    runs: [
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0],
      [0, 19564, -22962, 0, -10094, -237],
      [-21900, -734, -978, 3365, 10913, -21555],
    ],
  },
  {
    kind: "signalFramer",
    attributes: { size: 5, step: 2, prefill: false },
    x: ["int16", [2, 4]],
    y: [2, 2, 5],
    runs: [
      undefined,
      [
        19564, -22962, -21900, -10094, -24783, -21900, -10094, -24783, 10913, -21555, -237, 3365, -734, -978, -3138,
        -734, -978, -3138, 25874, 749,
      ],
      [
        -24783, 10913, -21555, 25363, -18583, -21555, 25363, -18583, -9114, 19150, -3138, 25874, 749, -32446, 252, 749,
        -32446, 252, -14301, -27689,
      ],
      [
        -18583, -9114, 19150, 7460, -14707, 19150, 7460, -14707, -18144, -1129, 252, -14301, -27689, 29658, 26474,
        -27689, 29658, 26474, 15110, 13973,
      ],
    ],
  },
  {
    kind: "signalFramer",
    attributes: { size: 5, step: 2, prefill: true },
    x: ["int16", [1, 4]],
    y: [1, 2, 5],
    runs: [
      [0, 0, 0, 19564, -22962, 0, 19564, -22962, -21900, -10094],
      [-22962, -21900, -10094, -237, 3365, -10094, -237, 3365, -734, -978],
      [3365, -734, -978, -24783, 10913, -978, -24783, 10913, -21555, 25363],
      [10913, -21555, 25363, -3138, 25874, 25363, -3138, 25874, 749, -32446],
    ],
  },
  {
    kind: "signalStacker",
    attributes: { channels: 3, left: 1, right: 1, step: 2 },
    x: ["int16", [3]],
    y: [9],
    runs: [
      undefined,
      [19564, -22962, -21900, 19564, -22962, -21900, -10094, -237, 3365],
      undefined,
      [-10094, -237, 3365, -734, -978, -24783, 10913, -21555, 25363],
      undefined,
      [10913, -21555, 25363, -3138, 25874, 749, -32446, -18583, -9114],
    ],
  },
  {
    kind: "signalOverlapAdd",
    attributes: { step: 2 },
    x: ["int16", [2, 2, 5]],
    y: [2, 4],
    runs: [
      [19564, -22962, -18535, -10828, -21555, 25363, -32768, 7291],
      [-963, -32768, -32768, 28529, 5608, -708, 25577, 25245],
      [23621, 32767, -1104, 32767, 6989, 3975, 32767, -25091],
    ],
  },
  {
    kind: "signalTransform",
    attributes: { length: 8 },
    x: ["int16", [5]],
    y: [10],
    runs: [
      [-4452, 0, 1337, 5658, 5152, 1608, 3612, 184, 3810, 0],
      [-1527, 0, 1182, 2376, 1906, -3006, -3069, 2133, 4851, 0],
    ],
  },
  {
    kind: "signalInverse",
    attributes: { length: 8 },
    x: ["int16", [10]],
    y: [8],
    runs: [
      [-6369, -5273, 1685, 3891, 4947, -1705, -2871, -7505],
      [-5543, 10980, -9232, -10699, 5317, 11446, 8258, 685],
    ],
  },
  {
    kind: "signalTransform",
    attributes: { length: 16 },
    x: ["int16", [13]],
    y: [18],
    runs: [
      [-2948, 0, -39, 2552, -1514, 2632, 4207, 1473, 2224, 1436, 1299, 1014, 1283, -2706, 5615, 2820, -3648, 0],
      [-3239, 0, 513, 283, 1872, 4158, 7587, 1687, -1272, -1577, 3580, -4270, 2981, 2878, -1640, -3418, 1863, 0],
    ],
  },
  {
    kind: "signalInverse",
    attributes: { length: 16 },
    x: ["int16", [18]],
    y: [16],
    runs: [
      [-696, -7801, 12216, -6390, -8699, 626, -5195, -2461, -6220, -3003, -274, 14, 3471, -2122, 5885, 7445],
      [-239, 2461, 6058, 12672, 623, -8455, 5138, 3078, -1755, 3329, -54, 596, 4239, -327, -7146, -1070],
    ],
  },
  {
    kind: "signalTransform",
    attributes: { length: 8 },
    x: ["int32", [5]],
    y: [10],
    runs: [
      [-230095268, 0, 240679015, 133042306, -40810374, 173393011, 485893763, 129168331, 140726570, 0],
      [-191481761, 0, -243983032, 119678349, -25825313, -126529813, -422923211, 131950045, 164374527, 0],
    ],
  },
  {
    kind: "signalInverse",
    attributes: { length: 8 },
    x: ["int32", [10]],
    y: [8],
    runs: [
      [-453265523, 162195507, 438363890, -611299254, -342720911, 95344829, 389784680, -543730754],
      [267426844, -422502927, -331968103, 238282642, 944289478, -371296375, -191363511, -116334508],
    ],
  },
  {
    kind: "signalTransform",
    attributes: { length: 16 },
    x: ["int32", [13]],
    y: [18],
    runs: [
      [
        -383404369, 0, 81778421, 94505771, 304719957, 17107243, -100507357, 130205529, -144942398, -13801080, 397664822,
        191741406, 26815367, 42936114, 246061095, -9036272, 42380651, 0,
      ],
      [
        459966897, 0, -79860578, -72451833, 74332605, -42151693, 143524997, -232723266, -139859021, -133200666,
        -104772231, -53431130, -105933714, 100015133, 9041702, -129032614, -126853519, 0,
      ],
    ],
  },
  {
    kind: "signalInverse",
    attributes: { length: 16 },
    x: ["int32", [18]],
    y: [16],
    runs: [
      [
        -228646353, -29758556, 464488188, 208397878, 580465414, -251974591, -207567713, 446798843, -611269415, 71054668,
        286159350, 693880978, -126402018, 1165679, 288899631, -303535875,
      ],
      [
        -36102250, 108845773, 321322478, -181642792, 208869662, 42684073, 126286908, -214253816, -48564910, 334857537,
        -304533310, -465620596, 330489562, 418887833, -197814600, 916524324,
      ],
    ],
  },
];

const ARRAYS = { int16: Int16Array, int32: Int32Array, float32: Float32Array } as const;

/** A file of one operator, whose state the importer makes again. */
function fileOf({ kind, attributes, x: [dtype, shape], y }: Omit<Case, "runs">): Uint8Array {
  const flag = kind === "signalFramer" || kind === "signalStacker";
  const stated = kind !== "signalTransform" && kind !== "signalInverse";
  const tensors: Tensor[] = [
    { name: "x", dtype, shape },
    { name: "y", dtype, shape: y },
    ...(flag ? [{ name: "whole", dtype: "bool", shape: [] } as const] : []),
    ...(stated ? [{ name: "state", dtype, shape: [1], variable: true } as const] : []),
  ];
  const outputs = (flag ? [1, 2] : [1]) as TensorId[];
  const inputs = (stated ? [0, tensors.length - 1] : [0]) as TensorId[];
  const graph = {
    name: "signal",
    tensors,
    subgraphs: [],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: outputs.map((tensor) => ({ name: tensors[tensor]?.name ?? "", tensor })),
    nodes: [{ kind, where: "node 0", inputs, outputs, attributes } as unknown as AnyNode],
  } satisfies Graph;
  return writeTflite(graph);
}

function generator() {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  return {
    int16: () => next() - 32768,
    int32: () => (next() - 32768) * 65536 + next(),
    float32: () => (next() - 32768) / 32768,
  };
}

const count = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

for (const module of ["scalar", "simd"] as const)
  describe(`TensorFlow Lite Micro's signal operators, ${module}`, () => {
    for (const each of CASES)
      test(`${each.kind} ${JSON.stringify(each.attributes)} of ${each.x[0]}`, async () => {
        const session = await loadModel(fileOf(each), { module });
        for (const after of ["a start", "a reset"]) {
          const draw = generator()[each.x[0]];
          for (const [run, expected] of each.runs.entries()) {
            const x = ARRAYS[each.x[0]].from(Array.from({ length: count(each.x[1]) }, draw));
            const { y, whole } = session.run([x] as never) as Record<string, ArrayLike<number>>;
            if (whole !== undefined)
              assert.equal(whole[0], expected === undefined ? 0 : 1, `run ${run} after ${after}`);
            if (expected !== undefined) assert.deepEqual([...(y as Int16Array)], expected, `run ${run} after ${after}`);
          }
          session.reset();
        }
        session.close();
      });

    test("float32: the transform is that of sums, and the inverse leads back", async () => {
      const length = 32;
      const forward = await loadModel(
        fileOf({ kind: "signalTransform", attributes: { length }, x: ["float32", [2, length]], y: [2, length + 2] }),
        { module },
      );
      const back = await loadModel(
        fileOf({ kind: "signalInverse", attributes: { length }, x: ["float32", [2, length + 2]], y: [2, length] }),
        { module },
      );
      const draw = generator().float32;
      const x = Float32Array.from({ length: 2 * length }, draw);
      const spectrum = (forward.run([x]) as { readonly y: Float32Array }).y;
      for (let row = 0; row < 2; row++)
        for (let k = 0; k <= length / 2; k++) {
          let [real, imaginary] = [0, 0];
          for (let i = 0; i < length; i++) {
            const turn = (-2 * Math.PI * k * i) / length;
            real += (x[row * length + i] as number) * Math.cos(turn);
            imaginary += (x[row * length + i] as number) * Math.sin(turn);
          }
          const at = row * (length + 2) + 2 * k;
          assert.ok(Math.abs((spectrum[at] as number) - real) < 1e-5);
          assert.ok(Math.abs((spectrum[at + 1] as number) - imaginary) < 1e-5);
        }
      const again = (back.run([spectrum.slice()]) as { readonly y: Float32Array }).y;
      for (const [i, value] of x.entries()) assert.ok(Math.abs((again[i] as number) - value) < 1e-6);
      forward.close();
      back.close();
    });

    test("overlaps of float32 are sums", async () => {
      const session = await loadModel(
        fileOf({ kind: "signalOverlapAdd", attributes: { step: 2 }, x: ["float32", [1, 2, 3]], y: [1, 4] }),
        { module },
      );
      assert.deepEqual(
        (session.run([Float32Array.of(1, 2, 3, 10, 20, 30)]) as { y: Float32Array }).y,
        Float32Array.of(1, 2, 13, 20),
      );
      assert.deepEqual((session.run([new Float32Array(6)]) as { y: Float32Array }).y, Float32Array.of(30, 0, 0, 0));
      session.close();
    });
  });

for (const [kind, attributes, x, broken] of [
  ["signalFramer", { size: 5, step: 6, prefill: false }, [6], "C3"],
  ["signalFramer", { size: 5, step: 2, prefill: false }, [7], "C6"],
  ["signalStacker", { channels: 3, left: 1, right: 0, step: 3 }, [3], "C3"],
  ["signalStacker", { channels: 3, left: 1, right: 0, step: 1 }, [4], "C4"],
  ["signalOverlapAdd", { step: 9 }, [2, 4], "C3"],
  ["signalOverlapAdd", { step: 1 }, [4], "C6"],
  ["signalDelay", { length: -1 }, [4], "C3"],
  ["signalInverse", { length: 12 }, [14], "C4"],
  ["signalInverse", { length: 8 }, [9], "C4"],
] as const)
  test(`${kind} ${JSON.stringify(attributes)} of [${x}] breaks ${broken}`, async () => {
    const file = fileOf({ kind, attributes, x: ["int16", x], y: [1] });
    await assert.rejects(loadModel(file, { module: "scalar" }), new RegExp(`, ${broken}:|${broken}, `));
  });
