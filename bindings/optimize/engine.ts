/** How graphs are run that are judged. */
import type { Limits } from "../limits.ts";
import type { PassOptions } from "../passes/index.ts";
import type { ModuleName } from "../primitives/modules.ts";
import type { KernelModule } from "../session/modules.ts";

/** How a graph is run. */
export interface EngineOptions {
  /** `auto` when absent. */
  readonly module?: ModuleName | "auto";
  /** 1 when absent. */
  readonly threads?: number | "auto";
  /** 4 GiB of memory when absent. */
  readonly limits?: Limits;
  /** Loaded kernels, in place of a module; where the plan needs their other edition, that is loaded. */
  readonly kernels?: KernelModule;
  /** Passes before it is planned; all when absent. */
  readonly passes?: PassOptions["only"];
}
