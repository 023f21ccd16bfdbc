// A transform for asc: what makes modules smaller than asc's own options do.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Module } from "assemblyscript";
import binaryen from "assemblyscript/binaryen";
import { Transform } from "assemblyscript/transform";
import { ROOT } from "./files.mjs";

/**
 * asc would inline functions of 70 expressions, and ones with loops, wherever they are called, which makes the full modules an
 * eighth larger and none faster: what shall be inlined says so in its source.
 */
const INLINED = { AlwaysInlineMaxSize: 12, FlexibleInlineMaxSize: 12, AllowInliningFunctionsWithLoops: false };
for (const [option, value] of Object.entries(INLINED)) {
  const set = Module.prototype[`set${option}`];
  Module.prototype[`set${option}`] = function () {
    set.call(this, value);
  };
}

/**
 * A shrink level adds a pass that merges locals and lets functions of one caller be part of it, whatever their size; the passes
 * themselves work for speed.
 */
const { setShrinkLevel, setOneCallerInlineMaxSize } = Module.prototype;
Module.prototype.setShrinkLevel = function () {
  setShrinkLevel.call(this, 0);
};
Module.prototype.setOneCallerInlineMaxSize = function (size) {
  setOneCallerInlineMaxSize.call(this, size < 200 ? 1000 : size);
};

/** What asc's last passes leave: locals that could be one, branches that go where they are. */
const { optimize } = Module.prototype;
Module.prototype.optimize = function (...options) {
  optimize.apply(this, options);
  this.runPasses(["coalesce-locals", "remove-unused-brs"]);
};

const STEP = "assembly/generated/step/step";
const TABLE = "kernels";

// biome-ignore lint/style/noDefaultExport: asc takes a transform from there
export default class ShapeWasm extends Transform {
  afterCompile(module) {
    // Lets Binaryen fold constants into the offsets of loads and stores, load(p + 16) into load offset=16 (p), which saves an
    // instruction each. That is sound where p + 16 cannot wrap around the end of memory to a valid address. asc assumes it
    // only for programs whose static data begins at 1024; ours begins at 16, but is only read at constant addresses, and
    // everything that a pointer reaches lies at 1024 or above.
    binaryen.setLowMemoryUnused(true);
    callByTable(module);
  }
}

/**
 * Makes the switch of `step` a call by the table `kernels`, whose elements are the kernels by their numbers; the table is exported,
 * and none of them by name. In place of those that an edition lacks stands a function that traps.
 */
function callByTable(module) {
  const { i32, none, createType, Function: functionOf } = binaryen;
  const kernels = kernelsOf(module);
  const type = createType([i32, i32, i32]);
  module.addFunction("absent", type, none, [], module.unreachable());
  // asc's own table, which is empty.
  module.removeElementSegment(binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(0)).name);
  module.removeTable(binaryen.getTableInfo(module.getTableByIndex(0)).name);
  module.addTable(TABLE, kernels.length, kernels.length, binaryen.funcref);
  module.addTableExport(TABLE, TABLE);
  const elements = kernels.map((name) => name ?? "absent");
  module.addActiveElementSegment(TABLE, TABLE, elements, module.i32.const(0));
  const [kernel, ...operands] = [0, 1, 2, 3].map((i) => module.local.get(i, i32));
  functionOf(module.getFunction(STEP)).body = module.call_indirect(TABLE, kernel, operands, type, none);
}

/** The functions of the kernels by their numbers, without those at the end that the module lacks. */
function kernelsOf(module) {
  const cases = readFileSync(join(ROOT, "assembly/generated/step.ts"), "utf8").matchAll(/ k\.(\w+)\(/g);
  const found = Array.from(cases, ([, name]) => targetOf(module, `assembly/generated/kernels/${name}`));
  return found.slice(0, found.findLastIndex((name) => name !== undefined) + 1);
}

/** The function that a kernel of `assembly/generated/kernels.ts` calls; undefined where the module has none of that name. */
function targetOf(module, name) {
  const reference = module.getFunction(name);
  if (reference === 0) return undefined;
  const text = binaryen.emitText(binaryen.Function(reference).body);
  const targets = Array.from(text.matchAll(/\(call \$("?)([^\s"]+)\1/g), ([, , target]) => target);
  if (targets.length > 1) throw new Error(`${name} calls ${targets.length} functions`);
  return targets[0];
}
