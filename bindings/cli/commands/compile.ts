import { basename } from "node:path";
import { ensure } from "../../errors.ts";
import type { CompileReport, ModuleName, Optimize } from "../../public/compile.ts";
import { readExternalData, readModelBytes, requirePlaces, writeTogether } from "../files.ts";
import { type ReadingOptions, readingOf } from "../options.ts";
import type { Streams } from "../streams.ts";
import { count, table } from "../text.ts";

interface CompileCommandOptions extends ReadingOptions {
  readonly output: string;
  readonly module?: ModuleName;
  readonly optimize?: Optimize;
  readonly maxMemory?: number;
  readonly json?: true;
}

const SUFFIX = ".wasm";

/** Writes OUT.wasm and beside it its loader, the loader's types and a C header: all of them or none. */
export async function compile(
  model: string,
  options: CompileCommandOptions,
  { out, err, width }: Streams,
): Promise<void> {
  const { output, json, signature, shape, batch, ...rest } = options;
  const name = basename(output, SUFFIX);
  ensure(output.endsWith(SUFFIX) && name !== "" && name !== SUFFIX, "INVALID_OPTION", () => ({
    where: "output",
    expected: "a file name that ends in .wasm",
    received: output,
    hint: "For example -o model.wasm; model.js, model.d.ts and model.h are written beside it.",
  }));
  const bytes = await readModelBytes(model);
  const externalData = readExternalData(model, bytes);
  const stem = output.slice(0, -SUFFIX.length);
  const paths = [output, `${stem}.js`, `${stem}.d.ts`, `${stem}.h`];
  requirePlaces(paths);
  await baselineOnly();
  // Binaryen is large: no other command waits for it.
  const { compileModel } = await import("../../public/compile.ts");
  const compiled = await compileModel(bytes, {
    ...rest,
    externalData,
    ...readingOf({ signature, shape, batch }),
    name,
    onProgress: (what) => err(`${output}: ${what}`),
  });
  const { wasm, js, dts, header, report } = compiled;
  const text = new TextEncoder();
  const contents = [wasm, ...[js, dts, header].map((each) => text.encode(each))];
  writeTogether(paths.map((path, i) => ({ path, bytes: contents[i] as Uint8Array })));
  if (json) out(JSON.stringify({ model, files: paths, ...report }));
  else for (const line of lines(output, report, width)) out(line);
}

/**
 * Keeps V8 from optimizing Binaryen's code, which runs too briefly for that to pay: 1.9 s in place of 5 to 8 for
 * tf2_mobilenet_v2. Engines without V8's flags have nothing to keep from it.
 */
async function baselineOnly(): Promise<void> {
  try {
    const { setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--liftoff-only");
  } catch {}
}

function lines(output: string, report: CompileReport, width: number | undefined): readonly string[] {
  const { moduleBytes, codeBytes, weightBytes, arenaBytes, scratchBytes, usedBytes, memoryBytes, macs } = report;
  return table(
    [
      ["module", count(moduleBytes), `bytes: ${output}, ${report.module}`],
      ["code", count(codeBytes), `bytes: ${report.kernels.join(", ")}`],
      ["weights", count(weightBytes), "bytes: weights, tables and parameters as stored"],
      ["arena", count(arenaBytes), `bytes; scratch ${count(scratchBytes)}`],
      ["RAM", count(memoryBytes), `bytes in whole pages; ${count(usedBytes)} used`],
      ["MACs", count(macs), `in ${count(report.steps)} steps`],
    ],
    [1],
    width,
  );
}
