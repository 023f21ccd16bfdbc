/** Cases of the corpora whose outputs are not all of a reference's, each with its reason. Everything else must be right or refused. */
import type { CorpusCase } from "./cases.ts";

const REASONS: readonly { readonly corpus: RegExp; readonly name: RegExp; readonly reason: string }[] = [];

/** Why a case may differ; `undefined` where it may not. */
export function differing({ corpus, name }: CorpusCase): string | undefined {
  return REASONS.find((each) => each.corpus.test(corpus) && each.name.test(name))?.reason;
}
