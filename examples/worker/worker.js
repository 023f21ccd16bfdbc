/**
 * An edge worker: POST the raw bytes of the model's input, get the classes with their scores. The module is imported statically, as
 * workers must; model.wasm and model.js come from `pint8 compile digits_int8.tflite -o model.wasm --module simd`.
 */
import { inputs, instantiate, outputs } from "./model.js";
import module from "./model.wasm";

const model = instantiate(module);
const [input] = inputs;
const [output] = outputs;
const size = input.shape.reduce((all, n) => all * n, 1);

// biome-ignore lint/style/noDefaultExport: a worker is its default export.
export default {
  async fetch(request) {
    if (request.method !== "POST")
      return new Response(`POST ${size} bytes: ${input.name} ${input.shape}\n`, { status: 405 });
    const bytes = await request.arrayBuffer();
    if (bytes.byteLength !== size)
      return new Response(`expected ${size} bytes, received ${bytes.byteLength}\n`, { status: 400 });
    const scores = [...model.run([new Int8Array(bytes)])[output.name]].map(
      (q) => output.scale * (q - output.zeroPoint),
    );
    return Response.json({ class: scores.indexOf(Math.max(...scores)), scores });
  },
};
