/** Channels before the places, as PyTorch has them, or behind, as TensorFlow: the same numbers in another order. */
import { elementCount } from "../../tensor.ts";

type Shape = readonly number[];

/** Without the sample's dimension. */
const ofSample = (shape: Shape) => (shape.length > 1 ? shape.slice(1) : shape);

/**
 * What puts the numbers of samples, one after the other, of one shape in the order of another whose channels stand at the other end, `[1,height,width,channels]` in `[1,channels,height,width]` or the
 * reverse, sequences too; undefined where the order is the same or nothing is known of it.
 */
export function moved(from: Shape, to: Shape): ((values: Float32Array) => Float32Array) | undefined {
  const [own, other] = [ofSample(from), ofSample(to)];
  const isSame = (a: Shape, b: Shape) => a.length > 1 && a.join() === b.join();
  if (isSame(own, other)) return undefined;
  const toFront = isSame([own.at(-1) ?? 0, ...own.slice(0, -1)], other);
  if (!toFront && !isSame([...own.slice(1), own[0] ?? 0], other)) return undefined;
  const size = elementCount(own);
  const channels = (toFront ? own.at(-1) : own[0]) as number;
  if (channels === 1) return undefined;
  const rows = toFront ? channels : size / channels;
  const columns = size / rows;
  return (values) =>
    values.map((_, at) => {
      const i = at % size;
      return values[at - i + (i % columns) * rows + Math.floor(i / columns)] as number;
    });
}
