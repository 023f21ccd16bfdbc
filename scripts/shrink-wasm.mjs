// Writes a module of many functions again in fewer bytes: the same operations on the same values, but constants spelled
// shorter, locals numbered as they come and functions beside those that they resemble, which is what Brotli finds.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";

/** Functions that most calls name keep numbers of one byte: as many of them as have such numbers. */
const SHORT = 128;
/** How many tokens in a row two functions may share, and which stands in front: each makes an order of its own, and no one is always the best. */
const ORDERS = [2, 3, 4, 5, 6].flatMap((length) => [0, -1].map((first) => ({ length, first })));

/** Where choosing would wait for both values. */
const HOT = /tile|sweep|gemv|direct|winograd|spmm|blocks|taps/;

const LOCAL = /\(local\.(?:get|set|tee) (\$[^\s)]+)/g;
const CALL = /\(call (\$(?:"[^"]*"|[^\s)]+))/g;

/** A vector of two alike, whose splat takes half the bytes, though not behind Brotli. */
const PAIR = /\(v128\.const i32x4 (0x[0-9a-f]{8}) (0x[0-9a-f]{8}) \1 \2\)/g;

/** A function's text: its first line, its locals, a line each, and the rest. */
function partsOf(text) {
  const lines = text.split("\n");
  const end = lines.findIndex((line, i) => i > 0 && !/^\s+\(local \$/.test(line));
  return { head: lines[0], locals: lines.slice(1, end), body: lines.slice(end).join("\n") };
}

const nameOf = (text) => /\(func (\$(?:"[^"]*"|[^\s)]+))/.exec(text)[1];

/** A local that nothing writes is 0 in two bytes where constants take 5 and 18, and a vector of four alike is a splat of one. */
function shorten(function_, isRaw) {
  const once = "(f32.const 0)";
  const often = function_.split(once).length > 2;
  const text = often
    ? function_.replaceAll(once, "(local.get $none)").replace("\n", "\n  (local $none f32)\n")
    : function_;
  const splat = /\(v128\.const i32x4 (0x[0-9a-f]{8}) \1 \1 \1\)/g;
  const spelled = text
    .replace(splat, (_, hex) => (Number(hex) === 0 ? "(local.get $zero)" : splatOf(Number(hex))))
    .replace(isRaw ? PAIR : /$^/, (_, low, high) => `(i64x2.splat (i64.const ${high}${low.slice(2)}))`);
  return spelled.includes("$zero)") ? spelled.replace("\n", "\n  (local $zero v128)\n") : spelled;
}

/** The shortest spelling of a vector of four of these 32 bits. */
function splatOf(bits) {
  const [word, byte] = [bits | 0, (bits << 24) >> 24];
  const float = new Float32Array(Uint32Array.of(bits).buffer)[0];
  if (word === Math.imul(byte & 255, 0x01010101)) return `(i8x16.splat (i32.const ${byte}))`;
  if (Math.abs(word) < 1 << 27 || !Number.isFinite(float)) return `(i32x4.splat (i32.const ${word}))`;
  return `(f32x4.splat (f32.const ${Object.is(float, -0) ? "-0" : float}))`;
}

/** Numbers the locals in the order in which instructions name them: a set comes behind the value that it takes. */
function numberLocals(text) {
  const { head, locals, body } = partsOf(text);
  const places = new Map();
  const open = [];
  for (const [token, name] of body.matchAll(/\(local\.(?:get|set|tee) (\$[^\s)]+)|\(|\)/g)) {
    if (token !== ")") open.push(name);
    else {
      const closed = open.pop();
      if (closed !== undefined && !places.has(closed)) places.set(closed, places.size);
    }
  }
  const place = (line) => places.get(/\(local (\$\S+)/.exec(line)[1]) ?? places.size;
  return [head, ...locals.sort((a, b) => place(a) - place(b)), body].join("\n");
}

/** Runs of so many tokens of a function, with its locals by number. */
function runsOf(text, length) {
  const numbers = new Map();
  const number = (name) => numbers.get(name) ?? numbers.set(name, numbers.size).size - 1;
  const tokens = partsOf(text)
    .body.replace(LOCAL, (all, name) => all.replace(name, number(name)))
    .split(/\s+/);
  return new Set(tokens.map((_, i) => tokens.slice(i, i + length).join(" ")));
}

/** From the one at `start` on, always next the one of whose runs most stand in the one before: rare ones count more. */
function besideAlike(functions, length, start) {
  const runs = new Map(functions.map((text) => [text, runsOf(text, length)]));
  const times = new Map();
  for (const run of [...runs.values()].flatMap((own) => [...own])) times.set(run, (times.get(run) ?? 0) + 1);
  const worth = (some) => some.reduce((sum, run) => sum + (times.get(run) > 1 ? times.get(run) ** -0.5 : 0), 0);
  const all = new Map(functions.map((text) => [text, worth([...runs.get(text)]) || 1]));
  const likeness = (a, b) => worth([...runs.get(b)].filter((run) => runs.get(a).has(run))) / all.get(b);
  const left = [...functions];
  const found = left.splice(start, 1);
  while (left.length) {
    const scores = left.map((text) => likeness(found.at(-1), text));
    found.push(...left.splice(scores.indexOf(Math.max(...scores)), 1));
  }
  return found;
}

/** Functions that many call in front, and in both parts alike ones side by side. */
function orderOf(functions, { length, first }) {
  const calls = new Map(functions.map((text) => [nameOf(text), 0]));
  for (const text of functions) for (const [, name] of text.matchAll(CALL)) calls.set(name, calls.get(name) + 1);
  const sorted = functions.toSorted((a, b) => calls.get(nameOf(b)) - calls.get(nameOf(a)));
  return [...besideAlike(sorted.slice(0, SHORT), length, first), ...besideAlike(sorted.slice(SHORT), length, 0)];
}

/** Where two values are at hand and no product waits, choosing takes less than branching. */
function branchLess(module) {
  binaryen.setShrinkLevel(1);
  // what is loaded for nothing: nothing traps there
  binaryen.setTrapsNeverHappen(true);
  module.runPasses(["vacuum"]);
  binaryen.setTrapsNeverHappen(false);
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const reference = module.getFunctionByIndex(i);
    if (HOT.test(binaryen.getFunctionInfo(reference).name)) continue;
    module.runPassesOnFunction(reference, ["local-cse", "remove-unused-brs"]);
  }
  binaryen.setShrinkLevel(0);
}

/**
 * Shrinks the module in a file: of several orders of its functions the one that `sizeOf` says is the smallest. `isRaw` where its own
 * size counts, too.
 */
export function shrinkWasm(path, sizeOf, isRaw) {
  binaryen.setDebugInfo(false);
  const before = binaryen.readBinary(readFileSync(path));
  const features = before.getFeatures();
  branchLess(before);
  const [top, ...functions] = before.emitText().split(/\n(?= \(func )/);
  before.dispose();
  const [, last, bottom] = /^([\s\S]*?\n \))([\s\S]*)$/.exec(functions.pop());
  const texts = [...functions, last].map((text) => numberLocals(shorten(text, isRaw)));
  const emitted = ORDERS.map((order) => {
    const after = binaryen.parseText([top, ...orderOf(texts, order)].join("\n") + bottom);
    after.setFeatures(features);
    // constants of several bytes that a function has often: engines see the same values
    after.runPasses(["const-hoisting"]);
    binaryen.setOptimizeStackIR(true);
    const wasm = after.emitBinary();
    after.dispose();
    return { wasm, size: sizeOf(wasm) };
  });
  const least = Math.min(...emitted.map(({ size }) => size));
  writeFileSync(path, emitted.find(({ size }) => size === least).wasm);
}
