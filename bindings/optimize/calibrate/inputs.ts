/** An example as a graph takes it. */
import { ensure } from "../../errors.ts";
import { elementCount, listText, type TypedArray } from "../../tensor.ts";
import type { TensorInfo } from "../../values/types.ts";
import type { Sample } from "../data/types.ts";
import { inputArray } from "../tap.ts";

/** The example's inputs: reals where the port takes them, otherwise integers of its type. */
export function inputsOf(ports: readonly TensorInfo[], { inputs }: Sample, name: string): readonly TypedArray[] {
  ensure(inputs.length === ports.length, "INVALID_INPUT", () => ({
    where: name,
    expected: `${ports.length} inputs`,
    received: `${inputs.length}`,
  }));
  return ports.map((port, i) => {
    const values = inputs[i] as Float32Array;
    const count = elementCount(port.shape);
    ensure(values.length === count, "INVALID_INPUT", () => ({
      where: `${name}, input "${port.name}"`,
      expected: `${count} numbers ${listText(port.shape)}`,
      received: `${values.length}`,
      hint: "The data does not have the size that the model takes.",
    }));
    return inputArray(port, values);
  });
}
