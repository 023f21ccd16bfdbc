/** The parts of the compiler that need no Binaryen: segments, memory, generated text; and modules of hand-made plans. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import ts from "typescript";
import { headerText, macroPrefix } from "../../bindings/compile/header.ts";
import { readKernels } from "../../bindings/compile/kernels.ts";
import { layoutOf } from "../../bindings/compile/layout.ts";
import { declarationText, loaderText } from "../../bindings/compile/loader.ts";
import { withoutZeros } from "../../bindings/compile/segments.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import type { Plan, PlanPort } from "../../bindings/plan/types.ts";
import { paramBytes } from "../../bindings/primitives/params.ts";
import { kernelNumber } from "../../bindings/primitives/registry.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import { planModel } from "../../bindings/public/index.ts";
import { type Files, instantiate, loadFiles, temporaryFolder, tryCompile } from "./compiled.ts";
import { missing, run } from "./tools.ts";

const DIGITS = fileURLToPath(new URL("../../models/digits/digits_int8.tflite", import.meta.url));

test("segments hold every byte that is not zero, and few zeros", () => {
  const bytes = fc.array(fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 6 })), { maxLength: 20 });
  fc.assert(
    fc.property(bytes, (runs) => {
      const image = new Uint8Array(runs.flatMap(([zeros, some]) => [...new Uint8Array(zeros), ...some]));
      const memory = new Uint8Array(image.length);
      let end = -16;
      for (const segment of withoutZeros({ address: 64, bytes: image })) {
        const start = segment.address - 64;
        assert.ok(start >= end + 16 && segment.bytes[0] !== 0 && segment.bytes.at(-1) !== 0);
        memory.set(segment.bytes, start);
        end = start + segment.bytes.length;
      }
      assert.deepEqual(memory, image);
    }),
  );
});

test("an image with very many runs of zeros stays within what engines take", () => {
  const bytes = new Uint8Array(2_000_000);
  for (let i = 0; i < bytes.length; i += 20) bytes[i] = 1;
  const segments = withoutZeros({ address: 0, bytes });
  assert.ok(segments.length > 0 && segments.length <= 20_000, `${segments.length}`);
  assert.equal(segments.flatMap((segment) => [...segment.bytes]).filter((byte) => byte === 1).length, 100_000);
});

test("the digits as one module are within 30 KiB: no constants of kernels that it has not", async () => {
  const { wasm } = await compileModel(readFileSync(DIGITS));
  assert.ok(wasm.length <= 30 * 1024, `${wasm.length} bytes`);
});

test("what is no model and no option is refused, by the file's name", async () => {
  const compile = compileModel as (source: unknown, options?: unknown) => Promise<unknown>;
  const plan = await planModel(readFileSync(DIGITS), { module: "scalar" });
  const cases: readonly (readonly [unknown, unknown, RegExp])[] = [
    [plan, { maxMem: 1 }, /^compileModel: .*received "maxMem"$/],
    [plan, "simd", /^compileModel: expected an object of options/],
    [plan, null, /^compileModel: expected an object of options/],
    [plan, { shapes: [1] }, /^compileModel: .*shapes, received Array$/],
    [plan, { shapes: { image: [1] } }, /^shapes: .*received image$/],
    [plan, { signature: "serving_default" }, /^signature: expected none/],
    [null, {}, /^source: expected bytes.*received null$/],
    [new File(["<html>"], "page.tflite"), {}, /^page\.tflite: .*an HTML page$/],
  ];
  for (const [source, options, message] of cases)
    await assert.rejects(compile(source, options), (error: Error) => {
      assert.ok(error instanceof Pint8Error, error.stack);
      assert.match(error.message, message);
      return true;
    });
});

const port = (name: string, address: number, bytes: number): PlanPort => ({
  name,
  dtype: "int8",
  shape: [bytes],
  scale: 0.5,
  zeroPoint: -3,
  address,
  bytes,
});

/** Copies its input into two variables, which are its outputs: what is left after reset() is their start. */
async function stateful(): Promise<Plan> {
  const { hash } = await readKernels("scalar");
  const imageAddress = 1040;
  const image = new Uint8Array(32 + 2 * 32 + 16);
  image.set([1, 2, 3, 4, 5], 0);
  image.fill(0x87, 16, 21);
  const copy = (y: number) => paramBytes("Copy", { x: 1024, y, rows: 1, bytes: 5, xStride: 5, yStride: 5 });
  image.set(copy(imageAddress), 32);
  image.set(copy(imageAddress + 16), 64);
  const table = [32, 64].flatMap((params) => [kernelNumber("copy"), imageAddress + params]);
  image.set(new Uint8Array(Uint32Array.from(table).buffer), 96);
  const step = (params: number) =>
    ({
      kernel: "copy",
      params: imageAddress + params,
      where: "node 0",
      note: "",
      macs: 0,
      elements: 0,
      bytes: 0,
      parts: 1,
    }) as const;
  return {
    module: "scalar",
    edition: "core",
    moduleHash: hash,
    arenaAddress: 1024,
    arenaBytes: 16,
    imageAddress,
    image,
    scratchAddress: imageAddress + image.length,
    scratchBytes: 0,
    stepsAddress: imageAddress + 96,
    steps: [step(32), step(64)],
    inputs: [port("x", 1024, 5)],
    outputs: [port("a", imageAddress, 5), port("b", imageAddress + 16, 5)],
    bodies: [],
    hosts: [],
    variables: [
      { address: imageAddress, bytes: 5 },
      { address: imageAddress + 16, bytes: 5 },
    ],
  };
}

