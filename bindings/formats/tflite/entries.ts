/** How an operator of the file becomes a node: its kind, and where its attributes stand. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Attributes, Node, OpKind } from "../../graph.ts";
import { readInt8 } from "./flatbuffer.ts";
import { type OptionField, type OptionFields, type Options, readFields } from "./options.ts";

/** What every node has, besides its kind and attributes. */
type NodeParts = Pick<Node, "where" | "inputs" | "outputs">;

/**
 * One operator: the union type of its options (0: none are read; below 0: that of the second union, negated), its attributes
 * in them, and how a node is made.
 */
export interface Entry {
  readonly kind: OpKind;
  readonly optionsType: number;
  readonly fields: OptionFields;
  readonly node: (parts: NodeParts, options: Options) => AnyNode;
}

/** Fields for each attribute of a kind but those that stand elsewhere, or that no file has. */
type FieldsOf<K extends OpKind> = {
  readonly [A in Exclude<
    keyof Attributes[K],
    "rounding" | "intermediates" | "arithmetic" | "factor" | "factors" | "once" | "tables" | "inOrder" | "order"
  >]-?: OptionField | readonly OptionField[];
};

/** An operator of that kind; `check` refuses what its options cannot be. */
export function entry<K extends OpKind>(
  kind: K,
  optionsType: number,
  fields: FieldsOf<K>,
  check?: (options: Options) => void,
): Entry {
  const list: OptionFields = fields;
  const node = (parts: NodeParts, options: Options) => {
    check?.(options);
    // A Node<K> is a member of the union, which the compiler does not see for a generic K.
    return { kind, ...parts, attributes: readFields(list, options) } as unknown as AnyNode;
  };
  return { kind, optionsType, fields: list, node };
}

/** FULLY_CONNECTED's weights as all others have them. UNSUPPORTED. */
export function requireDefaultFormat({ table, where }: Options): void {
  const format = table ? readInt8(table, 1, 0) : 0;
  ensure(format === 0, "UNSUPPORTED", () => ({
    where,
    expected: "weights in the default format",
    received: `weights format ${format}${format === 1 ? " (SHUFFLED4x16INT8)" : ""}`,
  }));
}
