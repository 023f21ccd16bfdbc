/** What a worker of a page makes small, and Node beside it: bundled by `optimize.test.ts`, and called by it. */
import {
  arrayDataset,
  distil,
  evaluate,
  freshNetwork,
  prune,
  quantize,
  readNpy,
  reportHtml,
  writeOnnx,
  writeTflite,
} from "pint8/optimize";

const [SIDE, COUNT] = [12, 48];

/** A .npy file of made-up pictures: bars that lie or stand. */
function pictures(): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${COUNT}, ${SIDE}, ${SIDE}), }\n`;
  const bytes = new Uint8Array(10 + header.length + COUNT * SIDE * SIDE);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length]);
  bytes.set(new TextEncoder().encode(header), 10);
  for (let i = 0; i < COUNT; i++)
    for (let at = 0; at < SIDE * SIDE; at++) {
      const along = i & 1 ? at % SIDE : Math.floor(at / SIDE);
      bytes[10 + header.length + i * SIDE * SIDE + at] = along === (i >> 1) % SIDE ? 255 : (i * 7 + at * 13) & 63;
    }
  return bytes;
}

/** The files that it makes, and how good the last is. */
export async function makeSmall(): Promise<{ readonly files: readonly Uint8Array[]; readonly top1: number }> {
  const port = { name: "image", shape: [1, SIDE, SIDE, 1] };
  const labels = Array.from({ length: COUNT }, (_, i) => i & 1);
  const data = arrayDataset([port], [readNpy(pictures(), "pictures")], { labels });
  const teacher = freshNetwork("ds-cnn:0.5", { shape: port.shape, classes: 2, seed: 1 });
  const student = await distil(teacher, data, { student: "ds-cnn:0.25", epochs: 2, batch: 16, seed: 2 });
  const pruned = await prune(student, data, { sparsity: 0.5, tune: { epochs: 1, batch: 16 } });
  const { graph } = await quantize(pruned.graph, data);
  const four = await quantize(pruned.graph, data, { weights: "int4" });
  const file = writeTflite(graph);
  const found = await evaluate(file, data, { against: writeTflite(pruned.graph) });
  if (!reportHtml([found]).includes("</html>")) throw new Error("no report");
  return {
    files: [writeTflite(student), writeTflite(pruned.graph), file, writeTflite(four.graph), writeOnnx(graph)],
    top1: found.model.classes?.top1 ?? -1,
  };
}

if ("WorkerGlobalScope" in globalThis)
  makeSmall().then(
    (made) => postMessage(made),
    (error) => postMessage({ error: String(error) }),
  );
