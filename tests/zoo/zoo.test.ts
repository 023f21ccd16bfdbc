/**
 * The corpora beside the project in every module: nothing gives a wrong byte, every module and every way gives the same
 * ones, and what is refused is refused by an error that says why. Cases are discovered; what differs is listed with its reason.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { loadModel, loadPlan, planModel } from "../../bindings/public/index.ts";
import type { Session } from "../../bindings/session/session.ts";
import { modules } from "../models/cases.ts";
import { CORPORA, type CorpusCase, skipShared } from "./cases.ts";
import { differing } from "./differing.ts";
import { type Judgement, judge } from "./judge.ts";

/** How a case is loaded. */
interface Way {
  readonly name: string;
  readonly load: (bytes: Uint8Array, options: object) => Promise<Session>;
}

const subjects = skipShared ? [] : await modules();
const ways: readonly Way[] = MODULES.filter((name) =>
  subjects.some((each) => each.name === name && !each.skip),
).flatMap((module): Way[] => [
  { name: module, load: (bytes, options) => loadModel(bytes, { ...options, module }) as Promise<Session> },
  {
    name: `${module} from a plan`,
    load: async (bytes, options) => (await loadPlan(await planModel(bytes, { ...options, module }))) as Session,
  },
]);

for (const [corpus, list] of Object.entries(CORPORA)) {
  if (corpus === "onnx_large") continue; // whole networks, by `npm run bench`
  describe(`corpus ${corpus}`, { skip: skipShared }, () => {
    if (skipShared) return;
    const byKind = new Map<string, CorpusCase[]>();
    for (const each of list()) byKind.set(each.kind, [...(byKind.get(each.kind) ?? []), each]);
    for (const [kind, cases] of byKind)
      test(kind, async (t) => {
        let right = 0;
        for (const each of cases) {
          const judged = await judgeAll(each);
          if (judged.verdict === "right") right++;
          else if (judged.verdict !== "refused")
            assert.ok(differing(each), `${each.name}: ${judged.verdict}, ${judged.reason}`);
        }
        t.diagnostic(`${corpus}, ${kind}: ${right} of ${cases.length} run`);
        assert.ok(right > 0 || cases.length < 5, `none of ${cases.length} runs`);
      });
  });
}

/** The first way that is not right, or the last; all must give the same bytes. */
async function judgeAll(each: CorpusCase): Promise<Judgement> {
  let first: Judgement | undefined;
  for (const { name, load } of ways) {
    const judged = await judge(each, load);
    first ??= judged;
    assert.equal(judged.verdict, first.verdict, `${each.name}, ${name}: ${judged.reason}`);
    assert.equal(judged.bytes.length, first.bytes.length, `${each.name}, ${name}`);
    for (const [i, bytes] of judged.bytes.entries())
      assert.ok(Buffer.compare(bytes, first.bytes[i] as Uint8Array) === 0, `${each.name}, ${name}: other bytes`);
    if (judged.verdict !== "right") break;
  }
  return first as Judgement;
}
