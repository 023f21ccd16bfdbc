/** Standalone modules give the reference's bytes elsewhere too: wabt's interpreter, C, a Cortex-M, Deno, workerd. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CASES, type Case, difference, skipShared } from "../models/cases.ts";
import { compileAll, type Files, instantiate, temporaryFolder } from "./compiled.ts";
import { fromNpm, missing, run, type Said } from "./tools.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
/** Pinned: what is downloaded here is run. */
const [DENO, WORKERD] = ["deno@2.9.6", "workerd@1.20261117.1"];
/** The variants of the digits model run the same kernels. */
const cases = CASES.filter(({ name }) => !/^digits_.+_int8$/.test(name) || name === "digits_res_int8");

/** Small enough for an interpreter, about 3 million MACs. */
const isSmall = ({ name }: Case): boolean => !/^(vww|pretrained|person|tf2)/.test(name);

const ok = ({ status, out, err }: Said): string => {
  assert.equal(status, 0, `${err}${out}`);
  return out;
};

describe("standalone modules in other engines", { skip: skipShared }, () => {
  if (skipShared) return;
  // Every model in scalar; the others, whose bytes Node compares for every model, where an engine adds something.
  const modules = { scalar: cases, simd: cases.filter(isSmall), relaxed: cases.filter(isSmall) } as const;
  const files = compileAll(
    temporaryFolder(),
    (["scalar", "simd", "relaxed"] as const).flatMap((module) =>
      modules[module].map(({ name, model }) => ({ name: `${name}-${module}`, bytes: model(), options: { module } })),
    ),
  );
  const fileOf = (name: string, module: string): Files =>
    files.find((file) => file.name === `${name}-${module}`) ?? assert.fail(name);
  const first = ({ runs }: Case) => runs()[0] ?? assert.fail("no run");

  describe("wabt's interpreter", { skip: missing("spectest-interp", "wat2wasm") }, () => {
    for (const each of cases.filter(isSmall))
      for (const module of ["scalar", "simd"])
        test(`${each.name}, ${module}`, () => {
          const { input, output } = first(each);
          assert.equal(difference(interpret(fileOf(each.name, module), input), output), "");
        });
  });

  describe("wasm2c and gcc", { skip: missing("wasm2c", "gcc") }, () => {
    for (const each of cases)
      test(each.name, () => {
        const { folder } = fileOf(each.name, "scalar");
        const { input, output } = first(each);
        writeFileSync(join(folder, "input.bin"), input);
        ok(run("wasm2c", ["model.wasm", "-n", "model", "-o", "model_module.c"], folder));
        const sources = [join(EXAMPLES, "c/host.c"), join(EXAMPLES, "c/runtime.c"), "model_module.c"];
        const options = ["-O1", "-DNDEBUG", "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0", "-Wall", "-Wno-unused", "-I."];
        ok(run("gcc", [...options, ...sources, "-lm", "-o", "host"], folder));
        const said = ok(run("./host", ["input.bin", "output.bin"], folder));
        assert.match(said, /^class \d+, score /);
        assert.equal(difference(new Uint8Array(readFileSync(join(folder, "output.bin"))), output), "");
        writeFileSync(join(folder, "long.bin"), Buffer.concat([input, new Uint8Array(1)]));
        assert.match(run("./host", ["long.bin", "none.bin"], folder).err, /^too long/);
      });
  });

  const boards = missing("wasm2c", "arm-none-eabi-gcc", "qemu-system-arm");
  describe("firmware on an emulated Cortex-M3", { skip: boards }, () => {
    const small = cases.filter(({ name }) => fileOf(name, "scalar").report.usedBytes <= 2 ** 20);
    for (const each of small)
      test(each.name, () => {
        const { folder, report } = fileOf(each.name, "scalar");
        const { input, output } = first(each);
        writeFileSync(join(folder, "input.bin"), input);
        ok(run("sh", [join(EXAMPLES, "cortex-m/build.sh")], folder));
        const board = "-M mps2-an385 -nographic -monitor none -serial none -icount shift=0";
        const semihosting = ["-semihosting-config", "enable=on,target=native", "-kernel", "firmware.elf"];
        const qemu = run("qemu-system-arm", [...board.split(" "), ...semihosting], folder);
        const said = `${ok(qemu)}${qemu.err}`;
        assert.equal(difference(new Uint8Array(readFileSync(join(folder, "output.bin"))), output), "");
        const [, best, ram, flash, instructions] =
          /class (\d+)\nRAM (\d+) bytes\nflash (\d+) bytes\ninstructions (\d+)/.exec(said) ?? assert.fail(said);
        const scores = new Int8Array(output);
        assert.equal(Number(best), scores.indexOf(Math.max(...scores)));
        assert.ok(Number(ram) >= report.usedBytes && Number(ram) < report.usedBytes + 1024, `${ram} bytes of RAM`);
        assert.ok(
          Number(flash) > report.weightBytes && Number(flash) < report.moduleBytes + 32768,
          `${flash} of flash`,
        );
        assert.ok(Number(instructions) > report.macs && Number(instructions) < 100 * report.macs + 1e6, instructions);
      });
  });

  test("Deno, every module, by the loader", (t) => {
    const { command, skip } = fromNpm(DENO);
    if (skip) return t.skip(skip);
    const { folder } = fileOf("hello_world_int8", "scalar");
    const jobs = files.map(({ name, folder }) => {
      const each = cases.find((candidate) => name.startsWith(`${candidate.name}-`)) ?? assert.fail(name);
      return { name, folder, runs: each.runs().map(({ input, output }) => [[...input], [...output]]) };
    });
    writeFileSync(join(folder, "jobs.json"), JSON.stringify(jobs));
    writeFileSync(join(folder, "deno.mjs"), DENO_PROGRAM);
    const said = ok(run("npx", [...command, "run", "--allow-read", "--no-lock", "deno.mjs"], folder));
    const [equal = 0, inexact = 0] = [...said.matchAll(/\d+/g)].map(Number);
    const relaxed = jobs.filter(({ name }) => name.endsWith("-relaxed")).length;
    assert.ok(inexact === 0 || inexact === relaxed, said);
    assert.equal(equal + inexact, jobs.length);
  });

  test("workerd answers HTTP with a prediction", async (t) => {
    const { command, skip } = fromNpm(WORKERD);
    if (skip) return t.skip(skip);
    const { folder } = fileOf("digits_int8", "simd");
    for (const name of ["worker.js", "workerd.capnp"]) copyFileSync(join(EXAMPLES, "worker", name), join(folder, name));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [...command, "serve", "workerd.capnp", `--socket-addr=http=${address}`];
    const server = spawn("npx", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"], detached: true });
    t.after(() => process.kill(-(server.pid ?? assert.fail()), "SIGTERM"));
    let said = "";
    server.stderr.on("data", (data) => {
      said += data;
    });
    const { runs } = cases.find(({ name }) => name === "digits_int8") ?? assert.fail();
    for (const { input, output } of runs().slice(0, 3)) {
      const body = input.slice().buffer as ArrayBuffer;
      const response = await patiently(`http://${address}/`, { method: "POST", body }, () => said);
      assert.equal(response.status, 200);
      const answer = (await response.json()) as { class: number; scores: number[] };
      const scores = [...new Int8Array(output)];
      assert.equal(answer.class, scores.indexOf(Math.max(...scores)));
      assert.deepEqual(
        answer.scores,
        scores.map((q) => (q + 128) / 256),
      );
    }
    const wrong = await fetch(`http://${address}/`, { method: "POST", body: "short" });
    assert.equal(wrong.status, 400);
    await wrong.body?.cancel();
  });
});

/** Runs a module in wabt's interpreter; a second module, which imports the first one's memory, writes input and reads output. */
function interpret({ folder, wasm }: Files, input: Uint8Array): Uint8Array {
  const { input_ptr, output_ptr, output_bytes, memory } = instantiate({ wasm });
  const data = [...input].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  const pages = memory.buffer.byteLength / 65536;
  const probe = `(module (import "model" "memory" (memory ${pages} ${pages}))
    (data (i32.const ${input_ptr(0)}) "${data}")
    (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))`;
  writeFileSync(join(folder, "probe.wat"), probe);
  ok(run("wat2wasm", ["probe.wat", "-o", "probe.wasm"], folder));
  const bytes = Array.from({ length: output_bytes(0) }, (_, i) => output_ptr(0) + i);
  const invoke = (module: string, field: string, args: readonly object[]) => ({ type: "invoke", module, field, args });
  const commands = [
    { type: "module", line: 1, name: "$model", filename: "model.wasm" },
    { type: "register", line: 1, name: "$model", as: "model" },
    { type: "module", line: 1, name: "$probe", filename: "probe.wasm" },
    {
      type: "assert_return",
      line: 1,
      action: invoke("$model", "invoke", []),
      expected: [{ type: "i32", value: "0" }],
    },
    ...bytes.map((address) => ({
      type: "action",
      line: 1,
      action: invoke("$probe", "byte", [{ type: "i32", value: `${address}` }]),
      expected: [{ type: "i32" }],
    })),
  ];
  writeFileSync(join(folder, "run.json"), JSON.stringify({ source_filename: "run.wast", commands }));
  const said = ok(run("spectest-interp", ["run.json"], folder));
  return Uint8Array.from([...said.matchAll(/^byte\(i32:\d+\) => i32:(\d+)$/gm)].map(([, byte]) => Number(byte)));
}

const DENO_PROGRAM = `
let equal = 0;
let inexact = 0; // relaxed modules on processors whose dot product saturates refuse to run, and say so
for (const { name, folder, runs } of JSON.parse(Deno.readTextFileSync("jobs.json"))) {
  const { load } = await import("file://" + folder + "/model.js");
  const model = await load();
  const [{ name: input, dtype }] = model.inputs;
  const View = dtype === "uint8" ? Uint8Array : Int8Array;
  for (const [bytes, expected] of runs) {
    let result;
    try {
      [result] = Object.values(model.run({ [input]: new View(Uint8Array.from(bytes).buffer) }));
    } catch (error) {
      if (!name.endsWith("-relaxed") || !/dot product of this engine is not exact/.test(error.message)) throw error;
      inexact++;
      break;
    }
    const got = new Uint8Array(result.buffer);
    if (got.length !== expected.length || expected.some((byte, i) => byte !== got[i])) throw new Error(name);
  }
  equal++;
}
console.log(equal - inexact + " equal, " + inexact + " inexact");
`;

/** A port of this machine that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

/** Asks again until the server has started, for 20 s at most. */
async function patiently(url: string, request: RequestInit, said: () => string): Promise<Response> {
  for (const end = Date.now() + 20_000; ; )
    try {
      return await fetch(url, request);
    } catch (error) {
      if (Date.now() > end) throw new Error(`${error}: ${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
