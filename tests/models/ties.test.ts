/** Accumulators at which two ways of writing the multiplier round apart: FULLY_CONNECTED and SUB as the reference has them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { typedCopy } from "../../bindings/tensor.ts";
import { skipShared } from "../formats/shared.ts";
import { modules } from "./cases.ts";

const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../shared/bugs/${name}`, import.meta.url)));

for (const { name: module, skip } of skipShared ? [] : await modules())
  describe(`ties, ${module}`, { skip }, () => {
    for (const name of ["fc_per_tensor_scale_product", "sub_double_factors"])
      test(name, async () => {
        const session = await loadModel(bytesOf(`${name}.tflite`), { module });
        const values = session.inputs.map(({ dtype }, i) => typedCopy(dtype, bytesOf(`${name}.x${i}.bin`)));
        const [y] = Object.values(session.run(values));
        assert.deepEqual(new Uint8Array((y as Int8Array).buffer), bytesOf(`${name}.tflm.bin`));
        session.close();
      });
  });
