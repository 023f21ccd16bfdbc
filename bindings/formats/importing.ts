/** What importers are, and take. Declarations that users get lead here and no further. */
import type { Attributes, Graph } from "../graph.ts";
import type { TypedArray } from "../tensor.ts";

/** An operator of the user, as importers see it. */
interface CustomOperatorTypes {
  readonly infer: InferOf<Attributes>;
}
/** Declarations of entries that have no custom operators know no such attributes. */
type InferOf<All> = All extends { readonly custom: { readonly infer: infer Infer } } ? Infer : never;

/** What importers take besides the bytes. */
export interface ImportOptions {
  /** Batch size for models whose inputs have batch size 1 or leave it open; 1 where absent. */
  readonly batch?: number | undefined;
  /** Shapes of inputs by name, for models that leave dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** TensorFlow Lite: the signature whose subgraph is the graph; the first subgraph where absent. */
  readonly signature?: string | undefined;
  /** TensorFlow Lite: the user's own operators, by the names that the model has for them. */
  readonly customOperators?: Readonly<Record<string, CustomOperatorTypes>> | undefined;
  /** ONNX: values of inputs by name that are known when planned: these become constants, and are no inputs any more. */
  readonly constants?: Readonly<Record<string, TypedArray | readonly number[]>> | undefined;
  /** ONNX: files with tensors that the model keeps outside, by the names that it gives them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** What reads a model file, at once or later. */
export type Importer = (bytes: Uint8Array, options: ImportOptions) => Graph | Promise<Graph>;
