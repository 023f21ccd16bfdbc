/** Files that are no models that pint8 reads, by name: what people have in place of one, and what to do. */

import { type Served, servedOf } from "../served.ts";

/** What begins as this says is that. */
interface Stranger {
  /** Of the first letters, one a byte: control characters are their pictures, from U+2400 on, but for those of lines and blanks. */
  readonly begins: RegExp;
  readonly name: string;
  readonly hint: string;
}

const EXPORT = "pint8 reads .tflite and .onnx: export the network to one of them.";
/** What to do about what was given in place of the file. */
const HINTS: { readonly [S in Served]: string } = {
  "an HTML page": "Its URL leads to a page, often one that says that there is no such file: look at it in a browser.",
  "an XML file": EXPORT,
  "a Git LFS pointer": "Fetch the file itself: git lfs pull.",
};

const STRANGERS: readonly Stranger[] = [
  { begins: /^\u241f\x8b/, name: "a gzip file", hint: "Unpack it first: gunzip, or tar -xzf where it is an archive." },
  {
    begins: /^PK\u2403\u2404/,
    name: "a ZIP file",
    hint: "Unpack it first. Keras (.keras) and PyTorch (.pt, .pth) write ZIP files, too: export those to .tflite or .onnx.",
  },
  {
    begins: /^\x89HDF\r\n/,
    name: "an HDF5 file, as Keras writes it",
    hint: "Convert it: tf.lite.TFLiteConverter.from_keras_model(model).",
  },
  {
    begins: /^\x80[\u2402-\u2405]/,
    name: "a Python pickle, as PyTorch writes it",
    hint: 'Export the network: torch.onnx.export(network, example, "model.onnx").',
  },
  { begins: /^GGUF/, name: "a GGUF file", hint: `It holds weights without a network. ${EXPORT}` },
  { begins: /^.{8}\{"/s, name: "a safetensors file", hint: `It holds weights without a network. ${EXPORT}` },
  { begins: /^.{4}ORTM/s, name: "an .ort file", hint: "Give the .onnx file that it was made from." },
  { begins: /^PNT8/, name: "a plan of pint8", hint: "loadModel and loadPlan take plans; there is no graph in one." },
  { begins: /^\u2400asm/, name: "a WebAssembly module", hint: "Kernels are given by the options wasm and wasmUrl." },
  {
    begins: /^(\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\u2400\u2400|RIFF)/s,
    name: "a picture or a sound",
    hint: "Give the model here, and this as its input.",
  },
  {
    begins: /^\s*[[{]/,
    name: "JSON",
    hint: "A model of TensorFlow.js is converted from the network that it was made from, to .tflite.",
  },
];

/** Letters that tell. */
const LETTERS = 64;
const BLANKS = [9, 10, 13];

/** What a file is that is no model, and what to do; undefined where nothing tells. */
export function strangerOf(bytes: Uint8Array): Pick<Stranger, "name" | "hint"> | undefined {
  const served = servedOf(bytes);
  if (served !== undefined) return { name: served, hint: HINTS[served] };
  const codes = Array.from(bytes.subarray(0, LETTERS), (byte) =>
    byte < 32 && !BLANKS.includes(byte) ? 0x2400 + byte : byte,
  );
  const start = String.fromCharCode(...codes);
  return STRANGERS.find(({ begins }) => begins.test(start));
}

/** Operators that stand for networks compiled for another processor, by their names. */
const COMPILED: readonly (readonly [name: RegExp, processor: string, from: string])[] = [
  [/ethos-u/i, "Ethos-U", "that was given to Vela"],
  [/edgetpu-custom-op/i, "the Edge TPU", "that was given to edgetpu_compiler"],
];

/** Where an operator's name says that the file was compiled for one processor: which, and what to do. */
export function compiledFor(name: string): { readonly name: string; readonly hint: string } | undefined {
  const [, processor, from] = COMPILED.find(([operator]) => operator.test(name)) ?? [];
  return processor === undefined
    ? undefined
    : { name: `a model compiled for ${processor}, which nothing else runs`, hint: `Give the .tflite file ${from}.` };
}
