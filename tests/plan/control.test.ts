/** IF, WHILE and variables: planned, saved, run with one and two threads, and compiled to a module of its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readKernels } from "../../bindings/compile/kernels.ts";
import { layoutOf } from "../../bindings/compile/layout.ts";
import { link } from "../../bindings/compile/link.ts";
import { type AnyNode, bodiesOf, type Graph, type TensorId } from "../../bindings/graph.ts";
import type { Limits } from "../../bindings/limits.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { readPlan, writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import type { ModuleName } from "../../bindings/primitives/modules.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import type { Exports } from "../compile/compiled.ts";
import { graph, node, tensor } from "../passes/graphs.ts";

const flag = (name: string, data?: number): Tensor => ({
  name,
  dtype: "bool",
  shape: [1],
  ...(data === undefined ? {} : { data: Uint8Array.of(data) }),
});
const axes: Tensor = { name: "axes", dtype: "int32", shape: [1], data: new Uint8Array(4) };
const one = tensor("one", [1, 4], {
  data: Uint8Array.from(new Int8Array([1, 1, 1, 1])),
  quantization: { scale: [0.5], zeroPoint: [0], axis: 0 },
});
const value = (name: string, rest: Partial<Tensor> = {}) =>
  tensor(name, [1, 4], { quantization: { scale: [0.5], zeroPoint: [0], axis: 0 }, ...rest });

/** Adds 1 to v once for each flag that is set before the first that is not: the flags move on, crossing over. */
const counting = (): Graph => {
  const condition = graph(
    [flag("a"), flag("b"), flag("c"), value("v"), axes, flag("any")],
    [node("reduceAny", [0, 4], [5], { keepDims: true })],
    [0, 1, 2, 3],
    [5],
  );
  const body = graph(
    [flag("a"), flag("b"), flag("c"), value("v"), flag("no", 0), one, value("next")],
    [node("add", [3, 5], [6], { activation: "none" })],
    [0, 1, 2, 3],
    [1, 2, 4, 6],
  );
  return graph(
    [flag("a"), flag("b"), flag("c"), value("v"), flag("a2"), flag("b2"), flag("c2"), value("y")],
    [node("while", [0, 1, 2, 3], [4, 5, 6, 7], { subgraphs: [], bodies: [condition, body] })],
    [0, 1, 2, 3],
    [4, 7],
  );
};

/** The same, but the first flag stays. */
function endless(): Graph {
  const network = counting();
  const [loop] = network.nodes;
  const [condition, body] = bodiesOfFirst(network);
  const stays = {
    ...body,
    outputs: body.outputs.map((port, i) => (i === 0 ? { ...port, tensor: 0 as TensorId } : port)),
  };
  return {
    ...network,
    nodes: [{ ...loop, attributes: { subgraphs: [], bodies: [condition, stays] } } as AnyNode],
  };
}

/** y = flag ? total + x : x; and total becomes y. */
const choosing = (): Graph => {
  const total = value("total", { variable: true, resource: "/total", data: Uint8Array.of(10, 20, 30, 40) });
  const yes = graph(
    [value("x"), total, value("before"), value("sum")],
    [node("readVariable", [1], [2], {}), node("add", [0, 2], [3], { activation: "none" })],
    [0],
    [3],
  );
  const no = graph([value("x")], [], [0], [0]);
  return graph(
    [flag("flag"), value("x"), value("y"), total],
    [
      node("if", [0, 1], [2], { subgraphs: [], bodies: [yes, no] }),
      { ...node("assignVariable", [3, 2], [], {}), where: "node (assign)" },
    ],
    [0, 1],
    [2],
  );
};

function bodiesOfFirst({ nodes: [first] }: Graph): readonly [Graph, Graph] {
  assert.ok(first);
  return bodiesOf(first) as [Graph, Graph];
}

type Run = (inputs: { readonly [name: string]: Int8Array | Uint8Array }) => readonly number[];

async function planned(network: Graph, module: ModuleName, limits: Limits = {}): Promise<Plan> {
  const { hash } = await loadModule(module, undefined, "full");
  return planGraph(runPasses(network), { module, moduleHash: hash, limits });
}

