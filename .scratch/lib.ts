import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { importModel } from "../bindings/formats/index.ts";
import { runPasses } from "../bindings/passes/index.ts";
import type { Graph } from "../bindings/graph.ts";
import { tapGraph } from "../bindings/optimize/tap.ts";
export function idx(path: string) { const b = gunzipSync(readFileSync(path)); const dims=b[3]!; const shape=Array.from({length:dims},(_, i)=>b.readUInt32BE(4+4*i)); return {shape, data:b.subarray(4+4*dims)}; }
const S="/work/shared";
export function load(name: "digits"|"glyphs47") {
  const f = name==="digits" ? {m:`${S}/models/digits_f32.tflite`, tr:[`${S}/data/mnist-t10k-images-idx3-ubyte.gz`,`${S}/data/mnist-t10k-labels-idx1-ubyte.gz`]} : {m:`${S}/zoo/train/glyphs47_f32.tflite`, tr:[`${S}/zoo/train/glyphs47-train-images-idx3-ubyte.gz`,`${S}/zoo/train/glyphs47-train-labels-idx1-ubyte.gz`]};
  const graph = runPasses(importModel(readFileSync(f.m), {}), {only:["foldConstants","fuseActivations","dropDead"]});
  const im = idx(f.tr[0]!), la = idx(f.tr[1]!);
  let te=im, tl=la, t0=8000;
  if(name==="glyphs47"){ te=idx(`${S}/zoo/train/glyphs47-test-images-idx3-ubyte.gz`); tl=idx(`${S}/zoo/train/glyphs47-test-labels-idx1-ubyte.gz`); t0=0; }
  const sz=im.shape[1]!*im.shape[2]!;
  const pic=(d: Buffer,i:number)=>Float32Array.from(d.subarray(i*sz,(i+1)*sz),v=>v/255);
  const train = Array.from({length:500},(_, i)=>[pic(im.data,i)]);
  const test = Array.from({length:te.shape[0]!-t0},(_, i)=>pic(te.data,i+t0));
  const labels = tl.data.subarray(t0);
  const trainLabels = la.data;
  return {graph, train, test, labels, trainLabels, pic:(i:number)=>pic(im.data,i)};
}
export async function accuracy(graph: Graph, test: Float32Array[], labels: Uint8Array) {
  const tap = await tapGraph(graph, graph.outputs.map(o=>o.tensor));
  let right=0; const B=tap.batch; const sz=test[0]!.length;
  for(let f=0; f<test.length; f+=B){ const n=Math.min(B,test.length-f); const x=new Float32Array(n*sz); for(let i=0;i<n;i++) x.set(test[f+i]!, i*sz);
    const y=tap.run([x])[0]!; const c=y.length/n; for(let i=0;i<n;i++){ let b=0; for(let j=1;j<c;j++) if(y[i*c+j]!>y[i*c+b]!) b=j; if(b===labels[f+i]) right++; } }
  tap.close(); return 100*right/test.length;
}
