/**
 * Every intermediate tensor equals the reference's: all of them without the optional passes, those that are left with
 * them. The graph's outputs are set to all computed tensors, so that none is overwritten.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { difference, join, LAYERS, layers, modules, open, prepare, shared, skipShared } from "./cases.ts";

for (const { name: module, kernels, skip } of await modules())
  describe(`layers, ${module}`, { skip: skipShared || skip }, () => {
    for (const { name, path } of LAYERS)
      for (const only of ["all", "none"] as const)
        test(`${name}, passes: ${only}`, async () => {
          assert.ok(kernels);
          const graph = prepare(shared(`models/${name}.tflite`), only);
          const dumps = new Map(layers(path).map((layer) => [layer.tensor, layer]));
          const computed = graph.nodes.flatMap(({ outputs }) => outputs).filter((id) => dumps.has(id));
          const outputs = computed.map((tensor) => ({ name: `t${tensor}`, tensor }));
          const session = await open({ ...graph, outputs }, kernels);
          const inputs = graph.inputs.map(({ tensor }) =>
            Int8Array.from(dumps.get(tensor)?.bytes ?? assert.fail("no input")),
          );
          const results = session.run(inputs);
          for (const tensor of computed) {
            const result = join({ result: results[`t${tensor}`] ?? assert.fail(`no tensor ${tensor}`) });
            assert.equal(difference(result, dumps.get(tensor)?.bytes ?? assert.fail()), "", `tensor ${tensor}`);
          }
          const dumped = [...dumps.values()].filter(({ constant }) => !constant).length - graph.inputs.length;
          if (only === "none") assert.equal(computed.length, dumped, "every dump was compared");
        });
  });
