import type binaryen from "binaryen";
import { Pint8Error, textOf } from "../errors.ts";
import type { Plan, PlanPort, PlanStep } from "../plan/types.ts";
import type { Optimize } from "../primitives/modules.ts";
import { kernelRows } from "../primitives/registry.ts";
import { AT_MOST } from "../tensor.ts";
import type { KernelBinary } from "./kernels.ts";
import type { MemoryLayout } from "./layout.ts";
import { addReset } from "./reset.ts";
import { addStraight } from "./straightCode.ts";

type Binaryen = typeof binaryen;
type Module = binaryen.Module;

/** Binaryen's name for the memory that the kernels import. */
const KERNEL_MEMORY = "mimport$0";

/** Binaryen is a hundred megabytes that only compiling needs: whoever compiles installs it beside pint8. */
async function loadBinaryen(): Promise<Binaryen> {
  try {
    return (await import("binaryen")).default;
  } catch (cause) {
    throw new Pint8Error(
      "MODULE_UNAVAILABLE",
      {
        where: "compile",
        expected: "the package binaryen, which links modules",
        received: textOf(cause),
        hint: "Install it beside pint8: npm install binaryen.",
      },
      { cause },
    );
  }
}

/**
 * Makes one module of a plan and the kernels it was made for: an own memory with the image as data segments, the steps as
 * direct calls, the kernels that they reach, the functions of straight steps, and nothing else.
 */
