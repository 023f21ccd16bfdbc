/** What repeats its elements. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { COMPUTED } from "../../text.ts";
import { type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { mostOf, writerOf } from "./bounds.ts";
import { cast, reshapedTo, typeOf } from "./move.ts";
import { give } from "./openSizes.ts";

/** To computed sizes: x has them itself, or one, the first, is as many as something has, which may be bounded. */
function expandComputed(n: OnnxNode, sizes: TensorId): void {
  const { shape } = n.input(0);
  const writer = writerOf(n.b, sizes);
  const parts = writer?.kind === "concat" ? writer.inputs : [sizes];
  const list = parts.flatMap((part): { readonly known?: number; readonly part: TensorId }[] => {
    const tensor = n.b.settled(part);
    if (tensor.data !== undefined) return numbersOf(tensor).map((known) => ({ known, part }));
    return elementCount(tensor.shape) === 1
      ? [{ part }]
      : n.refuse("sizes of which one is computed", "others", COMPUTED);
  });
  const own = list.map((_, i) => shape.at(i - list.length) ?? 1);
  const open = list.flatMap(({ known }, i) => (known === undefined && own[i] === 1 ? [i] : []));
  const [at = -1] = open;
  const part = list[at]?.part;
  const most = part === undefined ? 0 : mostOf(n, part);
  const to = list.map(({ known }, i) =>
    i === at ? (most ?? 0) : (own[i] as number) > 1 ? (own[i] as number) : (known ?? 1),
  );
  const isFirst = open.length < 2 && elementCount(to.slice(0, Math.max(at, 0))) === 1;
  if (list.length < shape.length || most === undefined || !isFirst)
    n.refuse("sizes that are known, or one count of truths", "computed ones", COMPUTED);
  const id = n.plain(n.input(0));
  const [y] = n.add("broadcastTo", [id, n.b.integers(to)], {}, [typeOf(n, id)]) as [TensorId];
  if (part === undefined) return n.setPlain(0, y);
  give(n, 0, y, { count: cast(n, reshapedTo(n, part, []), "int32"), inner: elementCount(to.slice(at + 1)) });
}

/** Broadcasting in both directions. */
function expand(n: OnnxNode): void {
  const x = n.input(0);
  const sizes = n.plain(n.input(1));
  const isComputed = n.input(1).link?.is !== "sizes" && n.b.settled(sizes).data === undefined;
  if (isComputed) return expandComputed(n, sizes);
  const wanted = n.numbers(1) ?? [];
  const rank = Math.max(wanted.length, x.shape.length);
  const at = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => {
    const [a, b] = [at(x.shape, i), at(wanted, i)];
    return a === 1 ? b : b === 1 ? a : b;
  });
  const id = n.plain(x);
  const [y] = n.add("broadcastTo", [id, n.b.integers(shape)], {}, [typeOf(n, id)], n.outputs[0]);
  n.setPlain(0, y as TensorId);
}

function tile(n: OnnxNode): void {
  const id = n.plain(n.input(0));
  const repeats = n.b.integers(n.numbers(1) ?? []);
  n.setPlain(0, n.add("tile", [id, repeats], {}, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

export const SPREADS: Conversions = { Expand: expand, Tile: tile };
