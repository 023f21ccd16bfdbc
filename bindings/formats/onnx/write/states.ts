/**
 * Variables: each is an input of the file that may be left out, with its start, and an output with the value after the run, to be given to the next one. An
 * .onnx file keeps nothing from run to run.
 */
import { ensure } from "../../../errors.ts";
import type { TensorId } from "../../../graph.ts";
import { byteLength, type DType, type Tensor } from "../../../tensor.ts";
import { shorten } from "../../text.ts";

/** What the states of a file are written into. */
interface Target {
  readonly where: string;
  readonly isInner: boolean;
  tensor(id: TensorId): Tensor;
  constant(wanted: string, dtype: DType, shape: readonly number[], data: ArrayBufferView): string;
  add(type: string, inputs: readonly string[], output: string): string;
  fresh(wanted: string): string;
}

interface State {
  readonly name: string;
  readonly id: TensorId;
  value: string;
  isSet: boolean;
}

/** The variables of a file, by their names. */
export class States {
  readonly #all = new Map<string, State>();
  readonly #starts = new Map<string, Uint8Array>();

  /** What a variable of that name starts with; zeros where nobody says. */
  start(resource: string, data: Uint8Array): void {
    this.#starts.set(resource, data);
  }

  /** The name of a variable's value now. */
  valueOf(tensor: Tensor, id: TensorId, to: Target): string {
    return this.#state(tensor, id, to).value;
  }

  /** Gives a variable its next value. */
  set(id: TensorId, value: string, to: Target): void {
    const state = this.#state(to.tensor(id), id, to);
    state.value = value;
    state.isSet = true;
  }

  #state(tensor: Tensor, id: TensorId, to: Target): State {
    const { resource, dtype, shape } = tensor;
    ensure(!to.isInner, "UNSUPPORTED", () => ({
      where: to.where,
      expected: "variables outside of loops and branches",
      received: `"${shorten(resource ?? tensor.name)}"`,
    }));
    const key = resource ?? `${id}`;
    const known = this.#all.get(key);
    if (known !== undefined) return known;
    const data = tensor.data ?? this.#starts.get(resource ?? "") ?? new Uint8Array(byteLength(tensor));
    const name = to.constant(resource ?? (tensor.name || "state"), dtype, shape, data);
    const state = { name, id, value: name, isSet: false };
    this.#all.set(key, state);
    return state;
  }

  /** All of them: names of inputs, and of outputs. */
  ports(to: Target): readonly { readonly name: string; readonly id: TensorId; readonly next: string | undefined }[] {
    return [...this.#all.values()].map(({ name, id, value, isSet }) => ({
      name,
      id,
      next: isSet ? to.add("Identity", [value], to.fresh(`${name}/next`)) : undefined,
    }));
  }
}
