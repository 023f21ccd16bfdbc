/** All kernels of each module can be linked: whatever instructions they have, the linker knows of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readKernels } from "../../bindings/compile/kernels.ts";
import { layoutOf } from "../../bindings/compile/layout.ts";
import { link } from "../../bindings/compile/link.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { type Edition, MODULES } from "../../bindings/primitives/modules.ts";
import { kernelRows } from "../../bindings/primitives/registry.ts";

for (const module of MODULES)
  test(`every kernel of ${module}`, async () => {
    const kernels = await readKernels(module);
    const inference = kernelRows().filter(([, , edition]) => edition !== ("train" as Edition));
    const none = { where: "node 0", note: "", macs: 0, elements: 0, bytes: 0, parts: 1 };
    const plan: Plan = {
      module,
      edition: "full",
      moduleHash: kernels.hash,
      arenaAddress: 1024,
      arenaBytes: 16,
      imageAddress: 1040,
      image: new Uint8Array(64),
      scratchAddress: 1104,
      scratchBytes: 0,
      stepsAddress: 1040,
      steps: inference.map(([kernel]) => ({ ...none, kernel, params: 1040 })),
      inputs: [],
      outputs: [],
      bodies: [],
      hosts: [],
      variables: [],
    };
    const wasm = await link(plan, kernels, layoutOf(plan, "size"), "size");
    assert.ok(module === "relaxed" || WebAssembly.validate(wasm));
    assert.ok(wasm.length > kernels.wasm.length / 2, `${wasm.length} of ${kernels.wasm.length} bytes`);
  });
