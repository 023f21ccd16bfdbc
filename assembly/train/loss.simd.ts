/** The end of a training step: the loss with its gradient, and AdamW. @train */
import { expF32, logF32 } from "../common/float";
import { share } from "../common/split";

/**
 * For each row, divided by the rows. With labels: hard · cross entropy of the logits with the row's label; a row of one logit decides between 0 and 1, as
 * scores 0 and x do. With targets: hard · mean squared
 * difference. With a teacher: soft · KL(teacher ‖ student) of both scores softened by the temperature + squared · mean squared difference +
 * cosine · (1 − cosine of both rows).
 */
@unmanaged
export class LossF32 {
  /** [rows][classes]: logits, or other outputs, and the gradient of them. */
  x: u32;
  d: u32;
  rows: u32;
  classes: u32;
  /** [rows] i32, −1: no label; [rows][classes] f32: the teacher's outputs, and targets. 0: none. */
  labels: u32;
  teacher: u32;
  targets: u32;
  /** [rows][2]: loss of the row, and 1 where its largest logit is the label's; without labels its mean |difference| from the targets, or the teacher. */
  result: u32;
  hard: f32;
  soft: f32;
  temperature: f32;
  squared: f32;
  cosine: f32;
}

export function lossF32(p: LossF32, part: u32, parts: u32): void {
  const end = share(p.rows, part + 1, parts);
  const line = <usize>p.classes << 2;
  const share1 = <f32>1 / <f32>p.rows;
  for (let row = share(p.rows, part, parts); row < end; row++) {
    const x = <usize>p.x + <usize>row * line;
    const d = <usize>p.d + <usize>row * line;
    const t = <usize>p.teacher + <usize>row * line;
    const wanted = <usize>p.targets + <usize>row * line;
    memory.fill(d, 0, line);
    let loss: f32 = 0;
    let measure: f32 = 0;
    if (p.classes == 1 && (p.labels || p.soft != 0)) {
      const label = p.labels ? load<i32>(p.labels + (<usize>row << 2)) : -1;
      measure = label >= 0 && <i32>(load<f32>(x) > 0) == label ? 1 : 0;
      loss = decision(p, x, t, d, label, share1);
    } else if (p.labels || p.soft != 0) {
      let most: f32 = load<f32>(x);
      let best: usize = 0;
      for (let i: usize = 4; i < line; i += 4) {
        const value = load<f32>(x + i);
        if (value > most) {
          most = value;
          best = i;
        }
      }
      if (p.labels) {
        const label = load<i32>(p.labels + (<usize>row << 2));
        measure = label >= 0 && best == <usize>label << 2 ? 1 : 0;
        if (p.hard != 0 && label >= 0) loss += crossEntropy(p, x, d, most, <usize>label << 2, share1);
      }
      if (p.soft != 0) loss += divergence(p, x, t, d, most, share1);
    }
    if (!p.labels) measure = distance(x, p.targets ? wanted : t, line) / <f32>p.classes;
    if (p.targets && p.hard != 0) loss += squares(x, wanted, d, line, p.hard / <f32>p.classes, share1);
    if (p.squared != 0) loss += squares(x, t, d, line, p.squared / <f32>p.classes, share1);
    if (p.cosine != 0) loss += angle(x, t, d, line, p.cosine, share1);
    store<f32>(p.result + (<usize>row << 3), loss);
    store<f32>(p.result + (<usize>row << 3) + 4, measure);
  }
}

/** A row of one logit x, whose chance is 1 / (1 + exp(−x)): cross entropy with the label, and divergence from the teacher's. */
function decision(p: LossF32, x: usize, t: usize, d: usize, label: i32, share1: f32): f32 {
  let loss: f32 = 0;
  let gradient: f32 = 0;
  if (p.hard != 0 && label >= 0) {
    const own = load<f32>(x);
    loss = p.hard * (label ? rise(-own) : rise(own));
    gradient = p.hard * (expF32<f32>(-rise(-own)) - <f32>label);
  }
  if (p.soft != 0) {
    const beta = <f32>1 / p.temperature;
    const own = load<f32>(x) * beta;
    const other = load<f32>(t) * beta;
    const wanted = expF32<f32>(-rise(-other));
    loss += p.soft * (wanted * (rise(-own) - rise(-other)) + (1 - wanted) * (rise(own) - rise(other)));
    gradient += p.soft * beta * (expF32<f32>(-rise(-own)) - wanted);
  }
  store<f32>(d, gradient * share1);
  return loss;
}

/** log(1 + exp(x)). */
function rise(x: f32): f32 {
  return max<f32>(x, 0) + logF32<f32>(1 + expF32<f32>(-abs<f32>(x)));
}

function crossEntropy(p: LossF32, x: usize, d: usize, most: f32, label: usize, share1: f32): f32 {
  const line = <usize>p.classes << 2;
  const log = logOfSum(x, line, most, 1);
  for (let i: usize = 0; i < line; i += 4)
    store<f32>(d + i, p.hard * share1 * (expF32<f32>(load<f32>(x + i) - most - log) - (i == label ? <f32>1 : <f32>0)));
  return p.hard * (log - (load<f32>(x + label) - most));
}

