/**
 * What the corpora know of each operator: types, kernels that it is lowered to, and which reference has its outputs.
 * `node --import tsx tests/zoo/measure.ts` writes operators.json beside it, of which `scripts/operators.ts` makes docs/OPERATORS.md.
 */
import { writeFileSync } from "node:fs";
import { loadModel } from "../../bindings/public/index.ts";
import { CORPORA, type CorpusCase, jsonOf } from "./cases.ts";
import { optionsOf } from "./judge.ts";

/** What is known of an operator of one format. */
interface Known {
  readonly types: Set<string>;
  readonly kernels: Set<string>;
  /** Cases that run, by corpus. */
  readonly cases: Map<string, number>;
}
const FORMATS = {
  tflite: ["tflite", "nnapi", "nnapi_more", "wild"],
  onnx: ["onnx", "onnx_node", "onnx_wild"],
} as const;

/** Types of the first input that has any, by operator: what cases of `zoo/tflite` say of theirs. */
const typesOf = new Map<string, readonly string[]>(
  (jsonOf("zoo/tflite/cases.json") as readonly { name: string; operators: object }[]).map(({ name, operators }) => [
    name,
    Object.keys(operators),
  ]),
);

const nameIn = (where: string) => /\((?:CUSTOM ")?([^"()]+)"?\)/.exec(where)?.[1] ?? "";

async function look(each: CorpusCase, known: (name: string) => Known): Promise<void> {
  const options = { ...optionsOf(each), module: "simd" as const };
  const session = await loadModel(each.model(), options as object).catch(() => undefined);
  if (session === undefined) return;
  for (const { where, kernel } of session.steps) known(nameIn(where)).kernels.add(kernel);
  session.close();
  for (const name of each.operators) {
    const { cases } = known(name.replace(/^CUSTOM:/, "").replace(/^.*\./, ""));
    cases.set(each.corpus, (cases.get(each.corpus) ?? 0) + 1);
  }
  for (const text of each.corpus === "tflite" ? (typesOf.get(each.name) ?? []) : []) {
    const [, name = "", inputs = ""] = /^([^[]+)\[([^\]]*?)->/.exec(text) ?? [];
    known(name.replace(/^CUSTOM:/, "")).types.add(inputs.split(",").slice(0, 2).join(" × "));
  }
}

const out: Record<string, object> = {};
for (const [format, corpora] of Object.entries(FORMATS)) {
  const all = new Map<string, Known>();
  const known = (name: string) => {
    const entry = all.get(name) ?? { types: new Set(), kernels: new Set(), cases: new Map() };
    all.set(name, entry);
    return entry;
  };
  for (const corpus of corpora) for (const each of CORPORA[corpus]?.() ?? []) await look(each, known);
  out[format] = Object.fromEntries(
    [...all]
      .filter(([name]) => /^[A-Za-z]/.test(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { types, kernels, cases }]) => [
        name,
        { types: [...types].sort(), kernels: [...kernels].sort(), cases: Object.fromEntries(cases) },
      ]),
  );
}
writeFileSync(new URL("operators.json", import.meta.url), `${JSON.stringify(out, undefined, 1)}\n`);
