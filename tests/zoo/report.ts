/**
 * What the corpora say: right, wrong, refused by operator and kind.
 * `node --import tsx tests/zoo/report.ts [--corpus tflite,nnapi,nnapi_more,wild,edge] [--op ADD,SUB] [--kind int8,float32]
 *   [--name REGEX] [--module scalar,simd] [--threads N] [--plan] [--list] [--reasons]`
 */
import { parseArgs } from "node:util";
import type { LoadOptions } from "../../bindings/public/index.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Session } from "../../bindings/session/session.ts";
import { CORPORA, type CorpusCase, edgeCases } from "./cases.ts";
import { judge, type Verdict } from "./judge.ts";

const { values } = parseArgs({
  options: {
    corpus: { type: "string", default: "tflite,nnapi,nnapi_more" },
    op: { type: "string" },
    kind: { type: "string" },
    name: { type: "string" },
    module: { type: "string", default: "simd" },
    threads: { type: "string", default: "1" },
    list: { type: "boolean", default: false },
    reasons: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(
    "[--corpus tflite,nnapi,nnapi_more,wild,edge] [--op ADD,SUB] [--kind int8,…] [--name REGEX] [--module scalar,simd] [--threads N] [--list: each case that is not right] [--reasons: counted]",
  );
  process.exit(0);
}
const only = (list: string | undefined) => list?.split(",");
const wanted = (each: CorpusCase): boolean =>
  (only(values.kind)?.includes(each.kind) ?? true) &&
  (only(values.op)?.some((op) => each.operators.includes(op)) ?? true) &&
  (values.name === undefined || new RegExp(values.name).test(each.name));

const corpora = (only(values.corpus) ?? []).filter((name) => name !== "edge");
const cases = corpora.flatMap((name) => CORPORA[name]?.() ?? []).filter(wanted);
const modules = only(values.module) ?? [];
const counts = new Map<string, Record<Verdict, number>>();
const reasons = new Map<string, number>();
const add = (key: string, verdict: Verdict) => {
  const row = counts.get(key) ?? { right: 0, wrong: 0, refused: 0, crashed: 0 };
  row[verdict]++;
  counts.set(key, row);
};
for (const each of cases) {
  let first: readonly Uint8Array[] | undefined;
  let verdict: Verdict = "right";
  let why = "";
  for (const module of modules) {
    const options = { module, threads: Number(values.threads) } as LoadOptions;
    const load = (bytes: Uint8Array, own: object): Promise<Session> =>
      loadModel(bytes, { ...options, ...own } as LoadOptions) as Promise<Session>;
    const judged = await judge(each, load);
    const same = first?.every((bytes, i) => Buffer.compare(bytes, judged.bytes[i] ?? new Uint8Array(0)) === 0) ?? true;
    first ??= judged.bytes;
    if (judged.verdict !== "right" || !same) {
      verdict = judged.verdict === "right" ? "wrong" : judged.verdict;
      why = `${module}: ${judged.reason || "other bytes than the first module"}`;
      break;
    }
  }
  add(`${each.corpus} ${each.kind}`, verdict);
  for (const op of each.operators) add(op, verdict);
  add("all", verdict);
  if (verdict === "right") continue;
  if (values.list) console.log(`${verdict.padEnd(8)} ${each.corpus} ${each.name}: ${why.slice(0, 300)}`);
  const key = `${verdict}: ${why
    .replace(/"[^"]*"/g, "…")
    .replace(/\d+/g, "N")
    .slice(0, 140)}`;
  reasons.set(key, (reasons.get(key) ?? 0) + 1);
}
if (only(values.corpus)?.includes("edge"))
  for (const edge of edgeCases()) {
    const said = await loadModel(edge.model(), { module: modules[0] ?? "simd" } as LoadOptions).then(
      (session) => {
        session.close();
        return "taken";
      },
      (error: Error) => `refused: ${error.message.slice(0, 160)}`,
    );
    const others = `litert ${edge.litert.slice(0, 40)}; tfjs ${edge.tfjs.slice(0, 40)}`;
    if (said !== "taken" && (edge.litert.startsWith("ok") || edge.tfjs.startsWith("ok") || values.list))
      console.log(`edge ${edge.name}: ${said} | ${others}`);
  }
if (values.reasons)
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]))
    console.log(String(count).padStart(5), reason);
for (const [key, row] of [...counts].sort((a, b) => b[1].refused + b[1].wrong - (a[1].refused + a[1].wrong)))
  console.log(
    `${key.padEnd(34)} right ${row.right}  wrong ${row.wrong}  crashed ${row.crashed}  refused ${row.refused}`,
  );
