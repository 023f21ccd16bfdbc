import { load, accuracy } from "./lib.ts";
import { layersOf } from "../bindings/optimize/linear/layers.ts";
import { systemsOf, reconstruct, outputEnergy } from "../bindings/optimize/prune/systems.ts";
import { eliminateLayer, masksAt } from "../bindings/optimize/prune/masks.ts";
import { withSolutions } from "../bindings/optimize/prune/rewrite.ts";
for (const name of ["digits","glyphs47"] as const) {
  const d = load(name);
  console.log(name, "dense", await accuracy(d.graph, d.test, d.labels));
  const layers = layersOf(d.graph).filter((l,i)=>l.kind!=="depthwiseConv2d" && i>0);
  let t=performance.now();
  const systems = await systemsOf(d.graph, layers, d.train);
  console.log("moments", ((performance.now()-t)/1000).toFixed(1));
  for (const [pattern, shares] of [["unstructured",[.5,.7,.8]],["2:4",[.5]],["block",[.5]]] as const) {
    t=performance.now();
    const el = systems.map(s=>eliminateLayer(s, pattern, .9));
    console.log(pattern, "eliminate", ((performance.now()-t)/1000).toFixed(1));
    const masks = el.map(e=>masksAt(e, shares));
    for (const [k, share] of shares.entries()) {
      t=performance.now();
      const sol = systems.map((s,i)=>[s.layer, reconstruct(s, masks[i]![k]!.kept)] as const);
      const secs=((performance.now()-t)/1000).toFixed(1);
      const g = withSolutions(d.graph, sol);
      console.log(name, pattern, share, "acc", (await accuracy(g, d.test, d.labels)).toFixed(2), "solve", secs, "zeros", (masks.reduce((s,m)=>s+m[k]!.zeros,0)/masks.reduce((s,m)=>s+m[k]!.kept.length,0)).toFixed(3));
      if (process.argv[2]==="v") console.log(systems.map((s,i)=>(masks[i]![k]!.error/outputEnergy(s)).toFixed(3)).join(" "));
    }
  }
}
