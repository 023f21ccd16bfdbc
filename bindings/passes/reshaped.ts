/** Shapes of inputs in place of the file's: what is refused for their sake speaks of them first. */
import { type ErrorDetail, Pint8Error } from "../errors.ts";
import type { Graph } from "../graph.ts";
import type { Operators } from "../ops/types.ts";
import { listText, type Tensor } from "../tensor.ts";
import { inferTypes } from "./infer.ts";

/** `inferTypes`. Errors also: INVALID_OPTION where the network takes the shapes that its file has, and not those that were asked for. */
export function inferReshaped(graph: Graph, operators: Operators): Graph {
  const { reshaped = [] } = graph;
  if (reshaped.length === 0) return inferTypes(graph, operators);
  try {
    return inferTypes(graph, operators);
  } catch (cause) {
    if (!(cause instanceof Pint8Error) || cause.code === "OUT_OF_MEMORY" || !isGood(asInFile(graph), operators))
      throw cause;
    throw new Pint8Error("INVALID_OPTION", detailOf(graph, cause), { cause });
  }
}

function asInFile(graph: Graph): Graph {
  const tensors = [...graph.tensors];
  for (const { tensor, from } of graph.reshaped ?? [])
    tensors[tensor] = { ...(tensors[tensor] as Tensor), shape: from };
  return { ...graph, tensors };
}

function isGood(graph: Graph, operators: Operators): boolean {
  try {
    inferTypes(graph, operators);
    return true;
  } catch {
    return false;
  }
}

function detailOf({ tensors, reshaped = [] }: Graph, { message }: Pint8Error): ErrorDetail {
  const changes = reshaped.map(({ name, tensor, from }) => ({ name, from, to: tensors[tensor]?.shape ?? [] }));
  const all = (texts: readonly string[]) => texts.join(", ");
  return {
    where: `shape of ${all(changes.map(({ name }) => `"${name}"`))}`,
    expected: `${all(changes.map(({ from }) => listText(from)))} as in the file, or what its layers take`,
    received: `${all(changes.map(({ to }) => listText(to)))}: ${message}`,
    hint: hintOf(changes),
  };
}

function hintOf(changes: readonly { readonly from: readonly number[]; readonly to: readonly number[] }[]): string {
  const [size = 0] = changes[0]?.to ?? [];
  const isBatch =
    size > 0 &&
    changes.every(
      ({ from, to }) => from[0] === 1 && to[0] === size && listText(from.slice(1)) === listText(to.slice(1)),
    );
  if (isBatch)
    return `For ${size} samples at once use the option batch: ${size} (on the command line --batch ${size}).`;
  return "Sizes inside of the network do not fit it: bring what goes in to the file's shape.";
}
