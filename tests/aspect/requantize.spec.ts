import { RECORD, requantize } from "../../assembly/requantize/requantize.scalar";
import { exactLane } from "../../assembly/requantize/requantize.simd";

/** TFLite's MultiplyByQuantizedMultiplier as gemmlowp writes it, with results beyond ±1024 cut, as kernels clamp to int8. */
function reference(acc: i32, multiplier: i32, shift: i32): i32 {
  const product = <i64>(shift > 0 ? acc << shift : acc) * <i64>multiplier;
  const nudge: i64 = product >= 0 ? 1 << 30 : 1 - (1 << 30);
  const x = <i32>((product + nudge) / ((<i64>1) << 31));
  const exponent = shift < 0 ? -shift : 0;
  const mask = ((<i64>1) << exponent) - 1;
  const remainder = <i64>x & mask;
  const rounded = (<i64>x >> exponent) + (remainder > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
  return <i32>max<i64>(min<i64>(rounded, 1024), -1024);
}

let state: u32 = 987654321;
function draw(): i32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return <i32>state;
}

/** A multiplier in [2^30, 2^31). */
function drawMultiplier(): i32 {
  return (draw() & 0x3fffffff) | 0x40000000;
}

describe("exactLane", () => {
  it("equals gemmlowp for every shift to the right", () => {
    for (let shift = -31; shift <= 0; shift++) {
      let wrong = 0;
      for (let i = 0; i < 2000; i++) {
        const acc = draw() >> (draw() & 31);
        const multiplier = drawMultiplier();
        if (exactLane(acc, multiplier, shift, 5) != reference(acc, multiplier, shift) + 5) wrong++;
      }
      expect<i32>(wrong).toBe(0, "shift " + shift.toString());
    }
  });

  it("equals gemmlowp for shifts to the left that do not overflow", () => {
    for (let shift = 1; shift <= 15; shift++) {
      let wrong = 0;
      for (let i = 0; i < 2000; i++) {
        const acc = draw() >> 16;
        const multiplier = drawMultiplier();
        if (exactLane(acc, multiplier, shift, -7) != reference(acc, multiplier, shift) - 7) wrong++;
      }
      expect<i32>(wrong).toBe(0, "shift " + shift.toString());
    }
  });

  it("rounds ties away from zero", () => {
    expect<i32>(exactLane(5, 1 << 30, 0, 0)).toBe(3);
    expect<i32>(exactLane(-6, 1 << 30, -1, 0)).toBe(-2);
    expect<i32>(exactLane(6, 1 << 30, -1, 0)).toBe(2);
  });
});

describe("requantize in 64 bits", () => {
  it("adds bias and zero point and clamps", () => {
    const q = heap.alloc(RECORD);
    store<i32>(q, 1 << 30);
    store<i32>(q, (100 << 5) | 2, 4);
    expect<i32>(requantize(300, q, -128, 127, 3)).toBe(reference(400, 1 << 30, -2) + 3);
    expect<i32>(requantize(300, q, -128, 20, 3)).toBe(20);
    expect<i32>(requantize(-3000, q, -128, 127, 3)).toBe(-128);
    expect<i32>(requantize(-3000, q, 0, 127, 3)).toBe(0);
  });

  it("equals gemmlowp for every shift that a record holds, ties of negative values included", () => {
    const q = heap.alloc(RECORD);
    let wrong = 0;
    for (let i = 0; i < 100000; i++) {
      const shift = draw() & 31;
      if (shift == 31) continue;
      const multiplier = (i & 1) == 0 ? 1 << 30 : drawMultiplier();
      const bias = draw() >> 12;
      const acc = draw() >> (draw() & 15);
      store<i32>(q, multiplier);
      store<i32>(q, (bias << 5) | shift, 4);
      const expected = reference(acc + bias, multiplier, -shift);
      if (requantize(acc, q, -1024, 1024, 0) != expected) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });

  it("finds what does not fit the record behind it", () => {
    const q = heap.alloc(RECORD + 12);
    store<u32>(q, <u32>RECORD);
    store<u32>(q, 31, 4);
    let wrong = 0;
    for (let i = 0; i < 10000; i++) {
      const shift = (i & 1) == 0 ? 1 + (draw() & 3) : -31;
      const multiplier = drawMultiplier();
      const bias = draw() >> 4;
      const acc = draw() >> 4;
      store<i32>(q, multiplier, RECORD);
      store<i32>(q, shift, RECORD + 4);
      store<i32>(q, bias, RECORD + 8);
      const expected = reference(acc + bias, multiplier, shift);
      if (requantize(acc, q, -1024, 1024, 0) != expected) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });
});
