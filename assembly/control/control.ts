/**
 * Control flow: steps that walk lists of steps. One thread does a list whole, with the scratch that is in its parameter
 * blocks; no list is walked by two threads, because only part 0 does anything. @full
 */
import { step } from "../generated/step";

/** Two lists of steps, and the address of a byte that is not 0 where the condition holds. */
@unmanaged
export class Control {
  condition: u32;
  steps0: u32;
  count0: u32;
  steps1: u32;
  count1: u32;
  /** Loops in no other loop: what the turns of it and of all loops in it may cost together; 0 in those. */
  fresh: u32;
  /** Where they count what is left of that. */
  left: u32;
  /** What one turn costs. */
  cost: u32;
}

function walk(steps: usize, count: u32): void {
  for (const end = steps + (<usize>count << 3); steps < end; steps += 8) {
    step(load<u32>(steps), load<u32>(steps, 4), 0, 1);
  }
}

/** List 0 where the condition holds, else list 1. */
export function branch(p: Control, part: u32, _parts: u32): void {
  if (part) return;
  if (load<u8>(p.condition)) walk(p.steps0, p.count0);
  else walk(p.steps1, p.count1);
}

/** List 0, which computes the condition, then list 1, until the condition does not hold. */
export function loop(p: Control, part: u32, _parts: u32): void {
  if (part) return;
  const left = <usize>p.left;
  if (p.fresh) store<u32>(left, p.fresh);
  for (;;) {
    walk(p.steps0, p.count0);
    if (!load<u8>(p.condition)) return;
    const rest = load<u32>(left);
    if (rest < p.cost) unreachable();
    store<u32>(left, rest - p.cost);
    walk(p.steps1, p.count1);
  }
}
