/** The operators that `assembly/plain.ts` has kernels for, lowered to them; all others are the library's own. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import type { KernelBinary } from "../../bindings/compile/kernels.ts";
import { type Constrained, inputOf, outputOf } from "../../bindings/ops/constraints.ts";
import { geometry } from "../../bindings/ops/images.ts";
import { operators } from "../../bindings/ops/index.ts";
import { inputZeroPoint, int8, int32, outputOfNode } from "../../bindings/ops/product/weights.ts";
import type { Lowering, Operators } from "../../bindings/ops/types.ts";
import { channelsOf, type Weights } from "../../bindings/primitives/requantize/channels.ts";
import { packer } from "../../bindings/primitives/requantize/packer.ts";
import { quantizeMultipliers } from "../../bindings/primitives/requantize/quantization.ts";

const ROOT = new URL("../../", import.meta.url);

/** Builds `assembly/plain.ts` with the compiler and the flags of target `scalar`. */
export async function buildPlain(): Promise<KernelBinary> {
  const { options, targets } = JSON.parse(readFileSync(new URL("asconfig.json", ROOT), "utf8"));
  const { outFile: _, ...target } = targets.scalar;
  const flags = Object.entries({ ...options, ...target }).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  let wasm: Uint8Array | undefined;
  const base = ["--config", "none", "--baseDir", fileURLToPath(ROOT), "--outFile", "plain.wasm"];
  const { error, stderr } = await main(["assembly/plain.ts", ...base, ...flags], {
    writeFile: (_, contents) => {
      wasm = contents as Uint8Array;
    },
  });
  if (error || wasm === undefined) throw new Error(`${error?.message ?? "nothing was built"}\n${stderr}`);
  return { name: "scalar", wasm, hash: "" };
}

/** Records of `assembly/plain.ts`: bias, multiplier and shift of each channel. */
function placeChannels(node: Constrained, to: Lowering, weights: Weights, reals: ArrayLike<number>) {
  const bias = int32(node.inputs[2]);
  const { channels } = weights;
  const packed = channelsOf(weights, bias, inputZeroPoint(node), quantizeMultipliers(reals), packer);
  const words = new Int32Array(channels * 3);
  for (let c = 0; c < channels; c++)
    words.set([packed.bias[c] ?? 0, packed.multiplier[c] ?? 0, packed.shift[c] ?? 0], c * 3);
  const { data } = weights;
  return {
    x: to.inputs[0]?.address ?? 0,
    y: to.outputs[0]?.address ?? 0,
    w: to.place(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    q: to.place(new Uint8Array(words.buffer)),
    scratch: 0,
    scratchStride: 0,
  };
}

/** s_x·s_w/s_y of each channel; `single` where TFLite multiplies the first two in float32. */
function realsOf(node: Constrained, single: boolean): readonly number[] {
  const sx = inputOf(node, 0).quantization?.scale[0] ?? 1;
  const sy = outputOf(node).quantization?.scale[0] ?? 1;
  const scales = inputOf(node, 1).quantization?.scale ?? [];
  return scales.map((sw) => (single && scales.length === 1 ? Math.fround(sx * sw) : sx * sw) / sy);
}

function clampOf(node: Parameters<typeof outputOfNode>[0], activation: Parameters<typeof outputOfNode>[1]) {
  const { zeroPoint, lo, hi } = outputOfNode(node, activation);
  return { yZeroPoint: zeroPoint, lo, hi };
}

const UNUSED = { mBlock: 0, chunk: 0, index: 0 };

/** The library's operators with plain convolutions and fully-connected layers. */
export const plainOperators: Operators = {
  ...operators,
  conv2d: {
    ...operators.conv2d,
    lower(node, to) {
      const patches = geometry(node);
      const [n = 0, , , inC = 0] = inputOf(node, 1).shape;
      if (inC !== patches.inC) throw new Error("plain kernels know no groups");
      const [batch = 0] = inputOf(node, 0).shape;
      const k = patches.kH * patches.kW * inC;
      const weights = { data: int8(inputOf(node, 1)), channels: n, depth: k, channelStride: k, depthStride: 1 };
      const gemm = {
        ...placeChannels(node, to, weights, realsOf(node, false)),
        m: batch * patches.outH * patches.outW,
        n,
        k,
        xStride: inC,
        yStride: n,
        ...UNUSED,
        ...clampOf(node, node.attributes.activation),
      };
      const { kH, kW, strideH, strideW } = patches;
      if (kH === 1 && kW === 1 && strideH === 1 && strideW === 1) to.call({ kernel: "gemm", params: gemm });
      else to.call({ kernel: "conv2d", params: { ...gemm, ...patches } });
    },
  },
  depthwiseConv2d: {
    ...operators.depthwiseConv2d,
    lower(node, to) {
      const shape = geometry(node);
      const [batch = 0] = inputOf(node, 0).shape;
      const [, , , channels = 0] = inputOf(node, 1).shape;
      const depth = shape.kH * shape.kW;
      const weights = { data: int8(inputOf(node, 1)), channels, depth, channelStride: 1, depthStride: channels };
      to.call({
        kernel: "dwconv",
        params: {
          ...placeChannels(node, to, weights, realsOf(node, false)),
          batch,
          multiplier: channels / shape.inC,
          ...shape,
          ...clampOf(node, node.attributes.activation),
          groups: 0,
          halves: 1,
          rows: 0,
          columns: 0,
          xRow: 0,
          xColumn: 0,
          yRow: 0,
          yColumn: 0,
        },
      });
    },
  },
  fullyConnected: {
    ...operators.fullyConnected,
    lower(node, to) {
      const [n = 0, k = 1] = inputOf(node, 1).shape;
      const [m] = [outputOf(node).shape.reduce((all, size) => all * size, 1) / n];
      const weights = { data: int8(inputOf(node, 1)), channels: n, depth: k, channelStride: k, depthStride: 1 };
      to.call({
        kernel: "gemm",
        params: {
          ...placeChannels(node, to, weights, realsOf(node, true)),
          m,
          n,
          k,
          xStride: k,
          yStride: n,
          ...UNUSED,
          ...clampOf(node, node.attributes.activation),
        },
      });
    },
  },
};
