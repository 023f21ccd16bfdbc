/** One measurement in a process of its own: the job as JSON in, the result as JSON out. */
import { writeFileSync } from "node:fs";
import type { ModuleName } from "../bindings/public/kernels.ts";
import { benchKernel, casesLike } from "./kernels.ts";
import { benchModel, type ModelJob } from "./models.ts";
import { benchWild, type WildJob } from "./wild/model.ts";

export type Job =
  | { readonly kind: "kernels"; readonly module: ModuleName; readonly name: string }
  | ({ readonly kind: "model" } & ModelJob)
  | ({ readonly kind: "wild" } & WildJob);

const [text = "", target = ""] = process.argv.slice(2);
const job = JSON.parse(text) as Job;
const results = [];
if (job.kind === "model") results.push(await benchModel(job));
else if (job.kind === "wild") results.push(await benchWild(job));
else
  for (const subject of casesLike(job.name))
    if (subject.name === job.name) results.push(await benchKernel(job.module, subject));
writeFileSync(target, JSON.stringify(results));
process.exit(0); // peers keep worker threads
