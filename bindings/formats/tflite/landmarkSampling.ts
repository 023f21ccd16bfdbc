/** A picture read at places that a matrix gives: TransformTensorBilinear, and TransformTensor of version 1. */
import type { TensorId } from "../../graph.ts";
import { listText, type Tensor } from "../../tensor.ts";
import { outputSize, type Result, refuse, requireMatrix, type Site, twoRows } from "./landmarkOptions.ts";

/** Above this, an index of a pixel is no float32. */
const MOST_PIXELS = 2 ** 24;

/** A picture's pixels at the places that a matrix gives, between four neighbours; 0 outside. */
export function sampled(site: Site, [picture, by]: readonly TensorId[]): Result {
  const { where, m, inputs, options } = site;
  const { shape } = inputs[0] as Tensor;
  requireMatrix(site);
  const [batch, height = 0, width = 0, channels = 0] = shape;
  const holds = shape.length === 4 && batch === 1 && height * width > 0 && height * width <= MOST_PIXELS;
  if (!holds) return refuse(where, `one picture [1, h, w, C] of at most ${MOST_PIXELS} pixels`, listText(shape));
  const [h, w] = outputSize(site);
  const count = h * w;
  // Steps and not constants: what a file asks for is counted where all that is computed is.
  const int = (value: number) => m.constant("int32", [], [value]);
  const each = m.append("range", [int(0), int(count), int(1)], {}, "int32");
  const all = m.append("reshape", [each, m.constant("int32", [2], [count, 1])], { shape: [count, 1] }, "int32");
  const grid = (kind: "floorMod" | "floorDiv") =>
    m.append("cast", [m.append(kind, [all, int(w)], {}, "int32")], {}, "float32");
  const places = [grid("floorMod"), grid("floorDiv")] as const;
  const isCentred = !options.has("output_size");
  const pixels = m.shaped(picture as TensorId, height * width, channels);
  const axes = twoRows(m, by as TensorId).map(([a, b, shift], i) => {
    const half = { value: 0.5 };
    const start = isCentred ? m.add(shift, m.sub(m.dot(a, half, b, half), half)) : shift;
    const at = m.add(m.dot(a, places[0], b, places[1]), start);
    const last = (i === 0 ? width : height) - 1;
    const floor = m.one("floor", at);
    const inside = m.append(
      "logicalAnd",
      [
        m.append("greaterEqual", [at, m.constant("float32", [], [0])], {}, "bool"),
        m.append("lessEqual", [at, m.constant("float32", [], [last])], {}, "bool"),
      ],
      {},
      "bool",
    );
    const held = (x: TensorId) => {
      const low = m.append("maximum", [x, m.constant("float32", [], [0])]);
      return m.append("minimum", [low, m.constant("float32", [], [last])]);
    };
    return { inside, first: held(floor), second: held(m.add(floor, { value: 1 })), share: m.sub(at, floor) };
  });
  const [x, y] = axes as [(typeof axes)[number], (typeof axes)[number]];
  const pixel = (row: TensorId, column: TensorId) => {
    const index = m.append("cast", [m.add(m.mul(row, { value: width }), column)], {}, "int32");
    return m.append(
      "gather",
      [pixels, m.append("reshape", [index, m.constant("int32", [1], [count])], { shape: [count] }, "int32")],
      {
        axis: 0,
        batchDims: 0,
      },
    );
  };
  const mixed = (row: TensorId) =>
    m.dot(m.sub({ value: 1 }, x.share), pixel(row, x.first), x.share, pixel(row, x.second));
  const value = m.dot(y.share, mixed(y.second), m.sub({ value: 1 }, y.share), mixed(y.first));
  const inside = m.append("logicalAnd", [x.inside, y.inside], {}, "bool");
  const zero = m.constant("float32", [], [0]);
  return { id: m.append("selectV2", [inside, value, zero]), shape: [1, h, w, channels] };
}
