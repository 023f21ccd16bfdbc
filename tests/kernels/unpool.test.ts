/** MediaPipe's pooling with places and its inverse against plain loops over windows; both stand in a file with options of words. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { loadModel } from "../../bindings/public/index.ts";

const id = (i: number) => i as TensorId;

interface Windows {
  readonly shape: readonly [number, number, number, number];
  readonly filter: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: "same" | "valid";
}

/** x → values and places, and these → what they were. */
function fileOf({ shape, ...windows }: Windows): Uint8Array {
  const float = (name: string) => ({ name, dtype: "float32", shape: [1] }) as const;
  const graph: Graph = {
    name: "pool",
    subgraphs: [],
    inputs: [{ name: "x", tensor: id(0) }],
    tensors: [{ ...float("x"), shape }, float("values"), float("places"), float("back")],
    nodes: [
      {
        kind: "maxPoolPlaces",
        where: "node 0",
        inputs: [id(0)],
        outputs: [id(1), id(2)],
        attributes: { ...windows, activation: "relu6" },
      },
      { kind: "maxUnpool", where: "node 1", inputs: [id(1), id(2)], outputs: [id(3)], attributes: windows },
    ] as readonly AnyNode[],
    outputs: [1, 2, 3].map((tensor) => ({
      name: ["", "values", "places", "back"][tensor] as string,
      tensor: id(tensor),
    })),
  };
  return writeTflite(graph);
}

/** Outputs along one dimension, and what lies before the first window. */
function along(size: number, filter: number, stride: number, padding: string): readonly [number, number] {
  if (padding === "valid") return [Math.floor((size - filter) / stride) + 1, 0];
  const out = Math.ceil(size / stride);
  return [out, Math.max(0, Math.floor(((out - 1) * stride + filter - size) / 2))];
}

function expected({ shape: [n, h, w, c], filter: [kH, kW], stride: [sH, sW], padding }: Windows, x: Float32Array) {
  const [outH, top] = along(h, kH, sH, padding);
  const [outW, left] = along(w, kW, sW, padding);
  const values: number[] = [];
  const places: number[] = [];
  const back = new Float32Array(n * outH * kH * outW * kW * c);
  const edge = (count: number, k: number, s: number) => Math.max(0, Math.floor(((count - 1) * s + k - count * k) / 2));
  for (let b = 0; b < n; b++)
    for (let i = 0; i < outH; i++)
      for (let j = 0; j < outW; j++)
        for (let channel = 0; channel < c; channel++) {
          let [most, place] = [Number.NEGATIVE_INFINITY, 0];
          for (let u = 0; u < kH; u++)
            for (let v = 0; v < kW; v++) {
              const [row, column] = [i * sH - top + u, j * sW - left + v];
              if (row < 0 || column < 0 || row >= h || column >= w) continue;
              const value = x[((b * h + row) * w + column) * c + channel] as number;
              if (value > most) [most, place] = [value, u * kW + v];
            }
          const clamped = Math.min(Math.max(most, 0), 6);
          values.push(clamped);
          places.push(Math.fround(place + Math.fround(0.1)));
          const to = [
            i * sH - edge(outH, kH, sH) + Math.floor(place / kW),
            j * sW - edge(outW, kW, sW) + (place % kW),
          ] as const;
          if (to[0] < outH * kH && to[1] < outW * kW)
            back[((b * outH * kH + to[0]) * outW * kW + to[1]) * c + channel] = clamped;
        }
  return { values: Float32Array.from(values), places: Float32Array.from(places), back };
}

for (const module of ["scalar", "simd"] as const)
  describe(`MaxPoolingWithArgmax2D and MaxUnpooling2D, ${module}`, () => {
    for (const windows of [
      { shape: [2, 4, 6, 3], filter: [2, 2], stride: [2, 2], padding: "same" },
      { shape: [1, 5, 7, 2], filter: [2, 3], stride: [2, 3], padding: "same" },
      { shape: [1, 5, 7, 1], filter: [3, 2], stride: [1, 2], padding: "valid" },
      { shape: [1, 4, 4, 5], filter: [3, 3], stride: [2, 2], padding: "same" },
    ] as const satisfies readonly Windows[])
      test(JSON.stringify(windows), async () => {
        const session = await loadModel(fileOf(windows), { module });
        const x = Float32Array.from(
          { length: windows.shape.reduce<number>((all, size) => all * size, 1) },
          (_, i) => ((i * 37) % 101) / 10 - 3,
        );
        assert.deepEqual(session.run([x]), expected(windows, x));
        session.close();
      });
  });

test("places that are none go nowhere", async () => {
  const graph: Graph = {
    name: "unpool",
    subgraphs: [],
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 1, 4, 1] },
      { name: "places", dtype: "float32", shape: [1, 1, 4, 1] },
      { name: "y", dtype: "float32", shape: [1] },
    ],
    nodes: [
      {
        kind: "maxUnpool",
        where: "node 0",
        inputs: [id(0), id(1)],
        outputs: [id(2)],
        attributes: { filter: [2, 2], stride: [2, 2], padding: "same" },
      },
    ] as readonly AnyNode[],
    inputs: [
      { name: "x", tensor: id(0) },
      { name: "places", tensor: id(1) },
    ],
    outputs: [{ name: "y", tensor: id(2) }],
  };
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(writeTflite(graph), { module });
    const { y } = session.run([Float32Array.of(1, 2, 3, 4), Float32Array.of(1e30, -5, Number.NaN, 3.1)]) as {
      y: Float32Array;
    };
    assert.deepEqual([...y], [...new Array<number>(15).fill(0), 4]);
    session.close();
  }
});
