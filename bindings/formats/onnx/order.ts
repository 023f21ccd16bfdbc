/** An order in which nodes can run: the file's own, which the standard asks for, or one that is made of it. */
import type { NodeProto } from "./messages.ts";

/** Nodes with their places in the file. */
export type Placed = readonly [index: number, node: NodeProto];

/** Tells what a node reads, graphs inside of it included. */
function eachRead({ inputs, attributes }: NodeProto, see: (name: string) => void): void {
  inputs.forEach(see);
  attributes.forEach(({ graph }) => {
    for (const inner of graph?.nodes ?? []) eachRead(inner, see);
    for (const { name } of graph?.outputs ?? []) see(name);
  });
}

/** The nodes, each after those that write what it reads; what goes in circles stays where it is. */
export function inOrder(nodes: readonly NodeProto[]): readonly Placed[] {
  const writers = new Map<string, number>();
  for (const [index, node] of nodes.entries())
    for (const name of node.outputs) if (name !== "") writers.set(name, index);
  let isInOrder = true;
  nodes.forEach((node, index) => {
    eachRead(node, (name) => {
      if ((writers.get(name) ?? 0) > index) isInOrder = false;
    });
  });
  if (isInOrder) return nodes.map((node, index) => [index, node]);
  const waits = nodes.map((node, index) => {
    const found = new Set<number>();
    eachRead(node, (name) => {
      const writer = writers.get(name);
      if (writer !== undefined && writer !== index) found.add(writer);
    });
    return [...found];
  });
  const order: Placed[] = [];
  const seen = new Uint8Array(nodes.length);
  for (const first of nodes.keys()) {
    const stack = [first];
    while (stack.length > 0) {
      const index = stack[stack.length - 1] as number;
      const next = seen[index] === 0 ? (waits[index] as number[]).filter((writer) => seen[writer] === 0) : [];
      if (seen[index] === 0) seen[index] = 1;
      else {
        stack.pop();
        if (seen[index] === 1) order.push([index, nodes[index] as NodeProto]);
        seen[index] = 2;
      }
      stack.push(...next);
    }
  }
  return order;
}
