/** SVDF: float32 with float32 or int8 features, and int8 with int8 or int16 state. */
import { type Multiplier, quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { type DType, elementCount, scaleOf, type Tensor, typeText, zeroOf } from "../../tensor.ts";
import { constrain, inputOf, requireAffine, requireRatio } from "../constraints.ts";
import type { Lowering, NodeView, Operator, Placed } from "../types.ts";
import { requireActivation } from "./directions.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x `[batch, inputs]`, features `[filters, inputs]`, time weights `[filters, memory]`, bias or none, state. */
    readonly svdf: { readonly rank: number; readonly activation: number; readonly asymmetric: boolean };
  }
}

interface Sizes {
  readonly batch: number;
  readonly inputs: number;
  readonly filters: number;
  readonly memory: number;
  readonly units: number;
}

/**
 * C1: x, features, time weights and state are there, and one output. C2: types that belong together. C3: the rank divides the
 * number of filters. C4: sizes. C5: the state is a variable.
 */
function check(node: NodeView<"svdf">): Sizes {
  const [x, features, time, bias, state] = node.inputs;
  constrain(
    node,
    "C1",
    [x, features, time, state].every((tensor) => tensor !== undefined) && node.outputs.length === 1,
    () => ({ expected: "x, features, time weights, a state and 1 output", received: "fewer" }),
  );
  const types = [x, features, time, bias, state].map((tensor) => tensor?.dtype);
  const float = x?.dtype === "float32";
  const wide: DType = state?.dtype === "int8" ? "int8" : "int16";
  const weights: DType = features?.dtype === "int8" ? "int8" : "float32";
  const expected: readonly (DType | undefined)[] = float
    ? [
        "float32",
        weights,
        time?.dtype === "int8" && time.data !== undefined ? "int8" : "float32",
        bias && "float32",
        "float32",
      ]
    : ["int8", "int8", wide, bias && "int32", wide];
  constrain(
    node,
    "C2",
    `${types}` === `${expected}`,
    () => ({ expected: `types ${expected.join(", ")}`, received: types.join(", ") }),
    "UNSUPPORTED",
  );
  const [batch = 0, inputs = 0] = x?.shape ?? [];
  const [filters = 0, width = 0] = features?.shape ?? [];
  const [rows = 0, memory = 0] = time?.shape ?? [];
  const { rank } = node.attributes;
  constrain(node, "C3", rank > 0 && filters > 0 && filters % rank === 0, () => ({
    expected: "a rank that divides the number of filters",
    received: `rank ${rank}, ${filters} filters`,
  }));
  const units = filters / rank;
  const fits =
    x?.shape.length === 2 &&
    batch > 0 &&
    inputs > 0 &&
    memory > 0 &&
    width === inputs &&
    rows === filters &&
    elementCount(state?.shape ?? []) === batch * filters * memory &&
    (bias === undefined || elementCount(bias.shape) === units);
  constrain(node, "C4", fits, () => ({
    expected: `features [filters, ${inputs}], time weights [${filters}, memory], a state of batch · filters · memory`,
    received: [x, features, time, bias, state].map(typeText).join(", "),
  }));
  constrain(node, "C5", state?.variable === true, () => ({
    expected: `"${state?.name}" as a variable`,
    received: "another tensor",
  }));
  return { batch, inputs, filters, memory, units };
}

/** The two factors of int8: of the features, and of what is summed over time. */
function factors(node: NodeView<"svdf">): readonly [Multiplier, Multiplier] {
  const [x, features, time, , state] = node.inputs;
  const factor = (ratio: number) => quantizeMultiplier(requireRatio(node, "C7", ratio));
  return [
    factor((scaleOf(x) * scaleOf(features)) / scaleOf(state)),
    factor((scaleOf(state) * scaleOf(time)) / scaleOf(node.outputs[0])),
  ];
}

/** In place of factors that float kernels do not read. */
const UNUSED: Multiplier = { multiplier: 0, shift: 0 };

/** The address of weights as float32; int8 ones are constants. */
function floatAddress(to: Lowering, tensor: Placed): number {
  if (tensor.dtype !== "int8") return tensor.address;
  const values = Float32Array.from(new Int8Array(tensor.data as Uint8Array), (value) => value * scaleOf(tensor));
  return to.place(new Uint8Array(values.buffer));
}

/** C1–C5: see `check`. C6: an activation that is known. C7: scales whose ratios the multiplier holds. Source: TFLM's svdf. */
export const svdf: Operator<"svdf"> = {
  infer(node) {
    const { batch, units } = check(node);
    requireActivation(node, node.attributes.activation);
    const { dtype } = inputOf(node, 0);
    if (dtype === "int8") {
      for (const tensor of [...node.inputs.filter((_, i) => i !== 3), node.outputs[0]])
        requireAffine(node, "C7", tensor as Tensor);
      factors(node);
    }
    return [{ dtype, shape: [batch, units] }];
  },
  macs(node) {
    const { batch, inputs, filters, memory } = check(node);
    return batch * filters * (inputs + memory);
  },
  lower(node, to) {
    const { batch, inputs, filters, memory, units } = check(node);
    const [x, features, time, , state] = to.inputs as readonly [Placed, Placed, Placed, Placed | undefined, Placed];
    const int8 = x.dtype === "int8";
    const [first, second] = int8 ? factors(node) : [UNUSED, UNUSED];
    to.call({
      kernel: !int8 ? "svdfF32" : state.dtype === "int8" ? "svdfS8" : "svdfS16",
      params: {
        x: x.address,
        y: to.output(0),
        state: state.address,
        features: features.address,
        time: int8 ? time.address : floatAddress(to, time),
        bias: to.input(3),
        ...to.scratch(int8 ? 0 : 32 + inputs + filters * 4),
        batch,
        inputs,
        units,
        rank: node.attributes.rank,
        memory,
        activation: node.attributes.activation,
        quantized: !int8 && features.dtype === "int8" ? 1 : 0,
        asymmetric: node.attributes.asymmetric ? 1 : 0,
        featureScale: scaleOf(features),
        xZeroPoint: zeroOf(x),
        yZeroPoint: zeroOf(to.outputs[0]),
        multiplier1: first.multiplier,
        shift1: first.shift,
        multiplier2: second.multiplier,
        shift2: second.shift,
      },
    });
  },
};
