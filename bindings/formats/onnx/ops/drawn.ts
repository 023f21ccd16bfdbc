/** Random numbers: drawn when the file is read, the same in every run and on every machine. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { BOOL } from "../types.ts";
import { castAs } from "./cast.ts";
import { entries } from "./move.ts";

/** Numbers from 0 to below 1 by 32 bits, others for other seeds (a counter, scrambled as SplitMix32 does). */
function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Of mean 0 and deviation 1, by Box and Muller. */
const normal = (next: () => number) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/** The node's own seed, or its place in the file. */
function seedOf(n: OnnxNode): number {
  const given = n.attribute("seed")?.float;
  if (given !== undefined) return new Int32Array(Float32Array.of(given).buffer)[0] as number;
  return [...n.where].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 0);
}

function drawn(n: OnnxNode, shape: readonly number[], draw: (next: () => number) => number): TensorId {
  const next = uniform(seedOf(n));
  const values = Float32Array.from({ length: entries(n, elementCount(shape)) }, () => draw(next));
  return n.b.constant("float32", shape, values);
}

const numbersOf = (draw: (n: OnnxNode, next: () => number) => number, isLike: boolean): Conversion => {
  return (n) => {
    const shape = isLike ? n.input(0).shape : (n.ints("shape") ?? n.refuse("a shape", "none"));
    const code = n.int("dtype", 0);
    const dtype = code > 0 ? n.typeOf(code) : isLike ? n.input(0).dtype : "float32";
    n.setPlain(
      0,
      castAs(
        n,
        drawn(n, shape, (next) => draw(n, next)),
        dtype,
      ),
    );
  };
};

const normals = (n: OnnxNode, next: () => number) => n.float("mean", 0) + n.float("scale", 1) * normal(next);
const uniforms = (n: OnnxNode, next: () => number) => {
  const low = n.float("low", 0);
  return low + (n.float("high", 1) - low) * next();
};

/** 1 as often as the input says. */
function bernoulli(n: OnnxNode): void {
  const x = n.input(0);
  const share = drawn(n, x.shape, (next) => next());
  const [y] = n.add("less", [share, n.plain(x)], {}, BOOL);
  const code = n.int("dtype", 0);
  n.setPlain(0, castAs(n, y as TensorId, code > 0 ? n.typeOf(code) : x.dtype));
}

export const DRAWN: Conversions = {
  Bernoulli: bernoulli,
  RandomNormal: numbersOf(normals, false),
  RandomNormalLike: numbersOf(normals, true),
  RandomUniform: numbersOf(uniforms, false),
  RandomUniformLike: numbersOf(uniforms, true),
};
