import { load, accuracy } from "./lib.ts";
import { prune } from "../bindings/optimize/prune/prune.ts";
for (const net of (process.argv[2]??"glyphs47,digits").split(",") as ("glyphs47"|"digits")[]) {
  const d=load(net); const data={async*[Symbol.asyncIterator](){for(const x of d.train) yield {inputs:x};}};
  for (const o of [{sparsity:.5},{sparsity:.7},{sparsity:.8},{pattern:"2:4"},{pattern:"block",sparsity:.5},{pattern:"block",sparsity:.5,allocation:"uniform"}] as const) {
    const t=performance.now(); const r=await prune(d.graph, data, o); const s=(performance.now()-t)/1000;
    console.log(net, JSON.stringify(o), (await accuracy(r.graph,d.test,d.labels)).toFixed(2), "s", s.toFixed(1), "sparsity", r.sparsity.toFixed(4), r.layers.map(l=>(l.zeros/l.weights).toFixed(2)).join(" "));
  }
}
