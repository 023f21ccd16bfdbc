import { load, accuracy } from "./lib.ts";
import { layersOf, gramsOf, addRows, weightsOf } from "../bindings/optimize/linear/layers.ts";
import { rowsOf, forEach, momentsOf } from "../bindings/optimize/prune/systems.ts";
import { invertDamped } from "../bindings/optimize/linear/cholesky.ts";
import { solveKept } from "../bindings/optimize/linear/leastSquares.ts";
import { eliminate } from "../bindings/optimize/prune/eliminate.ts";
import { withSolutions } from "../bindings/optimize/prune/rewrite.ts";
for (const net of (process.argv[2]??"glyphs47,digits").split(",") as ("glyphs47"|"digits")[]) {
const d = load(net); const test=d.test.slice(0,1000), labels=d.labels.subarray(0,1000);
const layers = layersOf(d.graph).filter((l,i)=>l.kind!=="depthwiseConv2d" && i>0);
const grams = layers.map(l=>gramsOf(l,{ones:"ones"}));
await forEach(d.graph, [...new Set(layers.map(l=>l.x))], d.train, (v,e)=>{ for(const [i,l] of layers.entries()) addRows(l, grams[i]!, v.get(l.x)!, rowsOf(l,500,e).slice(0,200)); });
const S=layers.map((layer,i)=>{ const m=momentsOf(grams[i]![0]!); const n=layer.inputs,p=n+1,O=layer.outputs; const W=weightsOf(d.graph,layer); const inv=invertDamped(m.covariance,n,.001);
  const en=new Float64Array(O); for(let o=0;o<O;o++){let s=0; for(let a=0;a<n;a++){let t=0; for(let j=0;j<n;j++) t+=m.covariance[a*n+j]!*W[o*p+j]!; s+=t*W[o*p+a]!;} en[o]=Math.max(s,1e-30);} 
  return {layer,m,n,p,O,W,inv,en}; });
function solve(masks:Uint8Array[]) { return withSolutions(d.graph, S.map(({layer,m,n,p,O,W},li)=>{ const weights=new Float64Array(O*n), bias=new Float64Array(O); for(let o=0;o<O;o++){ const places:number[]=[]; for(let i=0;i<n;i++) if(masks[li]![o*n+i]) places.push(i); const tw=W.subarray(o*p,o*p+n); const s=solveKept({products:m.covariance,size:n,towards:tw,ridge:.001},places); weights.set(s,o*n); let sh=0; for(let i=0;i<n;i++) sh+=m.means[i]!*(tw[i]!-s[i]!); bias[o]=W[o*p+n]!+sh; } return [layer,{weights,bias}] as const; })); }
const traces=S.map(({n,p,O,W,inv})=>Array.from({length:O},(_,o)=>eliminate({inverse:inv,size:n,weights:W.slice(o*p,o*p+n),rows:1},{width:1},n)));
const N=S.reduce((s,x)=>s+x.O*x.n,0);
for (const alpha of [0,.5,1]) for (const share of [.5,.7,.8]) {
  const all:{l:number,o:number,i:number,c:number}[]=[];
  for(const [l,s] of S.entries()) for(let o=0;o<s.O;o++){ const t=traces[l]![o]!; let mx=0; for(let k=0;k<t.order.length;k++){ mx=Math.max(mx,t.costs[k]!/s.en[o]!/s.O**alpha); all.push({l,o,i:t.order[k]!,c:mx}); } }
  all.sort((a,b)=>a.c-b.c); const masks=S.map(s=>new Uint8Array(s.O*s.n).fill(1)); for(let k=0;k<share*N;k++){const e=all[k]!; masks[e.l]![e.o*S[e.l]!.n+e.i]=0;}
  console.log(net,"global alpha",alpha,share,(await accuracy(solve(masks),test,labels)).toFixed(2), masks.map(m=>(1-m.reduce((a,b)=>a+b,0)/m.length).toFixed(2)).join(" "));
}
// 2:4 sgpt order
for (const mode of ["greedy","sgpt","norm-mag"]) {
 const errs:string[]=[];
 const masks=S.map(({n,p,O,W,inv,en,m})=>{ const k=new Uint8Array(O*n).fill(1); let te=0;
  for(let o=0;o<O;o++){ const w=W.slice(o*p,o*p+n);
   if(mode==="greedy"){const t=eliminate({inverse:inv,size:n,weights:w,rows:1},{width:1,group:{units:4,most:2}},n); for(const [q,i] of t.order.entries()){k[o*n+i]=0;te+=t.costs[q]!/en[o]!;} }
   else { // sequential groups; update all others exactly by elimination of the two cheapest (on full remaining inverse)
     const I=inv.slice(); const gone=new Set<number>();
     for(let g=0;g<n;g+=4){ for(let r=0;r<2;r++){ let b=-1,bc=Infinity; for(let i=g;i<Math.min(g+4,n);i++) if(!gone.has(i)){const c=w[i]!**2/I[i*n+i]!; if(c<bc){bc=c;b=i;}} te+=bc/en[o]!; const dd=I[b*n+b]!; const sh=w[b]!/dd; for(let j=0;j<n;j++) w[j]!-=sh*I[b*n+j]!; const row=I.slice(b*n,b*n+n); for(let i=0;i<n;i++){const q=row[i]!/dd; if(q) for(let j=0;j<n;j++) I[i*n+j]!-=q*row[j]!;} gone.add(b); k[o*n+b]=0; for(const x of gone) w[x]=0; } } }
  } errs.push((te/O).toFixed(3)); return k; });
 if(mode!=="norm-mag") console.log(net,"2:4",mode,(await accuracy(solve(masks),test,labels)).toFixed(2), errs.join(" "));
}
}
