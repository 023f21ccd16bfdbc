/** ONNX's protobuf messages as plain data: what the importer reads of onnx.proto, and nothing else. */

/** A tensor as a file stores it: its values in one of the fields, or in another file. */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly raw: Uint8Array | undefined;
  readonly floats: readonly number[];
  readonly doubles: readonly number[];
  readonly int32s: readonly number[] | Int32Array;
  readonly int64s: readonly bigint[];
  readonly strings: number;
  /** Key and value pairs: location, offset, length. Absent where the file holds the values. */
  readonly external: ReadonlyMap<string, string> | undefined;
  readonly isExternal: boolean;
}

/** One attribute; which field counts is a matter of the operator. */
export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  /** In functions: the attribute of the caller whose value it takes. */
  readonly reference: string;
  readonly float: number;
  readonly int: number;
  readonly string: string;
  readonly tensor: TensorProto | undefined;
  readonly graph: GraphProto | undefined;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
}

export interface NodeProto {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** A graph's input, output or intermediate value; a dimension is a size, a name, or unknown. */
export interface ValueProto {
  readonly name: string;
  /** 0 for what is no tensor. */
  readonly dataType: number;
  /** Absent where the file gives none. */
  readonly dims: readonly (number | string | undefined)[] | undefined;
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly sparseInitializers: number;
  readonly inputs: readonly ValueProto[];
  readonly outputs: readonly ValueProto[];
}

/** A function of the model: a body that calls are replaced by. */
export interface FunctionProto {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly defaults: readonly AttributeProto[];
  readonly nodes: readonly NodeProto[];
  readonly opsets: ReadonlyMap<string, number>;
}

export interface ModelProto {
  readonly irVersion: number;
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: GraphProto | undefined;
  readonly functions: readonly FunctionProto[];
}
