#!/usr/bin/env node
import nodeModule from "node:module";
import { workerData } from "node:worker_threads";
import { DECODES } from "../cli/picture/decodes.ts";

// What the program is compiled to is kept from process to process, where Node keeps it (NODE_COMPILE_CACHE, or the system's folder for
// temporary files). It has to be said before the program is loaded; older Node, Deno and Bun do not know it.
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };
enableCompileCache?.();

// Its threads are this same script: they decode pictures.
if (workerData === DECODES) await import("../cli/picture/worker.ts");
else await (await import("../cli/start.ts")).start();
