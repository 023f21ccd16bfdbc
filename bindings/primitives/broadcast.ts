/** Six sizes or strides, outermost first. */
export type Six = readonly [number, number, number, number, number, number];

/** The shape of an elementwise result, sizes aligned at the last dimension; undefined where they do not broadcast. */
export function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const p = a[i + a.length - rank] ?? 1;
    const q = b[i + b.length - rank] ?? 1;
    if (p !== q && p !== 1 && q !== 1) return undefined;
    shape.push(p === 1 ? q : p);
  }
  return shape;
}

/** Dense row-major strides in elements. */
export function denseStrides(shape: readonly number[]): readonly number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number);
  return strides;
}

/** Strides of an operand along the result's dimensions, 0 where it is repeated. */
export function broadcastStrides(operand: readonly number[], shape: readonly number[]): readonly number[] {
  const strides = denseStrides(operand);
  const skip = shape.length - operand.length;
  return shape.map((_, i) => ((operand[i - skip] ?? 1) === 1 ? 0 : (strides[i - skip] as number)));
}

/** A loop nest: sizes, and for each operand the strides along them. */
interface Nest {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** The same loops with sizes of 1 dropped and neighbours merged where every operand walks on without a jump. */
export function mergeLoops(sizes: readonly number[], strides: readonly (readonly number[])[]): Nest {
  const kept: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (const [i, size] of sizes.entries()) {
    if (size === 1) continue;
    const last = kept.length - 1;
    const whole = last >= 0 && strides.every((s, j) => steps[j]?.[last] === (s[i] as number) * size);
    if (whole) kept[last] = (kept[last] as number) * size;
    else kept.push(size);
    for (const [j, s] of strides.entries()) {
      const list = steps[j] as number[];
      if (whole) list[last] = s[i] as number;
      else list.push(s[i] as number);
    }
  }
  return { sizes: kept, strides: steps };
}

/** Fills up to six on the outer side. */
export function six(values: readonly number[], fill: number): Six {
  return [...new Array<number>(Math.max(6 - values.length, 0)).fill(fill), ...values] as unknown as Six;
}

/** The fields of a block of two broadcast operands: six sizes, and the strides of a and b. */
export function pairLoops(sizes: Six, a: Six, b: Six) {
  const [d0, d1, d2, d3, d4, d5] = sizes;
  const [a0, a1, a2, a3, a4, a5] = a;
  const [b0, b1, b2, b3, b4, b5] = b;
  return { d0, d1, d2, d3, d4, d5, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5 };
}
