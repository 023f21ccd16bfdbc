/** Tensors of ONNX that are files of their own, as the ONNX project's tests keep them. */
import { PbfWriter } from "pbf";
import type { TensorProto } from "../../bindings/formats/onnx/messages.ts";
import { readModel } from "../../bindings/formats/onnx/proto.ts";

/** One of them, read as the only initializer of a model. */
export function readTensorProto(bytes: Uint8Array): TensorProto {
  const graph = new PbfWriter();
  graph.writeBytesField(5, bytes);
  const model = new PbfWriter();
  model.writeBytesField(7, graph.finish());
  return readModel(model.finish()).graph?.initializers[0] as TensorProto;
}
