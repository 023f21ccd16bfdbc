import { ensure } from "../errors.ts";
import type { Activation } from "../graph.ts";
import type { Lowering } from "../ops/types.ts";
import { activationRange, type Multiplier, quantizeMultiplier } from "../primitives/requantize/quantization.ts";
import { packRecords } from "../primitives/requantize/requantize.ts";
import type { Channels, Output } from "../primitives/requantize/types.ts";
import { listText } from "../tensor.ts";
import { requireActivation, requireAffine, requireInt32, requireNumbers, requireParts } from "./arguments.ts";
import { type Call, type Engine, prepareCalls, requireApart, resultTensor, type Target } from "./prepare.ts";
import { type KernelTensor, requireTensor } from "./tensor.ts";

/** What `requantize` takes. */
export interface RequantizeCall {
  /** Accumulators `[…,N]`. */
  readonly x: KernelTensor<"int32">;
  /** The result, or its quantization. */
  readonly y: Target;
  /** Input scale · weight scale / output scale: one, or one per channel (the last dimension); at most 2^30. */
  readonly multiplier: number | readonly number[];
  /** Added to the accumulators first, one per channel; sums wrap as int32. */
  readonly bias?: Int32Array;
  /**
   * Least and greatest accumulator that will occur, all of int32 when absent. A tighter promise lets a cheaper form be
   * taken where it is proven equal over the range; accumulators beyond it then give unspecified results.
   */
  readonly range?: readonly [number, number];
  readonly activation?: Activation;
}

const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;

/**
 * y = clamp(zeroPoint + round(multiplier·(x + bias))), rounded as TFLite's MultiplyByQuantizedMultiplier does. A multiplier of
 * 1 or more is `m·2^s` with m below 1: there (x + bias)·2^s wraps as int32 before it is multiplied by m, as in TFLite.
 */
export function prepareRequantize(engine: Engine, call: RequantizeCall): Call {
  const where = "requantize";
  requireParts(where, call, ["x", "y"]);
  requireAffine(`${where}, y`, call.y);
  const { x, bias, range = INT32, activation = "none" } = call;
  requireTensor(`${where}, x`, engine.memory, x, "int32");
  const n = x.shape[x.shape.length - 1] ?? 1;
  requireNumbers(where, "multiplier", call.multiplier);
  requireInt32(where, "bias", bias);
  requireActivation(where, activation);
  const reals = typeof call.multiplier === "number" ? [call.multiplier] : call.multiplier;
  check(x.data.length > 0, "x", "at least one accumulator", () => listText(x.shape));
  check(reals.length === 1 || reals.length === n, "multiplier", `1 or ${n} values`, () => `${reals.length}`);
  const factors = reals.map((real) => {
    const factor = quantizeMultiplier(real);
    check(
      Number.isFinite(real) && real > 0 && factor.shift <= 30,
      "multiplier",
      "a value above 0, at most 2^30",
      () => `${real}`,
    );
    return factor;
  });
  check(bias === undefined || bias.length === n, "bias", `${n} values`, () => `${bias?.length}`);
  const [least, most] = range;
  const ordered = [least, most].every(Number.isInteger) && INT32[0] <= least && least <= most && most <= INT32[1];
  check(ordered, "range", "two int32 values in order", () => range.join(" to "));
  const y = resultTensor(engine, where, call.y, x.shape);
  const affine = { scale: y.scale, zeroPoint: y.zeroPoint };
  const fits = Number.isInteger(y.zeroPoint) && y.zeroPoint >= -128 && y.zeroPoint <= 127 && y.scale > 0;
  check(
    fits && Number.isFinite(y.scale),
    "y",
    "a scale above 0 and a zero point from -128 to 127",
    () => `${y.scale}, ${y.zeroPoint}`,
  );
  requireApart(where, x, y);
  const factorOf = (i: number) => factors[factors.length === 1 ? 0 : i] as Multiplier;
  const channels: Channels = {
    bias: bias?.slice() ?? new Int32Array(n),
    multiplier: Int32Array.from({ length: n }, (_, i) => factorOf(i).multiplier),
    shift: Int32Array.from({ length: n }, (_, i) => factorOf(i).shift),
    min: Float64Array.from({ length: n }, (_, i) => least + (bias?.[i] ?? 0)),
    max: Float64Array.from({ length: n }, (_, i) => most + (bias?.[i] ?? 0)),
    sum: new Int32Array(n),
    zeros: 0,
  };
  const output = { zeroPoint: y.zeroPoint, ...activationRange(activation, "int8", affine) };
  const shape = { x: x.address, y: y.address, m: x.data.length / n, n };
  return prepareCalls(engine, y, 0, (to) => lowerRequantize(to, shape, channels, output));
}

/** The kernel call for `[m,n]` accumulators at x and bytes at y. */
export function lowerRequantize(
  to: Lowering,
  shape: { readonly x: number; readonly y: number; readonly m: number; readonly n: number },
  channels: Channels,
  output: Output,
): void {
  const { bytes, forms } = packRecords(to.module, channels, output, { rows: shape.m, depth: 1 }, to.packer);
  const { zeroPoint, lo, hi } = output;
  to.call({
    kernel: "requantize",
    params: { ...shape, q: to.place(bytes), yZeroPoint: zeroPoint, lo, hi },
    note: `${shape.m}x${shape.n}, requantize ${forms}`,
  });
}

function check(condition: boolean, what: string, expected: string, received: () => string): asserts condition {
  ensure(condition, "INVALID_INPUT", () => ({ where: `requantize, ${what}`, expected, received: received() }));
}
