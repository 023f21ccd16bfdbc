/** What keeps something from run to run → operators whose states are inputs and outputs of the file. */
import { type AnyNode, bodiesOf, type OpKind, type TensorId } from "../../../graph.ts";
import { numbersOf } from "./recurrent.ts";
import { finish, input, output, reshaped, sliced, type Writer } from "./steps.ts";

/** TensorFlow Lite's number of an activation. */
const TANH = 4;

/** A product of the input, whose last results are weighted. */
const svdf: Writer<"svdf"> = (node, to) => {
  const { rank, activation } = node.attributes;
  const [x, features, time, bias, state] = node.inputs as readonly [TensorId, TensorId, TensorId, TensorId, TensorId];
  const [filters = 1, memory = 1] = to.tensor(time).shape;
  const [batch = 1] = to.tensor(x).shape;
  const shaped = (value: string, ...shape: number[]) => reshaped(to, value, shape);
  const last = shaped(to.real(state), batch, filters, memory);
  const news = to.step("Gemm", [to.real(x), to.real(features)], { transB: 1 });
  const all = to.step("Concat", [sliced(to, last, [1], [memory], [2]), shaped(news, batch, filters, 1)], { axis: 2 });
  to.states.set(state, to.held(state, reshaped(to, all, to.tensor(state).shape)), to);
  const weighted = to.step("Mul", [shaped(to.real(state), batch, filters, memory), to.real(time)]);
  const apart = shaped(weighted, batch, filters / rank, rank * memory);
  const sum = to.step("ReduceSum", [apart, to.integers("axis", [2])], { keepdims: 0 });
  const numbers = numbersOf(to, bias, filters / rank, state, time);
  const added = typeof numbers === "string" ? numbers : to.constant("bias", "float32", [numbers.length], numbers);
  const y = to.step("Add", [sum, added]);
  const names = ["none", "relu", "reluN1To1", "relu6"] as const;
  const name = names[activation];
  if (name === undefined && activation !== TANH) return false;
  return finish(node, to, name === undefined ? to.step("Tanh", [y]) : y, name);
};

const readVariable: Writer<"readVariable"> = (node, to) => {
  to.add("Identity", [to.name(input(node, 0))], to.name(output(node)));
  return true;
};

const assignVariable: Writer<"assignVariable"> = (node, to) => {
  to.states.set(input(node, 0), to.name(input(node, 1)), to);
  return true;
};

/** What variables start with: constants. */
const callOnce: Writer<"callOnce"> = (node, to) =>
  bodiesOf(node as AnyNode).every(({ nodes, tensors }) =>
    nodes.every(({ kind, inputs: [variable, value] }) => {
      const { resource } = tensors[variable as TensorId] ?? {};
      const { data } = tensors[value as TensorId] ?? {};
      if (kind !== "assignVariable" || resource === undefined || data === undefined) return false;
      to.states.start(resource, data);
      return true;
    }),
  );

/** Writers by kind. */
export const VARIABLES: { readonly [K in OpKind]?: Writer<K> } = { svdf, readVariable, assignVariable, callOnce };