/** The names that a model may have are anybody's. */
const HOSTILE = ['"*/ */\n#error', "\\u0022};alert(1)//", `\u2028\${x}\``, "__proto__", "\ud800", "日本"];

test("reset, limits, plans of other kernels, damaged models", async () => {
  const plan = await stateful();
  const folder = temporaryFolder();
  const digits = new Uint8Array(readFileSync(DIGITS));
  const [state, fits, over, stale, asSimd, batch, damaged, size] = tryCompile(folder, [
    { name: "state", bytes: writePlan(plan) },
    { name: "fits", bytes: digits, options: { maxMemory: 65536 * 2 } },
    { name: "over", bytes: digits, options: { maxMemory: 65535 } },
    { name: "stale", bytes: writePlan({ ...plan, moduleHash: "00".repeat(32) }) },
    { name: "asSimd", bytes: writePlan(plan), options: { module: "simd" } },
    { name: "batch", bytes: writePlan(plan), options: { batch: 2 } },
    { name: "damaged", bytes: digits.slice(0, 5000) },
    { name: "size", bytes: digits, options: { optimize: "tiny" as "size" } },
  ]);
  const model = await loadFiles(files(state));
  const start = { a: Int8Array.of(1, 2, 3, 4, 5), b: new Int8Array(5).fill(0x87) };
  const { output_ptr } = instantiate(files(state));
  const now = () => [0, 1].map((i) => new Int8Array(model.memory.buffer, output_ptr(i), 5).slice());
  assert.deepEqual(now(), [start.a, start.b]);
  const x = Int8Array.of(9, 8, 7, -6, 0);
  assert.deepEqual(model.run({ x }), { a: x, b: x });
  assert.deepEqual(now(), [x, x]);
  model.reset();
  assert.deepEqual(now(), [start.a, start.b]);
  for (const wrong of [{}, { y: x }, [], [new Uint8Array(5)], { x: new Int8Array(4) }])
    assert.throws(() => model.run(wrong), /input "x": expected Int8Array of 5 elements/);

  assert.equal(files(fits).report.memoryBytes % 65536, 0);
  const failures = [over, stale, asSimd, batch, damaged, size].map((result) =>
    result !== undefined && "error" in result ? `${result.error.code} ${result.error.message}` : "none",
  );
  assert.match(failures[0] ?? "", /^OUT_OF_MEMORY .*within 65535 bytes.* needs \d+ .*largest tensors: ".*\d+ bytes/);
  assert.match(failures[1] ?? "", /^INVALID_PLAN /);
  assert.match(failures[2] ?? "", /^INVALID_OPTION module/);
  assert.match(failures[3] ?? "", /^INVALID_OPTION batch/);
  assert.match(failures[4] ?? "", /^INVALID_MODEL /);
  assert.match(failures[5] ?? "", /^INVALID_OPTION optimize/);
});

function files(result: ReturnType<typeof tryCompile>[number] | undefined): Files {
  assert.ok(result !== undefined && !("error" in result), JSON.stringify(result));
  return result;
}

test("generated JavaScript and types hold for any names", async () => {
  const plan = await stateful();
  const named = { ...plan, inputs: HOSTILE.map((name, i) => ({ ...port(name, 1024 + i, 1), scale: i / 3 })) };
  for (const name of ["model", ...HOSTILE.filter((text) => !text.includes("/") && text !== "\ud800")]) {
    const [js, types] = [loaderText(named, name), declarationText(named, name)];
    assert.deepEqual(problems("model.js", js), []);
    assert.deepEqual(problems("types.ts", types), []);
    const url = `data:text/javascript,${encodeURIComponent(js)}`;
    const { inputs } = (await import(url)) as { inputs: readonly { name: string; scale: number }[] };
    assert.deepEqual(
      inputs.map(({ name, scale }) => [name, scale]),
      HOSTILE.map((text, i) => [text, i / 3]),
    );
  }
  assert.match(
    declarationText(plan, "m"),
    /readonly shape: readonly \[5\], readonly scale: 0.5, readonly zeroPoint: -3/,
  );
});

function problems(name: string, text: string): readonly string[] {
  const { diagnostics = [] } = ts.transpileModule(text, { fileName: name, reportDiagnostics: true });
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
}

test("the header is C for any names", { skip: missing("gcc") }, async () => {
  const plan = await stateful();
  const folder = temporaryFolder();
  const named = { ...plan, inputs: HOSTILE.map((name, i) => port(name, 1024 + i, 1)) };
  writeFileSync(join(folder, "model.h"), headerText(named, layoutOf(plan, "size"), "model"));
  const program = `#include <stdint.h>
#include "model.h"
_Static_assert(MODEL_INPUTS == ${HOSTILE.length} && MODEL_OUTPUT_1_BYTES == 5 && MODEL_OUTPUT_0_ZERO_POINT == -3, "");
_Static_assert(sizeof(MODEL_OUTPUT_0_TYPE) == 1 && MODEL_USED_BYTES <= MODEL_MEMORY_BYTES, "");
const unsigned shape[] = MODEL_OUTPUT_0_SHAPE;
const float scale = MODEL_OUTPUT_0_SCALE;
const char *names[] = {${HOSTILE.map((_, i) => `MODEL_INPUT_${i}_NAME`)}};
`;
  writeFileSync(join(folder, "header.c"), program);
  const { status, err } = run("gcc", ["-std=c11", "-Wall", "-Wextra", "-Werror", "-c", "header.c"], folder);
  assert.equal(status, 0, err);
  assert.equal(macroPrefix("my-model.v2"), "MY_MODEL_V2");
  assert.equal(macroPrefix("2nd"), "MODEL_2ND");
});
