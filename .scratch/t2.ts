import { load, accuracy } from "./lib.ts";
import { layersOf, gramsOf, addRows, weightsOf } from "../bindings/optimize/linear/layers.ts";
import { rowsOf, forEach, systemOf, momentsOf } from "../bindings/optimize/prune/systems.ts";
import { invertDamped } from "../bindings/optimize/linear/cholesky.ts";
import { solveKept } from "../bindings/optimize/linear/leastSquares.ts";
import { eliminate } from "../bindings/optimize/prune/eliminate.ts";
import { withSolutions } from "../bindings/optimize/prune/rewrite.ts";
const d = load("glyphs47");
const layers = layersOf(d.graph).filter((l,i)=>l.kind!=="depthwiseConv2d" && i>0);
const grams = layers.map(l=>gramsOf(l,{ones:"ones"}));
await forEach(d.graph, [...new Set(layers.map(l=>l.x))], d.train, (v,e)=>{ for(const [i,l] of layers.entries()) addRows(l, grams[i]!, v.get(l.x)!, rowsOf(l,500,e)); });
for (const g of grams) g[0]!.finish();
function run(opt:{exact:boolean, centred:boolean, damp:number, ridge:number, norm:number, share:number, ridgeCentred?:boolean}) {
  const sol=layers.map((layer,li)=>{
    const g=grams[li]![0]!; const n=layer.inputs, p=n+1; const W=weightsOf(d.graph, layer);
    const m=momentsOf(g); 
    const H=new Float64Array(n*n); for(let i=0;i<n;i++)for(let j=0;j<n;j++) H[i*n+j]= opt.centred? m.covariance[i*n+j]! : g.products[i*p+j]!;
    const inv=invertDamped(H,n,opt.damp);
    const O=layer.outputs; 
    // row energies
    const en=new Float64Array(O); for(let o=0;o<O;o++){let s=0; for(let i=0;i<n;i++){let t=0; for(let j=0;j<n;j++) t+=m.covariance[i*n+j]!*W[o*p+j]!; s+=t*W[o*p+i]!;} en[o]=Math.max(s,1e-30)**opt.norm;}
    const kept=new Uint8Array(O*n).fill(1);
    const total=Math.round(opt.share*O*n);
    const all:{o:number,i:number,c:number}[]=[];
    for(let o=0;o<O;o++){ const w=W.slice(o*p,o*p+n);
      if(opt.exact){ const t=eliminate({inverse:inv,size:n,weights:w,rows:1},{width:1},n); let mx=0; for(let k=0;k<t.order.length;k++){ mx=Math.max(mx,t.costs[k]!/en[o]!); all.push({o,i:t.order[k]!,c:mx+k*1e-300}); } }
      else for(let i=0;i<n;i++) all.push({o,i,c:w[i]!**2/inv[i*n+i]!/en[o]!}); }
    all.sort((a,b)=>a.c-b.c);
    for(let k=0;k<total;k++) kept[all[k]!.o*n+all[k]!.i]=0;
    const weights=new Float64Array(O*n), bias=new Float64Array(O);
    for(let o=0;o<O;o++){ const places:number[]=[]; for(let i=0;i<n;i++) if(kept[o*n+i]) places.push(i);
      if(opt.ridgeCentred){ const tw=W.subarray(o*p,o*p+n); const s=solveKept({products:m.covariance,size:n,towards:tw,ridge:opt.ridge},places); weights.set(s,o*n); let sh=0; for(let i=0;i<n;i++) sh+=m.means[i]!*(tw[i]!-s[i]!); bias[o]=W[o*p+n]!+sh; }
      else { const s=solveKept({products:g.products,size:p,towards:W.subarray(o*p,o*p+p),ridge:opt.ridge},[...places,n]); weights.set(s.subarray(0,n),o*n); bias[o]=s[n]!; } }
    return [layer,{weights,bias}] as const; });
  return withSolutions(d.graph, sol);
}
for (const o of [
 {exact:false,centred:false,damp:.01,ridge:.001,norm:0},
 {exact:false,centred:true,damp:.001,ridge:.001,norm:0,ridgeCentred:true},
 {exact:true,centred:false,damp:.01,ridge:.001,norm:0},
 {exact:true,centred:true,damp:.001,ridge:.001,norm:0,ridgeCentred:true},
 {exact:true,centred:true,damp:.01,ridge:.01,norm:0,ridgeCentred:true},
 {exact:true,centred:true,damp:.0001,ridge:.0001,norm:0,ridgeCentred:true},
 {exact:true,centred:true,damp:.001,ridge:.001,norm:1,ridgeCentred:true},
 {exact:true,centred:true,damp:.001,ridge:.001,norm:.5,ridgeCentred:true},
 {exact:false,centred:false,damp:.01,ridge:.001,norm:1},
]) { const r=[]; for (const share of [.5,.7]) r.push((await accuracy(run({...o,share}),d.test,d.labels)).toFixed(2)); console.log(JSON.stringify(o), r.join(" ")); }
