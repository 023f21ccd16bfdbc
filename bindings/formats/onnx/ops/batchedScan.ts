/** Scan of opset 8: all that it is given has batches in front, each of which is scanned by itself, up to a length of its own. */
import type { TensorId } from "../../../graph.ts";
import { asValue, type Conversions, type OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { joined, scan, sliced } from "./control.ts";
import { typeOf } from "./move.ts";

/** What is along the first dimension up to a length. */
function cut(n: OnnxNode, value: Value, length: number): Value {
  const { shape } = value;
  if (length === shape[0]) return value;
  const id = n.plain(value);
  const begin = n.b.integers(shape.map(() => 0));
  const [y] = n.add("slice", [id, begin, n.b.integers([length, ...shape.slice(1)])], {}, [typeOf(n, id)]);
  return asValue(n.b, "", y as TensorId);
}

/** The same filled up with zeros to a length. */
function filled(n: OnnxNode, id: TensorId, length: number): TensorId {
  const { shape } = n.b.tensor(id);
  const [own] = shape as readonly [number];
  if (own === length) return id;
  const sides = shape.flatMap((_, d) => [0, d === 0 ? length - own : 0]);
  return n.add("pad", [id, n.b.integers(sides, [shape.length, 2])], {}, [typeOf(n, id)])[0] as TensorId;
}

function batched(n: OnnxNode): void {
  const given = n.inputs.slice(1).map((_, i) => n.input(i + 1));
  const states = given.length - n.int("num_scan_inputs", 0);
  const [batch = 0, most = 0] = (given[states] as Value).shape;
  const lengths = n.numbers(0) ?? new Array<number>(batch).fill(most);
  const fit = lengths.length === batch && lengths.every((length) => length > 0 && length <= most);
  if (!fit || batch < 1) n.refuse(`a length from 1 to ${most} for each batch`, `${lengths}`);
  const results = lengths.map((length, at) => {
    const found: TensorId[] = [];
    const inputs = given.map((value, i) => {
      const own = sliced(n, value, 0, at);
      return i < states ? own : cut(n, own, length);
    });
    scan({
      ...n,
      inputs,
      input: (i) => inputs[i] ?? n.input(i + 1),
      ints: (name) => n.ints(name === "scan_input_directions" ? "directions" : name),
      set: (i, value) => {
        found[i] = n.plain({ ...value, name: "", dtype: "float32" });
      },
      setPlain: (i, id) => {
        found[i] = id;
      },
    });
    return found.map((id, i) => (i < states ? id : filled(n, id, most)));
  });
  for (const i of n.outputs.keys()) {
    const parts = results.map((found) => asValue(n.b, "", found[i] as TensorId));
    if (n.outputs[i]) n.setPlain(i, joined(n, parts));
  }
}

export const SCANS: Conversions = { Scan: (n) => (n.opset < 9 ? batched(n) : scan(n)) };
