/** The networks of a corpus, in an order of which every beginning is a sample. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One network of the corpus. */
export interface WildModel {
  readonly name: string;
  readonly path: string;
  /** The kind of its arithmetic, as the corpus says it: int8, float32, hybrid …; "" where it says nothing. */
  readonly kind: string;
  /** Shapes of inputs that the file leaves open. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

interface Golden {
  readonly name: string;
  readonly kind?: string;
  readonly input?: {
    readonly inputs: readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly declared?: readonly unknown[];
    }[];
  };
}

/** All .tflite and .onnx files of the folder, ordered by the hash of their names; `goldens.json` beside the folder says more of them. */
export function wildModels(folder: string): readonly WildModel[] {
  const goldens = join(folder, "../goldens.json");
  const said = existsSync(goldens) ? (JSON.parse(readFileSync(goldens, "utf8")) as Golden[]) : [];
  const byName = new Map(said.map((golden) => [golden.name, golden]));
  const place = (name: string) => createHash("sha256").update(name).digest("hex");
  return readdirSync(folder)
    .filter((name) => /\.(tflite|onnx)$/.test(name))
    .sort((a, b) => (place(a) < place(b) ? -1 : 1))
    .map((name) => {
      const golden = byName.get(name);
      const open = (golden?.input?.inputs ?? []).filter(({ declared }) => declared !== undefined);
      return {
        name,
        path: join(folder, name),
        kind: golden?.kind ?? "",
        shapes: Object.fromEntries(open.map((input) => [input.name, input.shape])),
      };
    });
}