function checkCounting(run: Run): void {
  const v = Int8Array.of(1, 2, 3, 4);
  const bits = (a: number, b: number, c: number) => ({
    a: Uint8Array.of(a),
    b: Uint8Array.of(b),
    c: Uint8Array.of(c),
    v,
  });
  assert.deepEqual(run(bits(0, 1, 1)), [1, 2, 3, 4], "no turn");
  assert.deepEqual(run(bits(1, 0, 1)), [2, 3, 4, 5], "one turn");
  assert.deepEqual(run(bits(1, 1, 1)), [4, 5, 6, 7], "three turns");
}

function checkChoosing(run: Run, reset: () => void): void {
  const x = Int8Array.of(1, 1, 1, 1);
  const given = (on: number) => ({ flag: Uint8Array.of(on), x });
  for (let again = 0; again < 2; again++) {
    assert.deepEqual(run(given(1)), [11, 21, 31, 41], "the start is added");
    assert.deepEqual(run(given(1)), [12, 22, 32, 42], "what was assigned is added");
    assert.deepEqual(run(given(0)), [1, 1, 1, 1], "nothing is added");
    assert.deepEqual(run(given(1)), [2, 2, 2, 2], "the last value is added");
    reset();
  }
}

for (const module of ["scalar", "simd"] as const)
  describe(`control flow, ${module}`, () => {
    for (const threads of module === "simd" ? [1, 2] : [1])
      test(`a saved plan, threads: ${threads}`, async () => {
        const open = async (network: Graph) => {
          const plan = readPlan(writePlan(await planned(network, module)));
          return Session.open(plan, await loadModule(module, undefined, "full"), { threads });
        };
        const [loop, choice] = [await open(counting()), await open(choosing())];
        checkCounting((inputs) => [...(loop.run(inputs).y as Int8Array)]);
        checkChoosing(
          (inputs) => [...(choice.run(inputs).y as Int8Array)],
          () => choice.reset(),
        );
        loop.close();
        choice.close();
      });

    test("a loop that never ends is an error once it has had the work of a run, or a second of steps", async () => {
      const start = process.cpuUsage();
      for (const limits of [{}, { work: 400 }]) {
        const session = await Session.open(
          await planned(endless(), module, limits),
          await loadModule(module, undefined, "full"),
        );
        const never = (a: number) => ({
          a: Uint8Array.of(a),
          b: Uint8Array.of(0),
          c: Uint8Array.of(0),
          v: new Int8Array(4),
        });
        assert.deepEqual([...(session.run(never(0)).y as Int8Array)], [0, 0, 0, 0]);
        assert.throws(() => session.run(never(1)), { code: "TRAP", hint: /loops end/ });
        session.close();
      }
      const { user } = process.cpuUsage(start);
      assert.ok(user < 20e6, `${user} microseconds`);
    });

    test("a few turns are within little work", async () => {
      const plan = await planned(counting(), module, { work: 1000 });
      const session = await Session.open(plan, await loadModule(module, undefined, "full"));
      checkCounting((inputs) => [...(session.run(inputs).y as Int8Array)]);
      session.close();
    });

    test("a module of its own", async () => {
      const compiled = async (network: Graph, limits: Limits = {}) => {
        const plan = await planned(network, module, limits);
        const wasm = await link(plan, await readKernels(module), layoutOf(plan, "speed"), "speed");
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
        const { memory, invoke, reset } = exports as unknown as {
          readonly memory: WebAssembly.Memory;
          readonly invoke: () => number;
          readonly reset: () => number;
        };
        const run: Run = (inputs) => {
          for (const { name, address } of plan.inputs)
            new Int8Array(memory.buffer).set(inputs[name] as Int8Array, address);
          invoke();
          const y = plan.outputs.find((port) => port.name === "y");
          return [...new Int8Array(memory.buffer, y?.address, 4)];
        };
        return { run, reset };
      };
      checkCounting((await compiled(counting())).run);
      const { run, reset } = await compiled(choosing());
      checkChoosing(run, reset);
      const never = await compiled(endless(), { work: 400 });
      const from = (a: number) => ({
        a: Int8Array.of(a),
        b: new Int8Array(1),
        c: new Int8Array(1),
        v: new Int8Array(4),
      });
      assert.deepEqual(never.run(from(0)), [0, 0, 0, 0]);
      assert.throws(() => never.run(from(1)), /unreachable/);
    });
  });