export async function link(
  plan: Plan,
  kernels: KernelBinary,
  layout: MemoryLayout,
  optimize: Optimize,
): Promise<Uint8Array<ArrayBuffer>> {
  const b = await loadBinaryen();
  const module = b.readBinary(kernels.wasm);
  try {
    module.setFeatures(featuresOf(b, kernels));
    const functions = takeFunctions(b, module);
    setMemory(module, layout);
    for (const [params, each] of layout.straight) addStraight(b, module, straightName(params), each);
    addSteps(b, module, plan, functions, layout);
    addPorts(b, module, "input", plan.inputs);
    addPorts(b, module, "output", plan.outputs);
    addReset(b, module, layout.variables);
    for (const [name, value] of [
      ["__data_end", layout.dataEnd],
      ["__heap_base", layout.heapBase],
    ] as const) {
      module.addGlobal(name, b.i32, false, module.i32.const(value | 0));
      module.addGlobalExport(name, name);
    }
    shrink(b, module, optimize);
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}

function featuresOf({ Features }: Binaryen, { name }: KernelBinary): binaryen.Features {
  if (name === "scalar") return Features.SignExt;
  const bulk = Features.BulkMemory | Features.BulkMemoryOpt;
  const simd = Features.SignExt | Features.SIMD128 | Features.NontrappingFPToInt | bulk;
  return name === "simd" ? simd : simd | Features.RelaxedSIMD;
}

/** The functions of the kernels' module by their names outside: those in its table, and its exports, which are gone then. */
function takeFunctions(b: Binaryen, module: Module): ReadonlyMap<string, string> {
  const { data } = b.getElementSegmentInfo(module.getElementSegmentByIndex(0));
  const kernels = data.flatMap((value, i): [string, string][] => {
    const name = kernelRows()[i]?.[0];
    return name === undefined ? [] : [[name, value]];
  });
  const exports = Array.from({ length: module.getNumExports() }, (_, i) => b.getExportInfo(module.getExportByIndex(i)));
  for (const { name } of exports) module.removeExport(name);
  return new Map([...kernels, ...exports.map(({ name, value }): [string, string] => [name, value])]);
}

/** Binaryen has these; its declarations name them otherwise. */
interface DataSegments {
  getNumDataSegments(): number;
  getDataSegmentInfo(segment: number): { readonly offset: number; readonly data: ArrayBuffer };
}

/** Replaces the imported memory by one of exactly the pages that are needed, with the kernels' constants and the image. */
function setMemory(module: Module, { pages, segments }: MemoryLayout): void {
  const own = module as unknown as DataSegments;
  const constants = Array.from({ length: own.getNumDataSegments() }, (_, i) => {
    const { offset, data } = own.getDataSegmentInfo(module.getDataSegmentByIndex(i));
    return { address: offset, bytes: new Uint8Array(data) };
  });
  module.setMemory(
    pages,
    pages,
    "memory",
    [...constants, ...segments].map(({ address, bytes }) => ({ offset: module.i32.const(address | 0), data: bytes })),
    false,
    false,
    KERNEL_MEMORY,
  );
}

/**
 * `invoke(): i32`, the steps one after the other; it returns 0, or 1 where data asked for more of anything than there is room for. Lists
 * that steps walk are functions of their own.
 */
function addSteps(
  b: Binaryen,
  module: Module,
  plan: Plan,
  functions: ReadonlyMap<string, string>,
  { straight }: MemoryLayout,
): void {
  const { i32 } = module;
  const named = (name: string): string => {
    const internal = functions.get(name);
    if (internal !== undefined) return internal;
    throw new Pint8Error("INVALID_PLAN", {
      where: "plan",
      expected: `kernels of module ${plan.module}`,
      received: `"${name}"`,
    });
  };
  const call = ({ kernel, params }: PlanStep) =>
    straight.has(params)
      ? module.call(straightName(params), [], b.none)
      : module.call(named(kernel), [i32.const(params | 0), i32.const(0), i32.const(1)], b.none);
  const calls = (steps: readonly PlanStep[]) =>
    steps.map((step) => controlStep(b, module, plan, step.kernel, step.params) ?? call(step));
  for (const { stepsAddress, steps } of plan.bodies)
    module.addFunction(bodyName(stepsAddress), b.none, b.none, [], module.block(null, calls(steps), b.none));
  const body = calls(plan.steps);
  // Elsewhere the dot product of relaxed SIMD gives other results: rather none than those.
  if (plan.module === "relaxed")
    body.unshift(module.if(i32.lt_s(module.call(named("dotProduct"), [], b.i32), i32.const(1)), module.unreachable()));
  for (const { note, params } of [...plan.bodies, plan].flatMap(({ steps }) => steps)) {
    if (!note.startsWith(AT_MOST)) continue;
    // Binaryen takes every expression once.
    const most = () => i32.const(Number(note.slice(AT_MOST.length)));
    const address = () => i32.const(fieldOf(plan, params, 2) | 0);
    const over = [i32.store(0, 4, address(), most()), module.local.set(0, i32.const(1))];
    body.push(module.if(i32.gt_s(i32.load(0, 4, address()), most()), module.block(null, over, b.none)));
  }
  body.push(module.local.get(0, b.i32));
  module.addFunction("invoke", b.none, b.i32, [b.i32], module.block(null, body, b.i32));
  module.addFunctionExport("invoke", "invoke");
}

/** Word i of a parameter block. */
const fieldOf = ({ image, imageAddress }: Plan, params: number, i: number) =>
  new DataView(image.buffer, image.byteOffset).getUint32(params - imageAddress + 4 * i, true);

const straightName = (params: number) => `straight${params}`;
const bodyName = (stepsAddress: number) => `body${stepsAddress}`;

/**
 * A step of control flow as code; undefined for any other. Lists without steps have the address of another list. A loop that is
 * taken for endless traps, as the kernel does.
 */
function controlStep(
  b: Binaryen,
  module: Module,
  plan: Plan,
  kernel: string,
  params: number,
): binaryen.ExpressionRef | undefined {
  if (kernel !== "branch" && kernel !== "loop") return undefined;
  const { i32 } = module;
  const field = (i: number) => fieldOf(plan, params, i);
  const list = (i: number) => (field(i + 1) === 0 ? module.nop() : module.call(bodyName(field(i)), [], b.none));
  const holds = i32.load8_u(0, 1, i32.const(field(0) | 0));
  const first = list(1);
  const second = list(3);
  if (kernel === "branch") return module.if(holds, first, second);
  const again = `again${params}`;
  const [fresh, cost] = [field(5), field(7)];
  const left = () => i32.const(field(6) | 0);
  const turn = [
    module.if(i32.lt_u(i32.load(0, 4, left()), i32.const(cost)), module.unreachable()),
    i32.store(0, 4, left(), i32.sub(i32.load(0, 4, left()), i32.const(cost))),
    second,
    module.br(again),
  ];
  const turns = module.loop(again, module.block(null, [first, module.if(holds, module.block(null, turn))], b.none));
  return fresh === 0 ? turns : module.block(null, [i32.store(0, 4, left(), i32.const(fresh)), turns], b.none);
}

/** `input_ptr(i)` and `input_bytes(i)`, or the same of outputs; 0 where there is no such port. */
function addPorts(b: Binaryen, module: Module, side: "input" | "output", ports: readonly PlanPort[]): void {
  const { i32 } = module;
  const table = (name: string, values: readonly number[]) => {
    const body = values.map((value, i) =>
      module.if(i32.eq(module.local.get(0, b.i32), i32.const(i)), module.return(i32.const(value | 0))),
    );
    module.addFunction(name, b.createType([b.i32]), b.i32, [], module.block(null, [...body, i32.const(0)], b.i32));
    module.addFunctionExport(name, name);
  };
  table(
    `${side}_ptr`,
    ports.map(({ address }) => address),
  );
  table(
    `${side}_bytes`,
    ports.map(({ bytes }) => bytes),
  );
}

/**
 * Drops what nothing reaches, makes constants of parameters that are always the same (`part` and `parts`) and simplifies the
 * functions which that changes. All other passes together find 2 % more and take three times as long; the inner loops
 * stay as the kernels' own build has them.
 */
function shrink(b: Binaryen, module: Module, optimize: Optimize): void {
  const before = [b.getOptimizeLevel(), b.getShrinkLevel()] as const;
  try {
    b.setOptimizeLevel(2);
    b.setShrinkLevel(optimize === "size" ? 1 : 0);
    module.runPasses(["remove-unused-module-elements", "dae-optimizing", "remove-unused-module-elements"]);
  } finally {
    b.setOptimizeLevel(before[0]);
    b.setShrinkLevel(before[1]);
  }
}
