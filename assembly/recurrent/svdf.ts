/** SVDF: a product of the input, whose last `memory` results are weighted. Parts are shares of the batch. @full */
import { Svdf } from "./params";
import { activate, addProducts, addQuantizedProducts, dotS8, quantizeRow } from "./vectors";
import { clamp, rescale } from "../common/fixedpoint";
import { share } from "../common/split";

/** float32, the features float32 or int8. */
export function svdfF32(p: Svdf, part: u32, parts: u32): void {
  const filters = p.units * p.rank;
  const room = <usize>p.scratch + part * p.scratchStride;
  const news = room + 16 + ((p.inputs + 15) & ~15);
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const x = <usize>p.x + ((<usize>b * p.inputs) << 2);
    memory.fill(news, 0, filters << 2);
    if (p.quantized) {
      quantizeRow(x, p.inputs, room + 16, room, p.asymmetric);
      addQuantizedProducts(news, p.features, room + 16, filters, p.inputs, room, p.featureScale);
    } else addProducts(news, p.features, x, filters, p.inputs);
    let state = <usize>p.state + ((<usize>b * filters * p.memory) << 2);
    let time = <usize>p.time;
    const y = <usize>p.y + ((<usize>b * p.units) << 2);
    for (let u: u32 = 0; u < p.units; u++) {
      let sum: f32 = p.bias ? load<f32>(<usize>p.bias + (<usize>u << 2)) : 0;
      for (let r: u32 = 0; r < p.rank; r++) {
        let one: f32 = 0;
        for (let m: u32 = 0; m < p.memory; m++) {
          const value = m + 1 < p.memory ? load<f32>(state, 4) : load<f32>(news + (<usize>(u * p.rank + r) << 2));
          store<f32>(state, value);
          one += value * load<f32>(time);
          state += 4;
          time += 4;
        }
        sum += one;
      }
      store<f32>(y + (<usize>u << 2), sum);
    }
    activate(y, y, p.units << 2, p.activation);
  }
}

/** int8, state and time weights int16. */
export function svdfS16(p: Svdf, part: u32, parts: u32): void {
  svdf<i16>(p, part, parts);
}

/** int8, state and time weights int8. */
export function svdfS8(p: Svdf, part: u32, parts: u32): void {
  svdf<i8>(p, part, parts);
}

// @ts-ignore: decorator
@inline function svdf<T>(p: Svdf, part: u32, parts: u32): void {
  const filters = p.units * p.rank;
  const lo: i32 = sizeof<T>() == 1 ? -128 : -32768;
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const x = <usize>p.x + <usize>b * p.inputs;
    let state = <usize>p.state + <usize>b * filters * p.memory * sizeof<T>();
    let time = <usize>p.time;
    let features = <usize>p.features;
    for (let u: u32 = 0; u < p.units; u++) {
      let sum: i32 = p.bias ? load<i32>(<usize>p.bias + (<usize>u << 2)) : 0;
      for (let r: u32 = 0; r < p.rank; r++) {
        const fresh = clamp(rescale(dotS8(features, x, p.inputs, p.xZeroPoint), p.multiplier1, p.shift1), lo, -1 - lo);
        features += p.inputs;
        let m: u32 = 0;
        if (ASC_FEATURE_SIMD && sizeof<T>() == 2) {
          let s = i32x4.splat(0);
          for (; m + 8 < p.memory; m += 8) {
            const moved = v128.load(state, 2);
            v128.store(state, moved);
            s = i32x4.add(s, i32x4.dot_i16x8_s(moved, v128.load(time)));
            state += 16;
            time += 16;
          }
          sum += i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3);
        }
        for (; m < p.memory; m++) {
          const value = m + 1 < p.memory ? <i32>load<T>(state, sizeof<T>()) : fresh;
          store<T>(state, <T>value);
          sum += value * <i32>load<T>(time);
          state += sizeof<T>();
          time += sizeof<T>();
        }
      }
      const y = rescale(sum, p.multiplier2, p.shift2) + p.yZeroPoint;
      store<i8>(<usize>p.y + <usize>b * p.units + u, clamp(y, -128, 127));
    }
  }
}
