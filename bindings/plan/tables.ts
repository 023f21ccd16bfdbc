/** Where parameter blocks and step lists go: those of the graphs that steps run first, the plan's own last. */
import type { KernelCall } from "../primitives/registry.ts";
import { fieldsOf } from "./blocks.ts";
import type { Call } from "./lower.ts";
import { align, STEP_BYTES } from "./types.ts";

/** A list of steps with its places: a block for each step, then the list itself. */
interface Table {
  readonly calls: readonly Call[];
  readonly params: readonly number[];
  readonly stepsAddress: number;
}

interface Tables {
  /** In the order of memory. */
  readonly lists: readonly Table[];
  readonly end: number;
  /** The call with the addresses of the lists that it walks. */
  patched(call: Call): KernelCall;
}

export function tablesOf(calls: readonly Call[], start: number): Tables {
  const lists: Table[] = [];
  const places = new Map<readonly Call[], Table>();
  let end = start;
  const place = (list: readonly Call[]) => {
    for (const { lists: inside = [] } of list) for (const each of inside) place(each);
    const params = list.map(({ call }) => {
      const address = end;
      end += align(fieldsOf(call).length * 4);
      return address;
    });
    const table = { calls: list, params, stepsAddress: end };
    end += align(list.length * STEP_BYTES);
    lists.push(table);
    places.set(list, table);
  };
  place(calls);
  const patched = ({ call, lists: inside = [] }: Call): KernelCall => {
    if (inside.length === 0) return call;
    const fields = inside.flatMap((list, i) => [
      [`steps${i}`, (places.get(list) as Table).stepsAddress] as const,
      [`count${i}`, list.length] as const,
    ]);
    return { ...call, params: { ...call.params, ...Object.fromEntries(fields) } } as KernelCall;
  };
  return { lists, end, patched };
}
