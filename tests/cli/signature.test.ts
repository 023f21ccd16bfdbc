/** Which of a model's signatures a command takes. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { inspectModel, loadModel } from "../../bindings/public/index.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";
import { folder, pint8 } from "./run.ts";

const weights = Float32Array.from({ length: 16 }, (_, i) => (i - 7) / 8);
const floats = (name: string) => ({ name, dtype: "float32", shape: [1, 4] }) as const;
const graph = {
  tensors: [floats("x"), floats("y"), { ...floats("w"), shape: [4, 4], data: weights }, { ...floats("b"), shape: [4] }],
  operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
  inputs: [0],
  outputs: [1],
} as const;
const layer = [{ code: "FULLY_CONNECTED", inputs: [0, 2, -1], outputs: [1], options: options.fullyConnected({}) }];
const signatures = [
  { key: "clip", inputs: { image: 0 }, outputs: { clipped: 1 } },
  { key: "mix", subgraph: 1, inputs: { image: 0 }, outputs: { mixed: 1 } },
];
const BOTH = buildTflite({ ...graph, subgraphs: [{ ...graph, operators: layer }], signatures });

function files(t: TestContext) {
  const dir = folder(t);
  const [model, input] = [join(dir, "both.tflite"), join(dir, "x.bin")];
  writeFileSync(model, BOTH);
  writeFileSync(input, new Uint8Array(Float32Array.of(1, -2, 3, -4).buffer));
  return { dir, model, input, file: (name: string) => join(dir, name) };
}

test("run, bench, types, plan and compile take the signature that is named, and the first subgraph without", async (t) => {
  const { model, input, file } = files(t);
  const good = async (...args: readonly string[]) => {
    const { status, out, err } = await pint8(...args);
    assert.equal(status, 0, err);
    return out;
  };
  const [plan, wasm] = [file("mix.plan"), file("mix.wasm")];
  const outputs = async (...args: readonly string[]) =>
    JSON.parse(await good("run", ...args, "--input", input, "--json")).outputs.map(
      ({ name }: { name: string }) => name,
    );
  assert.deepEqual(await outputs(model), ["clipped"]);
  assert.deepEqual(await outputs(model, "--signature", "mix"), ["mixed"]);
  assert.match(
    await good("bench", model, "--signature", "mix", "--runs", "1", "--duration", "1", "--json"),
    /"macs":16,/,
  );
  assert.match(await good("types", model, "--signature", "mix"), /readonly name: "mixed"/);
  await good("plan", model, "--signature", "mix", "-o", plan);
  assert.deepEqual(await outputs(plan), ["mixed"]);
  await good("compile", model, "--signature", "mix", "--batch", "3", "-o", wasm);
  assert.match(readFileSync(file("mix.d.ts"), "utf8"), /mixed[^\n]*\[3, 4\]/);
  const refused = await pint8("run", plan, "--input", input, "--signature", "mix");
  assert.match(refused.err, /OPTION: signature: expected none: the plan has its own, received mix/);
});

test("inspect lists signatures where there are several, and those there are where one is not", async (t) => {
  const { model } = files(t);
  const { out } = await pint8("inspect", model, "--signature", "mix");
  assert.match(out, /^signatures clip, mix: --signature chooses one$/m);
  assert.match(out, /^output {2}"mixed"/m);
  assert.match(out, /FULLY_CONNECTED/);
  const unknown = await pint8("inspect", model, "--signature", "mixed");
  assert.equal(unknown.status, 1);
  assert.match(unknown.err, /OPTION: option signature: expected "clip", "mix", received "mixed"/);
  assert.deepEqual((await inspectModel(BOTH)).signatures, ["clip", "mix"]);
  const one = buildTflite({ ...graph, signatures: signatures.slice(0, 1) });
  assert.deepEqual((await inspectModel(one, { signature: "clip" })).signatures, ["clip"]);
  assert.deepEqual((await inspectModel(buildTflite(graph))).signatures, []);
});

test("inspect tells a signature that cannot run whole, by the names that the signature has", async () => {
  const strange = { ...graph, operators: [{ code: "LSH_PROJECTION", inputs: [0], outputs: [1] }] };
  const bytes = buildTflite({ ...graph, subgraphs: [strange], signatures });
  assert.equal((await inspectModel(bytes)).refusal, "");
  const { operators, refusal, inputs, outputs, signatures: names } = await inspectModel(bytes, { signature: "mix" });
  assert.match(refusal, /^subgraph 1, node 0 \(LSH_PROJECTION\)/);
  assert.deepEqual(
    [operators.map(({ where }) => where), inputs[0]?.name, outputs[0]?.name, names],
    [["subgraph 1, node 0 (LSH_PROJECTION)"], "image", "mixed", ["clip", "mix"]],
  );
});

test("evaluate judges a signature, and the same of others that have it; quantize and prune keep the others", async (t) => {
  const { model, file } = files(t);
  const [data, labels, int8, pruned] = [file("x.csv"), file("y.csv"), file("int8.tflite"), file("pruned.tflite")];
  const rows = Array.from({ length: 20 }, (_, i) => [1, -1, 0.5, 0.25].map((w) => w * Math.sin(i)));
  writeFileSync(data, rows.map((row) => row.join(",")).join("\n"));
  writeFileSync(labels, rows.map((_, i) => i % 4).join("\n"));
  const good = async (...args: readonly string[]) => {
    const { status, out, err } = await pint8(...args);
    assert.equal(status, 0, err);
    return out;
  };
  await good("quantize", model, "--signature", "mix", "--data", data, "-o", int8);
  await good("prune", model, "--signature", "mix", "--sparsity", "50%", "-o", pruned);
  for (const made of [int8, pruned]) {
    const { operators, signatures: names } = await inspectModel(readFileSync(made), { signature: "mix" });
    assert.ok(operators.some(({ kind }) => kind === "fullyConnected"));
    assert.deepEqual([...names].sort(), ["clip", "mix"]);
    const clip = await loadModel(readFileSync(made), { signature: "clip" });
    assert.deepEqual([...(clip.run([Float32Array.of(1, -2, 3, -4)]).clipped as Float32Array)], [1, 0, 3, 0]);
  }
  const first = buildTflite({ ...graph, operators: layer });
  writeFileSync(file("first.tflite"), first);
  const against = ["--against", int8, file("first.tflite")];
  const told = await good(
    "evaluate",
    model,
    "--signature",
    "mix",
    "--data",
    data,
    "--labels",
    labels,
    ...against,
    "--json",
  );
  const [own, other] = JSON.parse(told);
  assert.ok(own.layers.some(({ where }: { where: string }) => /FULLY_CONNECTED/.test(where)));
  assert.ok(own.outputs.cosine > 0.99);
  assert.equal(other.outputs.meanError, 0);
});

test(".onnx files have no signatures", async (t) => {
  const { model, dir, input } = files(t);
  const onnx = join(dir, "clip.onnx");
  const made = await pint8("prune", model, "--signature", "mix", "-o", onnx);
  assert.equal(made.status, 0, made.err);
  const { err } = await pint8("run", onnx, "--input", input, "--signature", "mix");
  assert.match(err, /OPTION: signature: expected none: \.tflite files alone have it, received mix/);
});
