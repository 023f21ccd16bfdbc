/** Fresh networks for numbers as they come: columns of tables whose sizes differ, and values in units of their own, as prices are. */
import { type AnyNode, type Graph, type OpKind, type TensorId, tensorOf } from "../../../graph.ts";
import { elementCount, type Tensor } from "../../../tensor.ts";
import { spread } from "../../data/some.ts";
import type { Dataset } from "../../data/types.ts";
import { tapGraph } from "../../tap.ts";

/** Examples that are looked at. */
const EXAMPLES = 512;
/** How many times as large as the least change of a channel another may be; from which size on, or below one by which, values are another unit's. */
const ALIKE = 16;
const UNIT = 8;

interface Sizes {
  readonly means: Float32Array;
  /** Deviations; 1 of what never changes. */
  readonly sizes: Float32Array;
}

/**
 * The student with channels of its input less their means and by their deviations, where they are not of one size, and with values by the deviations of the teacher's and
 * more by their means, where those are of another size than fresh networks give: weights would need more steps to reach them than they get.
 */
export async function sized(student: Graph, teacher: Graph, data: Dataset, gives: "values" | "others"): Promise<Graph> {
  const [input, output] = [student.inputs[0]?.tensor, student.outputs[0]?.tensor] as [TensorId, TensorId];
  const ofInputs = createSizes(tensorOf(student, input).shape.at(-1) ?? 1);
  const tap = await tapGraph(teacher, [teacher.outputs[0]?.tensor as TensorId], { batch: 1 });
  const ofValues = createSizes(gives === "values" ? (tensorOf(student, output).shape.at(-1) ?? 1) : 0);
  try {
    let count = 0;
    for await (const { inputs } of data.some?.(spread(data, EXAMPLES)) ?? data) {
      if (inputs[0]?.length !== elementCount(tap.inputs[0]?.shape ?? [])) break;
      ofInputs.add(inputs[0] as Float32Array);
      if (gives === "values") ofValues.add(tap.run(inputs)[0] as Float32Array);
      if (++count >= EXAMPLES) break;
    }
  } finally {
    tap.close();
  }
  const tensors: Tensor[] = [...student.tensors];
  const put = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const step = (kind: OpKind, x: TensorId, floats: Float32Array, like: TensorId): AnyNode => {
    const name = `${kind}${tensors.length}`;
    const data = new Uint8Array(floats.slice().buffer);
    const constant = put({ name: `${name}/constant`, dtype: "float32", shape: [floats.length], data });
    const y = put({ ...tensorOf(student, like), name });
    const rest = { where: name, inputs: [x, constant], outputs: [y], attributes: { activation: "none" } };
    return { kind, ...rest } as unknown as AnyNode;
  };
  let nodes: readonly AnyNode[] = student.nodes;
  let last = output;
  const { means, sizes } = ofInputs.found();
  const rms = means.map((mean, i) => Math.hypot(mean, sizes[i] as number));
  if (Math.max(...rms) > ALIKE * Math.min(...sizes)) {
    const less = step("sub", input, means, input);
    const by = step(
      "mul",
      less.outputs[0] as TensorId,
      sizes.map((size) => 1 / size),
      input,
    );
    const even = by.outputs[0] as TensorId;
    const moved = nodes.map(
      (node) => ({ ...node, inputs: node.inputs.map((id) => (id === input ? even : id)) }) as AnyNode,
    );
    nodes = [less, by, ...moved];
  }
  const values = ofValues.found();
  const isOther = (size: number, i: number) =>
    Math.max(size, Math.abs(values.means[i] as number)) > UNIT || size < 1 / UNIT;
  if (values.sizes.some(isOther)) {
    const by = step("mul", output, values.sizes, output);
    const more = step("add", by.outputs[0] as TensorId, values.means, output);
    last = more.outputs[0] as TensorId;
    nodes = [...nodes, by, more];
  }
  return { ...student, tensors, nodes, outputs: student.outputs.map((port) => ({ ...port, tensor: last })) };
}

/** Sums of channels that stand side by side in rows. */
function createSizes(channels: number) {
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  let rows = 0;
  return {
    add(values: Float32Array): void {
      for (const [i, value] of values.entries()) {
        const c = i % channels;
        sums[c] = (sums[c] as number) + value;
        squares[c] = (squares[c] as number) + value * value;
      }
      rows += values.length / channels;
    },
    found(): Sizes {
      const means = Float32Array.from(sums, (sum) => sum / Math.max(rows, 1));
      const sizes = Float32Array.from(squares, (square, c) => {
        const mean = (sums[c] as number) / Math.max(rows, 1);
        const variance = square / Math.max(rows, 1) - mean * mean;
        return variance > 1e-9 * mean * mean && variance > 0 ? Math.sqrt(variance) : 1;
      });
      return { means, sizes };
    },
  };
}
