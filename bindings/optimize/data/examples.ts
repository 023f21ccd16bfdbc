/** Examples as a program gives them: each is looked at, and all can be gone through again. */
import { kindOf } from "../../errors.ts";
import { requireExamples } from "../../given.ts";
import { invalid } from "./bytes.ts";
import { withSome } from "./some.ts";
import type { Dataset, Sample } from "./types.ts";

/**
 * The examples, of which each has its list of inputs. Those of a generator, which gives them once, are kept for the next time.
 *
 * Errors: INVALID_INPUT for what cannot be gone through, and when its turn comes for what is no example.
 */
export function examplesOf(where: string, data: AsyncIterable<Sample>): Dataset {
  requireExamples(where, data);
  const { size, classes, preparation, some } = data as Dataset;
  async function* checked(source: AsyncIterable<Sample>): AsyncGenerator<Sample> {
    let i = 0;
    for await (const sample of source) {
      const { inputs, name = `sample ${i}` } = Object(sample) as Partial<Sample>;
      if (!Array.isArray(inputs) || inputs.some((values) => Object(values).length === undefined))
        throw invalid(
          `${where}, ${name}`,
          "an example { inputs, label? }, its inputs a list of arrays",
          kindOf(sample),
          "One array of numbers for each input of the model: { inputs: [values] }.",
        );
      i++;
      yield sample;
    }
  }
  const about = {
    ...(size !== undefined && { size }),
    ...(classes && { classes }),
    ...(preparation !== undefined && { preparation }),
  };
  if (some !== undefined) return withSome(about, (wanted) => checked(some(wanted)));
  const source = isOnce(data) ? kept(data) : data;
  return { ...about, [Symbol.asyncIterator]: () => checked(source) };
}

/** Whether it is its own iterator, as generators are. Others have not begun by being asked for one. */
const isOnce = (data: AsyncIterable<Sample>): data is AsyncGenerator<Sample> =>
  (data[Symbol.asyncIterator]() as unknown) === data;

/** What has been given so far, and what comes. */
function kept(data: AsyncIterator<Sample>): AsyncIterable<Sample> {
  const samples: Sample[] = [];
  return {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; ; i++) {
        if (i === samples.length) {
          const { value, done } = await data.next();
          if (done) return;
          samples.push(value);
        }
        yield samples[i] as Sample;
      }
    },
  };
}