test("a loop's constants that stay go into its graphs", () => {
  const network = counting();
  const tensors = network.tensors.map((each) => (each.name === "c" ? flag("c", 1) : each));
  const bodies = bodiesOfFirst(network);
  const outputs = bodies[1].outputs.map((port, i) => (i === 2 ? (bodies[1].inputs[2] as typeof port) : port));
  const loop = node("while", [0, 1, 2, 3], [4, 5, 6, 7], {
    subgraphs: [],
    bodies: [bodies[0], { ...bodies[1], outputs }],
  });
  const inputs = network.inputs.filter(({ name }) => name !== "c");
  const passed = runPasses({ ...network, tensors, inputs, nodes: [loop] });
  assert.deepEqual(passed.nodes[0]?.inputs, [0, 1, 3]);
  assert.deepEqual(passed.tensors[6]?.data, Uint8Array.of(1));
});

test("bodies of other types, and conditions that are no bool, are refused", () => {
  const [yes, no] = bodiesOfFirst(choosing());
  const wrong = (bodies: readonly Graph[], condition: Tensor) =>
    graph([condition, value("x"), value("y")], [node("if", [0, 1], [2], { subgraphs: [], bodies })], [0, 1], [2]);
  const longer = graph([value("x"), axes], [], [0], [1]);
  assert.throws(() => runPasses(wrong([yes, longer], flag("f"))), /C4: expected outputs of both/);
  assert.throws(() => runPasses(wrong([yes, { ...no, inputs: [] }], flag("f"))), /C3/);
  assert.throws(() => runPasses(wrong([yes, no], value("f"))), /C2: expected a condition of one bool/);
  assert.throws(() => runPasses(wrong([yes], flag("f"))), /C1: expected 2 subgraphs/);
});

test("loops in loops share what one may take", async () => {
  const number = (name: string, data?: number): Tensor => ({
    name,
    dtype: "int32",
    shape: [],
    ...(data === undefined ? {} : { data: new Uint8Array(Int32Array.of(data).buffer) }),
  });
  const below = graph(
    [number("i"), number("n"), { ...flag("more"), shape: [] }],
    [node("less", [0, 1], [2], {})],
    [0, 1],
    [2],
  );
  const plus = { activation: "none" } as const;
  const count = graph(
    [number("j"), number("n"), number("one", 1), number("next")],
    [node("add", [0, 2], [3], plus)],
    [0, 1],
    [3, 1],
  );
  const rows = graph(
    [number("i"), number("n"), number("zero", 0), number("j"), number("m"), number("one", 1), number("next")],
    [node("while", [2, 1], [3, 4], { subgraphs: [], bodies: [below, count] }), node("add", [0, 5], [6], plus)],
    [0, 1],
    [6, 4],
  );
  const network = graph(
    [number("i"), number("n"), number("y"), number("last")],
    [node("while", [0, 1], [2, 3], { subgraphs: [], bodies: [below, rows] })],
    [0, 1],
    [2],
  );
  const session = await Session.open(await planned(network, "simd"), await loadModule("simd", undefined, "full"));
  const run = (n: number) => session.run([Int32Array.of(0), Int32Array.of(n)]).y;
  for (let i = 0; i < 3; i++) assert.deepEqual(run(1000), Int32Array.of(1000));
  const start = process.cpuUsage();
  assert.throws(() => run(2 ** 20), { code: "TRAP", hint: /loops end/ });
  assert.ok(process.cpuUsage(start).user < 20e6);
  session.close();
  const { wasm } = await compileModel(await planned(network, "simd"), {});
  const compiled = (await WebAssembly.instantiate(await WebAssembly.compile(wasm))).exports as unknown as Exports;
  const memory = () => new Int32Array(compiled.memory.buffer);
  for (const n of [1000, 2 ** 20, 7]) {
    memory()[compiled.input_ptr(0) / 4] = 0;
    memory()[compiled.input_ptr(1) / 4] = n;
    if (n > 1000) assert.throws(() => compiled.invoke(), WebAssembly.RuntimeError);
    else assert.equal(compiled.invoke(), 0);
    if (n <= 1000) assert.equal(memory()[compiled.output_ptr(0) / 4], n);
  }
  assert.ok(process.cpuUsage(start).user < 40e6);
});

test("what a turn computes of a part of the state that nothing reads after lies where that part lay", async () => {
  const { bodies } = await planned(counting(), "simd");
  const turn = bodies.find(({ steps }) => steps.some(({ kernel }) => kernel === "copy"));
  const copies = turn?.steps.filter(({ kernel }) => kernel === "copy");
  // two flags that move on are put aside first; the value is not copied
  assert.equal(copies?.length, 5);
});
