/**
 * True for what ONNX exporters write: a protobuf message whose field 1 is a small ir_version, followed by another field of
 * ModelProto.
 */
export function isOnnx(bytes: Uint8Array): boolean {
  const [tag, version = 0, next = 0] = bytes;
  return tag === 0x08 && version >= 1 && version < 0x80 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next);
}