function divergence(p: LossF32, x: usize, t: usize, d: usize, most: f32, share1: f32): f32 {
  const line = <usize>p.classes << 2;
  const beta = <f32>1 / p.temperature;
  let top: f32 = load<f32>(t);
  for (let i: usize = 4; i < line; i += 4) top = max(top, load<f32>(t + i));
  const log = logOfSum(x, line, most, beta);
  const teacherLog = logOfSum(t, line, top, beta);
  let loss: f32 = 0;
  for (let i: usize = 0; i < line; i += 4) {
    const q = (load<f32>(x + i) - most) * beta - log;
    const r = (load<f32>(t + i) - top) * beta - teacherLog;
    const wanted = expF32<f32>(r);
    loss += p.soft * wanted * (r - q);
    store<f32>(d + i, load<f32>(d + i) + p.soft * share1 * beta * (expF32<f32>(q) - wanted));
  }
  return loss;
}

function squares(x: usize, t: usize, d: usize, line: usize, factor: f32, share1: f32): f32 {
  let loss: f32 = 0;
  for (let i: usize = 0; i < line; i += 4) {
    const difference = load<f32>(x + i) - load<f32>(t + i);
    loss += factor * difference * difference;
    store<f32>(d + i, load<f32>(d + i) + 2 * factor * share1 * difference);
  }
  return loss;
}

/** factor · (1 − x·t / (|x| |t|)); where either is nothing but zeros, factor and no gradient. */
function angle(x: usize, t: usize, d: usize, line: usize, factor: f32, share1: f32): f32 {
  let dot: f32 = 0;
  let own: f32 = 0;
  let other: f32 = 0;
  for (let i: usize = 0; i < line; i += 4) {
    const a = load<f32>(x + i);
    const b = load<f32>(t + i);
    dot += a * b;
    own += a * a;
    other += b * b;
  }
  if (own == 0 || other == 0) return factor;
  const both = <f32>1 / (sqrt<f32>(own) * sqrt<f32>(other));
  const turn = dot * both / own;
  for (let i: usize = 0; i < line; i += 4)
    store<f32>(d + i, load<f32>(d + i) + factor * share1 * (turn * load<f32>(x + i) - both * load<f32>(t + i)));
  return factor * (1 - dot * both);
}

/** Σ |x − t|. */
function distance(x: usize, t: usize, line: usize): f32 {
  let sum: f32 = 0;
  for (let i: usize = 0; i < line; i += 4) sum += abs<f32>(load<f32>(x + i) - load<f32>(t + i));
  return sum;
}

/** log Σ exp((x − most) · beta). */
function logOfSum(x: usize, line: usize, most: f32, beta: f32): f32 {
  let sum: f32 = 0;
  for (let i: usize = 0; i < line; i += 4) sum += expF32<f32>((load<f32>(x + i) - most) * beta);
  return logF32<f32>(sum);
}

/**
 * AdamW: m and v are running means of the gradient and of its square, w −= rate · (m̂ / (√v̂ + ε) + decay · w). Weights whose mask is 0 become and
 * stay 0. All arrays have `count` floats, a multiple of 4.
 */
@unmanaged
export class AdamW {
  w: u32;
  d: u32;
  m: u32;
  v: u32;
  /** Floats, 1 or 0; address 0: none. */
  mask: u32;
  count: u32;
  /** Four floats that change from step to step: rate, 1/(1 − β₁ᵗ), 1/(1 − β₂ᵗ), factor of the gradient. */
  step: u32;
  beta1: f32;
  beta2: f32;
  epsilon: f32;
  decay: f32;
}

export function adamW(p: AdamW, part: u32, parts: u32): void {
  const fours = p.count >>> 2;
  const end = <usize>share(fours, part + 1, parts) << 4;
  const rate = v128.load32_splat(p.step);
  const first = v128.load32_splat(p.step, 4);
  const second = v128.load32_splat(p.step, 8);
  const factor = v128.load32_splat(p.step, 12);
  const rest1 = f32x4.splat(1 - p.beta1);
  const rest2 = f32x4.splat(1 - p.beta2);
  const epsilon = f32x4.splat(p.epsilon);
  const decay = f32x4.splat(p.decay);
  for (let i = <usize>share(fours, part, parts) << 4; i < end; i += 16) {
    let w = v128.load(p.w + i);
    const d = f32x4.mul(v128.load(p.d + i), factor);
    let m = v128.load(p.m + i);
    let v = v128.load(p.v + i);
    m = f32x4.add(m, f32x4.mul(f32x4.sub(d, m), rest1));
    v = f32x4.add(v, f32x4.mul(f32x4.sub(f32x4.mul(d, d), v), rest2));
    v128.store(p.m + i, m);
    v128.store(p.v + i, v);
    const move = f32x4.div(f32x4.mul(m, first), f32x4.add(f32x4.sqrt(f32x4.mul(v, second)), epsilon));
    w = f32x4.sub(w, f32x4.mul(rate, f32x4.add(move, f32x4.mul(decay, w))));
    if (p.mask) w = f32x4.mul(w, v128.load(p.mask + i));
    v128.store(p.w + i, w);
  }
}
