/** The commands that README.md and docs/ show: each line runs as it stands, on a small network and small pictures of such names. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import { writeOnnx } from "../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../bindings/formats/tflite/write/index.ts";
import { freshNetwork } from "../bindings/optimize/train/architectures/index.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "dist/lib/cli.js");
const SIDE = 8;
/** As many pictures as the pages' sample numbers ask for. */
const COUNT = 10_000;
const AT_ONCE = 2;

/** docs/api, where it was made, is no page. */
const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const pages = ["README.md", ...docs.map((name) => `docs/${name}`)];
const lines = pages.flatMap((page) =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .filter((line) => /^(npx )?pint8 /.test(line))
    .map((line) => ({ page, line })),
);

const folder = mkdtempSync(join(tmpdir(), "pint8-pages-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with everything that the lines name, in which `npx pint8` and `pint8` are this tree's. */
function arrange(): void {
  mkdirSync(join(folder, "bin"));
  const script = (name: string, text: string) => {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  };
  script("pint8", `exec "${process.execPath}" "${CLI}" "$@"`);
  script("npx", 'exec "$@"');

  const place = join(folder, "place");
  mkdirSync(join(place, "examples/worker"), { recursive: true });
  for (const at of [folder, place]) symlinkSync(join(ROOT, "models"), join(at, "models"));
  const network = freshNetwork("ds-cnn:0.5", { shape: [1, SIDE, SIDE, 1], classes: 2, seed: 3 });
  for (const name of ["model", "float", "teacher", "digits_f32", "pruned"])
    writeFileSync(join(place, `${name}.tflite`), writeTflite(network));
  writeFileSync(join(place, "model.onnx"), writeOnnx(network));
  const picture = (i: number) => Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at * 37 + i * 11) & 255);
  for (const [of, name] of ["cats", "dogs"].entries()) {
    mkdirSync(join(place, "pictures", name), { recursive: true });
    for (let i = 0; i < 8; i++) {
      const data = picture(2 * i + of);
      writeFileSync(
        join(place, "pictures", name, `${i}.png`),
        encode({ width: SIDE, height: SIDE, data, channels: 1, depth: 8 }),
      );
    }
  }
  const head = (...sizes: number[]) =>
    Buffer.from([0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])]);
  const images = gzipSync(
    Buffer.concat([head(COUNT, SIDE, SIDE), ...Array.from({ length: COUNT }, (_, i) => picture(i))]),
  );
  const labels = gzipSync(Buffer.concat([head(COUNT), Buffer.from(Array.from({ length: COUNT }, (_, i) => i & 1))]));
  for (const prefix of ["", "t10k-"]) {
    writeFileSync(join(place, `${prefix}images-idx3-ubyte.gz`), images);
    writeFileSync(join(place, `${prefix}labels-idx1-ubyte.gz`), labels);
  }
}

const run = (line: string) =>
  new Promise<{ status: number; told: string }>((resolve) => {
    const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
    execFile("bash", ["-c", line], { cwd: join(folder, "place"), env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), told: stdout + stderr }),
    );
  });

/** A bound that such a small network cannot keep ends so; that it does is what the page promises. */
const BOUND =
  /bounds: expected a network that keeps them, received at best|--latency: expected at most .*, received at best/;

const skip = (!existsSync(CLI) && "dist is not built") || (process.platform === "win32" && "no sh");
describe("commands of the pages", { skip, concurrency: AT_ONCE }, () => {
  if (!skip) arrange();
  test("there are some", () => assert.ok(lines.length > 20, `${lines.length} lines`));
  for (const { page, line } of lines)
    test(`${page}: ${line}`, async () => {
      const { status, told } = await run(line);
      if (status !== 0) assert.match(told, BOUND);
    });
});

/** What the lines in Python begin with, each with the packages that it names. */
const PREAMBLES: Readonly<Record<string, string>> = {
  Keras: `import numpy as np
import tensorflow as tf
examples = np.random.default_rng(1).random((200, 8, 8, 1), dtype="float32")
model = tf.keras.Sequential([tf.keras.Input((8, 8, 1)), tf.keras.layers.Conv2D(4, 3, activation="relu"),
  tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, activation="softmax")])
`,
  PyTorch: `import numpy as np
import torch
from onnxruntime import quantization
examples = np.random.default_rng(1).random((200, 1, 8, 8), dtype="float32")
network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3)).eval()
`,
};
const PYTHON = process.env.PYTHON ?? "python3";

describe("converting, as docs/BUNDLERS.md says", { skip }, () => {
  const page = readFileSync(join(ROOT, "docs/BUNDLERS.md"), "utf8");
  const blocks = [...page.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);
  test("there are as many ways as preambles", () => assert.equal(blocks.length, Object.keys(PREAMBLES).length));
  for (const block of blocks) {
    const name = /^# (\w+)/.exec(block)?.[1] ?? "";
    test(name, async (t) => {
      const preamble = PREAMBLES[name] ?? assert.fail(`no preamble for ${name}`);
      const imports = await run(
        `${PYTHON} -c '${preamble
          .split("\n")
          .filter((line) => /import/.test(line))
          .join("\n")}'`,
      );
      if (imports.status !== 0) return t.skip(`${PYTHON} lacks its packages`);
      writeFileSync(join(folder, "place/convert.py"), preamble + block);
      const made = block.includes("model.onnx") ? "model.onnx" : "model.tflite";
      const { status, told } = await run(
        `${PYTHON} convert.py && npx pint8 inspect ${made} && npx pint8 bench ${made}`,
      );
      assert.equal(status, 0, told);
    });
  }
});
