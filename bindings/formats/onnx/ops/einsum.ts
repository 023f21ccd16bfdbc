/** Einsum: operands are joined from the left, each pair by one product of matrices. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { product } from "./matmul.ts";
import { longs, reshapedTo, typeOf } from "./move.ts";

/** A tensor and a letter for each of its dimensions. */
interface Term {
  readonly id: TensorId;
  readonly labels: readonly string[];
}

/** Letters of a term; an ellipsis stands for dimensions of its own, named from the last. */
function labelsOf(n: OnnxNode, text: string, rank: number): readonly string[] {
  const [before = "", after] = text.split("...");
  const letters = (part: string) => [...part];
  if (after === undefined) return letters(before);
  const count = rank - before.length - after.length;
  if (count < 0) n.refuse(`letters for ${rank} dimensions`, text);
  return [...letters(before), ...Array.from({ length: count }, (_, i) => `.${count - i}`), ...letters(after)];
}

/** The diagonal of dimensions of one letter, which become one. */
function diagonal(n: OnnxNode, term: Term): Term {
  const twice = term.labels.find((label, i) => term.labels.indexOf(label) !== i);
  if (twice === undefined) return term;
  const { shape } = n.b.tensor(term.id);
  const [a, b] = [term.labels.indexOf(twice), term.labels.lastIndexOf(twice)];
  const size = shape[a] as number;
  const rest = shape.map((_, d) => d).filter((d) => d !== a && d !== b);
  const moved = permuted(n.b, n.where, term.id, shape, [a, b, ...rest]);
  const pairs = longs(
    n,
    Array.from({ length: 2 * size }, (_, i) => i >> 1),
    [size, 2],
  );
  const [id] = n.add("gatherNd", [moved, pairs], {}, [typeOf(n, moved)]);
  return diagonal(n, { id: id as TensorId, labels: [twice, ...rest.map((d) => term.labels[d] as string)] });
}

/** Dimensions that nobody else has any use for, summed. */
function summed(n: OnnxNode, term: Term, kept: ReadonlySet<string>): Term {
  const axes = term.labels.flatMap((label, d) => (kept.has(label) ? [] : [d]));
  if (axes.length === 0) return term;
  const attributes = { keepDims: false };
  const [id] = n.add("sum", [term.id, n.b.integers(axes)], attributes, [typeOf(n, term.id)]);
  return { id: id as TensorId, labels: term.labels.filter((label) => kept.has(label)) };
}

const sizesOf = (n: OnnxNode, { id, labels }: Term): ReadonlyMap<string, number> =>
  new Map(labels.map((label, d) => [label, n.b.tensor(id).shape[d] as number]));

/** Two terms as one: letters of both that stay are batches, those that go are the depth of the product. */
function joined(n: OnnxNode, a: Term, b: Term, kept: ReadonlySet<string>): Term {
  const both = a.labels.filter((label) => b.labels.includes(label));
  const batch = both.filter((label) => kept.has(label));
  const depth = both.filter((label) => !kept.has(label));
  const rows = a.labels.filter((label) => !both.includes(label));
  const columns = b.labels.filter((label) => !both.includes(label));
  const [own, other] = [sizesOf(n, a), sizesOf(n, b)];
  const size = (labels: readonly string[]) =>
    labels.map((label) => Math.max(own.get(label) ?? 1, other.get(label) ?? 1));
  const matrix = (term: Term, groups: readonly (readonly string[])[]) => {
    const { shape } = n.b.tensor(term.id);
    const order = groups.flat().map((label) => term.labels.indexOf(label));
    const moved = permuted(n.b, n.where, term.id, shape, order);
    const sizes = sizesOf(n, term);
    const flat = groups.map((group) => elementCount(group.map((label) => sizes.get(label) as number)));
    const wanted = groups.flat().map((label) => Math.max(own.get(label) ?? 1, other.get(label) ?? 1));
    if (`${wanted}` !== `${order.map((d) => shape[d])}`)
      n.refuse("dimensions of one letter of one size", listText(shape));
    return reshapedTo(n, moved, flat);
  };
  const left = matrix(a, [batch, rows, depth]);
  const right = matrix(b, [batch, depth, columns]);
  const y = product(n, left, n.b.tensor(left).shape, right, n.b.tensor(right).shape);
  const labels = [...batch, ...rows, ...columns];
  return { id: reshapedTo(n, y, size(labels)), labels };
}

function einsum(n: OnnxNode): void {
  const equation = n.string("equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const texts = left.split(",");
  if (texts.length !== n.inputs.length || /[^A-Za-z.,]/.test(left))
    n.refuse(`terms for ${n.inputs.length} inputs`, equation);
  const terms = texts.map((text, i) => {
    const { shape } = n.input(i);
    const labels = labelsOf(n, text, shape.length);
    if (labels.length !== shape.length) n.refuse(`letters for ${listText(shape)}`, text);
    return diagonal(n, { id: n.plain(n.input(i)), labels });
  });
  const all = texts.flatMap((text, i) => labelsOf(n, text, n.input(i).shape.length));
  const dots = [...new Set(all.filter((label) => label.startsWith(".")))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  const once = [...new Set(all)]
    .filter((label) => !label.startsWith(".") && all.indexOf(label) === all.lastIndexOf(label))
    .sort();
  const output =
    right === undefined
      ? [...dots, ...once]
      : labelsOf(n, right, right.replace("...", "").length + (right.includes("...") ? dots.length : 0));
  const result = terms.reduce((total, term, i) => {
    const later = terms.slice(i + 1).flatMap(({ labels }) => labels);
    const stays = new Set([...output, ...later]);
    const [a, b] = [
      summed(n, total, new Set([...stays, ...term.labels])),
      summed(n, term, new Set([...stays, ...total.labels])),
    ];
    return i === 0 ? total : joined(n, a, b, stays);
  });
  const last = summed(n, result, new Set(output));
  const { shape } = n.b.tensor(last.id);
  n.setPlain(
    0,
    permuted(
      n.b,
      n.where,
      last.id,
      shape,
      output.map((label) => last.labels.indexOf(label)),
    ),
  );
}

export const EINSUM: Conversions = { Einsum: einsum };
