/** What `evaluate` gives as milliseconds: of the runs that come after those that the engine still compiles in. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Clock } from "../../bindings/optimize/evaluate/clock.ts";

/** The middle after `runs` runs, the first of which take 30 ms and all others `usual`; and how many there were in all. */
function middleAfter(runs: number, usual: number): readonly [middle: number, all: number] {
  let [now, all] = [0, 0];
  const told = mock.method(performance, "now", () => now);
  try {
    const clock = new Clock();
    const run = () => {
      now += all++ === 0 ? 30 : usual;
      return all;
    };
    for (let i = 1; i <= runs; i++) assert.equal(clock.timed(run), i);
    return [clock.middle(), all];
  } finally {
    told.mock.restore();
  }
}

test("one cold run is followed by others until there is 0.1 s of them", () => {
  assert.deepEqual(middleAfter(1, 0.5), [0.5, 1 + 70 / 0.5]);
});

test("runs that take long enough are not done again", () => {
  assert.deepEqual(middleAfter(3, 40), [40, 3]);
  assert.deepEqual(middleAfter(0, 1), [0, 0]);
});
