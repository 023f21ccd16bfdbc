import { clamp, highMul, reciprocalOfOnePlus, rescale, roundingShift } from "../../assembly/common/fixedpoint";

/** gemmlowp's SaturatingRoundingDoublingHighMul as it is written there: nudged by sign, divided towards zero. */
function highMulReference(a: i32, b: i32): i32 {
  const product = <i64>a * <i64>b;
  const nudge: i64 = product >= 0 ? 1 << 30 : 1 - (1 << 30);
  return <i32>((product + nudge) / ((<i64>1) << 31));
}

/** gemmlowp's RoundingDivideByPOT as it is written there: by the remainder against a threshold. */
function roundingShiftReference(x: i32, exponent: i32): i32 {
  const mask = <i32>(((<i64>1) << exponent) - 1);
  const remainder = x & mask;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/** Numbers from a xorshift32 generator. */
let state: u32 = 12345;
function draw(): i32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return <i32>state;
}

const EDGES: StaticArray<i32> = [
  i32.MIN_VALUE,
  i32.MIN_VALUE + 1,
  -(1 << 30),
  -129,
  -2,
  -1,
  0,
  1,
  2,
  127,
  1 << 30,
  i32.MAX_VALUE,
];

describe("highMul", () => {
  it("rounds as gemmlowp does at the ends of the range, but for the one product that never occurs", () => {
    for (let i = 0; i < EDGES.length; i++)
      for (let j = 0; j < EDGES.length; j++) {
        const a = EDGES[i];
        const b = EDGES[j];
        if (a == i32.MIN_VALUE && b == i32.MIN_VALUE) continue;
        expect<i32>(highMul(a, b)).toBe(highMulReference(a, b), a.toString() + " * " + b.toString());
      }
  });

  it("rounds as gemmlowp does on random pairs", () => {
    let wrong = 0;
    for (let i = 0; i < 100000; i++) {
      const a = draw();
      const b = draw();
      if (highMul(a, b) != highMulReference(a, b)) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });

  it("rounds ties up", () => {
    expect<i32>(highMul(1, 1 << 30)).toBe(1);
    expect<i32>(highMul(-1, 1 << 30)).toBe(0);
    expect<i32>(highMul(3, 1 << 30)).toBe(2);
    expect<i32>(highMul(-3, 1 << 30)).toBe(-1);
  });
});

describe("roundingShift", () => {
  it("rounds as gemmlowp does at the ends of the range, for every exponent", () => {
    for (let i = 0; i < EDGES.length; i++)
      for (let exponent = 0; exponent < 32; exponent++)
        expect<i32>(roundingShift(EDGES[i], exponent)).toBe(
          roundingShiftReference(EDGES[i], exponent),
          EDGES[i].toString() + " >> " + exponent.toString(),
        );
  });

  it("rounds as gemmlowp does on random numbers", () => {
    let wrong = 0;
    for (let i = 0; i < 100000; i++) {
      const x = draw();
      const exponent = draw() & 31;
      if (roundingShift(x, exponent) != roundingShiftReference(x, exponent)) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });

  it("rounds ties away from zero", () => {
    expect<i32>(roundingShift(1, 1)).toBe(1);
    expect<i32>(roundingShift(-1, 1)).toBe(-1);
    expect<i32>(roundingShift(6, 2)).toBe(2);
    expect<i32>(roundingShift(-6, 2)).toBe(-2);
    expect<i32>(roundingShift(-5, 2)).toBe(-1);
  });
});

describe("rescale", () => {
  it("shifts left before the product and right after it", () => {
    expect<i32>(rescale(100, 1 << 30, 1)).toBe(100);
    expect<i32>(rescale(100, 1 << 30, 0)).toBe(50);
    expect<i32>(rescale(100, 1 << 30, -2)).toBe(13);
    expect<i32>(rescale(-100, 1 << 30, -2)).toBe(-13);
    expect<i32>(rescale(3, 1431655765, 0)).toBe(2);
  });
});

describe("reciprocalOfOnePlus", () => {
  it("is 1 / (1 + x) to within 2^-28 in Q0.31", () => {
    for (let i = 0; i < 1000; i++) {
      const x = draw() & i32.MAX_VALUE;
      const exact = 1.0 / (1.0 + <f64>x / 2147483648.0);
      const error = Math.abs(<f64>reciprocalOfOnePlus(x) / 2147483648.0 - exact);
      expect<f64>(error).toBeLessThan(1.0 / 268435456.0);
    }
  });

  it("gives the largest value for x = 0, where 1 has no form in Q0.31", () => {
    expect<i32>(reciprocalOfOnePlus(0)).toBe(i32.MAX_VALUE);
  });
});

describe("clamp", () => {
  it("keeps both ends", () => {
    expect<i32>(clamp(-129, -128, 127)).toBe(-128);
    expect<i32>(clamp(128, -128, 127)).toBe(127);
    expect<i32>(clamp(5, -128, 127)).toBe(5);
  });
});
