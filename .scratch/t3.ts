import { load, accuracy } from "./lib.ts";
import { layersOf, gramsOf, addRows, weightsOf } from "../bindings/optimize/linear/layers.ts";
import { rowsOf, forEach, momentsOf } from "../bindings/optimize/prune/systems.ts";
import { invertDamped } from "../bindings/optimize/linear/cholesky.ts";
import { solveKept } from "../bindings/optimize/linear/leastSquares.ts";
import { eliminate } from "../bindings/optimize/prune/eliminate.ts";
import { withSolutions } from "../bindings/optimize/prune/rewrite.ts";
for (const net of ["glyphs47","digits"] as const) {
const d = load(net);
const layers = layersOf(d.graph).filter((l,i)=>l.kind!=="depthwiseConv2d" && i>0);
const grams = layers.map(l=>gramsOf(l,{ones:"ones"}));
await forEach(d.graph, [...new Set(layers.map(l=>l.x))], d.train, (v,e)=>{ for(const [i,l] of layers.entries()) addRows(l, grams[i]!, v.get(l.x)!, rowsOf(l,500,e)); });
const mom=grams.map(g=>momentsOf(g[0]!));
console.log(layers.map((l,i)=>l.inputs+"x"+l.outputs+":"+mom[i]!.rows).join(" "));
function run(f:(li:number)=>{damp:number,ridge:number,norm:number,shrink?:number}, pattern:string, share:number) {
  const sol=layers.map((layer,li)=>{
    const opt=f(li);
    const n=layer.inputs, p=n+1; const W=weightsOf(d.graph, layer); const m=mom[li]!;
    const H=m.covariance.slice(); const md=H.reduce((s,v,i)=>i%(n+1)===0?s+v:s,0)/n;
    if(opt.shrink) { for(let i=0;i<n*n;i++) if(i%(n+1)) H[i]*=1-opt.shrink; }
    const inv=invertDamped(H,n,opt.damp); const O=layer.outputs; 
    const en=new Float64Array(O); for(let o=0;o<O;o++){let s=0; for(let i=0;i<n;i++){let t=0; for(let j=0;j<n;j++) t+=m.covariance[i*n+j]!*W[o*p+j]!; s+=t*W[o*p+i]!;} en[o]=Math.max(s,1e-30)**opt.norm;}
    const kept=new Uint8Array(O*n).fill(1);
    if(pattern==="2:4"){ for(let o=0;o<O;o++){const t=eliminate({inverse:inv,size:n,weights:W.slice(o*p,o*p+n),rows:1},{width:1,group:{units:4,most:2}},n); for(const i of t.order) kept[o*n+i]=0;} }
    else { const all:{o:number,i:number,c:number}[]=[]; for(let o=0;o<O;o++){const t=eliminate({inverse:inv,size:n,weights:W.slice(o*p,o*p+n),rows:1},{width:1},n); let mx=0; for(let k=0;k<t.order.length;k++){ mx=Math.max(mx,t.costs[k]!/en[o]!); all.push({o,i:t.order[k]!,c:mx}); } }
      all.sort((a,b)=>a.c-b.c); const total=Math.round(share*O*n); for(let k=0;k<total;k++) kept[all[k]!.o*n+all[k]!.i]=0; }
    const weights=new Float64Array(O*n), bias=new Float64Array(O);
    for(let o=0;o<O;o++){ const places:number[]=[]; for(let i=0;i<n;i++) if(kept[o*n+i]) places.push(i);
      const tw=W.subarray(o*p,o*p+n); const s=solveKept({products:H,size:n,towards:tw,ridge:opt.ridge},places); weights.set(s,o*n); let sh=0; for(let i=0;i<n;i++) sh+=m.means[i]!*(tw[i]!-s[i]!); bias[o]=W[o*p+n]!+sh; }
    return [layer,{weights,bias}] as const; });
  return withSolutions(d.graph, sol);
}
const last=layers.length-1;
const base={damp:.001,ridge:.001,norm:1};
for (const [nm,f] of [["base",()=>base],["last ridge .1",(l:number)=>l===last?{damp:.1,ridge:.1,norm:1}:base],["last ridge 1",(l:number)=>l===last?{damp:1,ridge:1,norm:1}:base],
 ["all ridge .01",()=>({damp:.01,ridge:.01,norm:1})],["all 1e-4",()=>({damp:1e-4,ridge:1e-4,norm:1})],["shrink last .3",(l:number)=>l===last?{...base,shrink:.3}:base],["shrink all .03",()=>({...base,shrink:.03})],["ridge by rows", (l:number)=>{const r=layers[l]!.inputs/mom[l]!.rows; return {damp:Math.max(.001,r),ridge:Math.max(.001,r),norm:1};}],["shrink by rows", (l:number)=>{const r=layers[l]!.inputs/mom[l]!.rows; return {...base,shrink:r/(1+r)};}]] as const) {
  const r=[]; for (const [p,s] of [["2:4",.5],["u",.5],["u",.7],["u",.8]] as const) r.push((await accuracy(run(f as never,p,s),d.test,d.labels)).toFixed(2)); console.log(net,nm, r.join(" ")); }
}
