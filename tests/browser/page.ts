/** What a page does with the package: bundled by `site.ts`, called by the tests as `globalThis.digits`. */
import { importModel, type LoadOptions, loadModel, loadModule, planGraph, runPasses, Session } from "pint8";

const MODEL = new URL("models/digits_int8.tflite", document.baseURI);

/** What came of a model in the page. */
interface Answer {
  readonly module: string;
  readonly threads: number;
  /** Outputs of the runs that differ: one where all are the same. */
  readonly outputs: readonly (readonly number[])[];
}

/** Waits for at most 20 s, in steps that leave the page's event loop free. */
async function until(condition: () => boolean): Promise<void> {
  for (let polls = 0; !condition() && polls < 2000; polls++) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Waits until `threads` take part, runs the model `runs` times and closes it. */
async function answer(session: Session, input: readonly number[], runs: number, threads: number): Promise<Answer> {
  await until(() => session.threads >= threads);
  const outputs = new Set<string>();
  for (let i = 0; i < runs; i++)
    outputs.add(
      JSON.stringify(Object.values(session.run([new Int8Array(input)])).map((value) => [...(value as Int8Array)])),
    );
  const result = {
    module: session.module,
    threads: session.threads,
    outputs: [...outputs].map((text) => JSON.parse(text).flat()),
  };
  session.close();
  return result;
}

export const digits = {
  isolated: () => crossOriginIsolated,

  /** The model as most users load it. */
  load: async (options: LoadOptions, input: readonly number[], runs: number, threads = 1) =>
    answer(await loadModel(MODEL, options), input, runs, threads),

  /** Two threads that share every step, small ones too. */
  share: async (input: readonly number[], runs: number) => {
    const model = new Uint8Array(await (await fetch(MODEL)).arrayBuffer());
    const kernels = await loadModule("auto");
    const plan = planGraph(runPasses(importModel(model, {})), { module: kernels.name, moduleHash: kernels.hash });
    const steps = plan.steps.map((step) => ({ ...step, elements: 1e9 }));
    return answer(await Session.open({ ...plan, steps }, kernels, { threads: 2 }), input, runs, 2);
  },

  /** Asks for a thread that cannot start, and runs when that has been said. */
  loadWarned: async (input: readonly number[]) => {
    const warnings: string[] = [];
    const session = await loadModel(MODEL, { threads: 2, onWarning: (message) => warnings.push(message) });
    await until(() => warnings.length > 0);
    return { ...(await answer(session, input, 3, 1)), warnings };
  },

  /** The code of the error that loading ends in. */
  refused: (options: LoadOptions) =>
    loadModel(MODEL, options).then(
      () => "none",
      (error) => String(error.code),
    ),

  /** Whether text may be evaluated here. A task of its own: what a debugger calls is excepted. */
  evaluatesText: () =>
    new Promise<boolean>((resolve) =>
      setTimeout(() => {
        try {
          new Function("return 1")();
          resolve(true);
        } catch {
          resolve(false);
        }
      }),
    ),
};

Object.assign(globalThis, { digits });
