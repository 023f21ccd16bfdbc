/** How runs choose between sharing and working alone, on machines that are told: quiet, busy, or one that wakes threads late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPace } from "../../bindings/session/pace.ts";

/** Milliseconds of a run at a time, when so many milliseconds of runs in a row before it were shared. */
type Machine = (now: number, shares: boolean, sharedFor: number) => number;

/** Plays so many milliseconds of runs; how much faster they were than alone, and the part of them that were shared. */
function play(machine: Machine, milliseconds: number) {
  const pace = createPace();
  let [now, alone, runs, shared, sharedFor] = [0, 0, 0, 0, 0];
  while (now < milliseconds) {
    const shares = pace.shares();
    const took = machine(now, shares, sharedFor);
    pace.took(took);
    sharedFor = shares ? sharedFor + took : 0;
    now += took;
    alone += machine(now, false, 0);
    runs++;
    if (shares) shared++;
  }
  return { gain: alone / now, part: shared / runs };
}

for (const run of [0.1, 0.35, 13, 200]) {
  test(`quiet, ${run} ms: nearly every run is shared`, () => {
    const { gain, part } = play((_, shares) => (shares ? run / 1.8 : run), 4000 + 60 * run);
    assert.ok(part > 0.9, `${part} shared`);
    assert.ok(gain > 1.7, `${gain} times`);
  });
  test(`busy, ${run} ms: sharing takes three times as long, and is tried seldom`, () => {
    const { gain } = play((_, shares) => (shares ? 3 * run : run), 4000 + 200 * run);
    assert.ok(gain > 0.9, `${gain} times`);
  });
}

test("threads that wake late are waited for before they are judged", () => {
  const { gain } = play((_, shares, sharedFor) => (shares && sharedFor > 4 ? 0.2 : 0.35), 4000);
  assert.ok(gain > 1.6, `${gain} times`);
});

/** A core of a machine that others are guests of too: for a while at full speed, for a while at half of it, by a seeded generator. */
function unsteadyCore(seed: number, stay: number): (now: number) => number {
  let [state, until, isFast] = [seed, 0, true];
  return (now) => {
    while (now >= until) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      until += stay * (0.2 + (1.6 * state) / 2 ** 32);
      isFast = !isFast;
    }
    return isFast ? 1 : 0.5;
  };
}

for (const stay of [3, 30, 100, 400])
  test(`cores that are slowed down for some ${stay} ms at a time: runs go on being shared`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [own, other] = [unsteadyCore(seed, stay), unsteadyCore(seed + 100, stay)];
      const { part } = play((now, shares) => 0.3 / (own(now) + (shares ? 0.7 * other(now) : 0)), 6000);
      assert.ok(part > 0.9, `${part} shared, seed ${seed}`);
    }
  });

test("a machine that becomes quiet is noticed within half a second, one that becomes busy within two", () => {
  const quietAfter = (from: number, now: number) => now >= from;
  const quiet = play((now, shares) => (shares ? (quietAfter(3000, now) ? 0.2 : 0.8) : 0.35), 6000);
  assert.ok(quiet.gain > 1.2, `${quiet.gain} times`);
  const busy = play((now, shares) => (shares ? (quietAfter(3000, now) ? 0.8 : 0.2) : 0.35), 12_000);
  assert.ok(busy.gain > 0.9, `${busy.gain} times`);
});
