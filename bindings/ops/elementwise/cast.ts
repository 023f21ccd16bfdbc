import { denseStrides } from "../../primitives/broadcast.ts";
import { ELEMENT, ELEMENTS, type Element } from "../../primitives/elementwise/element.ts";
import { type View, whole } from "../../primitives/move/view.ts";
import { type Walk, walkCalls } from "../../primitives/move/walk.ts";
import { widenHalves } from "../../primitives/table/constants.ts";
import { BITS, type DType, elementCount, floatsOf, type Tensor } from "../../tensor.ts";
import { inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { toHalf } from "../values.ts";
import { readIntegers, writeFloats, writeIntegers } from "./integers.ts";
import { ends } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly cast: Record<never, never>;
  }
}

/**
 * One element type to another; scales are not looked at. Integers wrap, floats are cut towards zero, what is not 0 is true.
 * C1: one input, one output. C2: types of the kernel; float16 is rounded half to even; complex64 becomes float32, its real
 * part, and float32 becomes complex64. Source: TFLite's Cast on x86-64.
 */
export const cast: Operator<"cast"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    requireDType(node, "C2", x, ...partners(y.dtype));
    const dtype = requireDType(node, "C2", y, ...partners(x.dtype));
    return [{ dtype, shape: x.shape }];
  },
  fold(node) {
    const given = inputOf(node, 0);
    const { dtype } = outputOf(node);
    const x = asFloats(given);
    if (x !== given && dtype === "float32") return x.data && [x.data];
    if (given.dtype === dtype) return given.data && [given.data];
    if (given.dtype === COMPLEX || dtype === COMPLEX) return undefined;
    const integers = x.dtype === "float32" ? undefined : readIntegers(x);
    if (dtype === "float64" || (dtype === "float16" && given.dtype !== "float64")) {
      const values = integers?.map(Number) ?? (x.dtype === "float32" ? floatsOf(x) : undefined);
      return values && [dtype === "float16" ? halves(values) : new Uint8Array(Float64Array.from(values).buffer)];
    }
    const whole = dtype.startsWith("int") || dtype.startsWith("uint");
    if (integers !== undefined && dtype === "float32") return [writeFloats(integers.map(Number))];
    if (integers !== undefined && dtype === "bool")
      return [
        writeIntegers(
          dtype,
          integers.map((q) => (q ? 1n : 0n)),
        ),
      ];
    if (integers !== undefined && whole) return [writeIntegers(dtype, integers)];
    if (x.dtype === "float32" && (dtype === "int32" || dtype === "int64")) {
      const floats = floatsOf(x).map(Math.trunc);
      const fits = floats.every((value) => Math.abs(value) < 2 ** (BITS[dtype] - 1));
      return fits ? [writeIntegers(dtype, Array.from(floats, BigInt))] : undefined;
    }
    if (x.dtype === "float32" && dtype === "bool")
      return [
        writeIntegers(
          dtype,
          Array.from(floatsOf(x), (value) => (value === 0 ? 0n : 1n)),
        ),
      ];
    return undefined;
  },
  lower(_node, to) {
    const [x, y] = ends(to);
    const copy = (walk: Walk, from: number, at: number) => {
      for (const call of walkCalls(walk, from, at)) to.call(call);
    };
    // the same bits, as another scale of the same type has them: what aliases cannot be, since both may have readers
    if (bitsOf(x.dtype) === bitsOf(y.dtype))
      return copy({ from: whole(x.shape), to: whole(y.shape), size: BITS[x.dtype] / 8 }, x.address, y.address);
    if (x.dtype === COMPLEX) return copy({ from: parts(x.shape), to: whole(y.shape), size: 4 }, x.address, y.address);
    if (y.dtype === COMPLEX) {
      copy({ from: whole(x.shape), to: parts(y.shape), size: 4 }, x.address, y.address);
      const zero = { offset: 0, sizes: y.shape, strides: y.shape.map(() => 0) };
      return copy({ from: zero, to: parts(y.shape), size: 4 }, to.place(new Uint8Array(4)), y.address + 4);
    }
    to.call({
      kernel: "cast",
      params: {
        x: x.address,
        y: y.address,
        count: elementCount(y.shape),
        from: ELEMENT[x.dtype as Element],
        to: ELEMENT[y.dtype as Element],
      },
      note: `cast ${x.dtype} to ${y.dtype}`,
    });
  },
};

const COMPLEX = "complex64";

/** What another type is cast to and from. */
const partners = (dtype: DType): readonly (Element | typeof COMPLEX)[] =>
  dtype === COMPLEX ? ["float32", COMPLEX] : dtype === "float32" ? [...ELEMENTS, COMPLEX] : ELEMENTS;

/** The real parts of complex64, counted in float32. */
const parts = (sizes: readonly number[]): View => ({
  offset: 0,
  sizes,
  strides: denseStrides(sizes).map((stride) => 2 * stride),
});

/** The type whose bits a cast between equally wide integers leaves as they are. */
const bitsOf = (dtype: DType) => dtype.replace(/^uint/, "int");

const halves = (values: ArrayLike<number>) => new Uint8Array(Uint16Array.from(values, toHalf).buffer);

/** A constant of float16 or float64 as float32; others as they are. */
function asFloats(x: Tensor): Tensor {
  if (x.dtype === "float16") return { ...x, dtype: "float32", data: widenHalves(x) };
  return x.dtype === "float64" ? { ...x, dtype: "float32", data: narrowed(x) } : x;
}

function narrowed({ data = new Uint8Array(0) }: Tensor): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const y = Float32Array.from({ length: data.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  return new Uint8Array(y.buffer);
}
