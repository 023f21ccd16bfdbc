/** The threads of a session; who runs one thread alone never loads their code. */
import { textOf } from "../errors.ts";
import type { Plan } from "../plan/types.ts";
import { isNode } from "./engine.ts";
import type { KernelModule } from "./modules.ts";
import type { Roster } from "./threads.ts";

/**
 * What `threads` threads for a plan take, or the reason why there can be none here. The reasons are for people: they end a
 * sentence. No script is imported where there is one: service workers may not.
 */
export async function rosterLater(
  plan: Plan,
  kernels: KernelModule,
  threads: number,
  warn: (message: string) => void,
): Promise<Roster | string> {
  if (kernels.name === "scalar") return "the module scalar has no threads build";
  if (typeof SharedArrayBuffer === "undefined" || (!isNode() && globalThis.crossOriginIsolated === false))
    return "there is no SharedArrayBuffer here; a page gets it by the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  if (!isNode() && typeof Worker === "undefined") return "there are no workers here";
  try {
    const { roster } = await import("./threads.ts");
    return await roster(plan, kernels, threads, warn);
  } catch (cause) {
    return `they cannot be prepared: ${textOf(cause)}`;
  }
}
