/** Some of the examples of a data set, without reading the others. */
import type { Dataset } from "./types.ts";

/** A data set that gives any of its examples without reading the others. */
export const withSome = (
  about: Omit<Dataset, typeof Symbol.asyncIterator>,
  some: NonNullable<Dataset["some"]>,
): Dataset => ({ ...about, some, [Symbol.asyncIterator]: () => some(() => true)[Symbol.asyncIterator]() });

/** Which places are those of so many examples, evenly spread over the data; the first ones where its size is not known. */
export const spread =
  ({ size }: Pick<Dataset, "size">, count: number): ((place: number) => boolean) =>
  (i) =>
    size === undefined || size <= count
      ? i < count
      : Math.floor(((i + 1) * count) / size) > Math.floor((i * count) / size);
