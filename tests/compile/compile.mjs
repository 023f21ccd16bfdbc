// Compiles models in a process of its own, without a TypeScript loader: that takes 10 s for Binaryen alone.
// Standard input: [{ source, out, options }] as JSON; standard output: a report or an error for each.
import { readFileSync, writeFileSync } from "node:fs";
import { compileModel } from "../../dist/lib/compile.js";

const results = [];
for (const { source, out, options } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const { wasm, js, dts, header, report } = await compileModel(source, options);
    writeFileSync(`${out}.wasm`, wasm);
    writeFileSync(`${out}.js`, js);
    writeFileSync(`${out}.d.ts`, dts);
    writeFileSync(`${out}.h`, header);
    results.push({ report });
  } catch (error) {
    results.push({ error: { code: error.code, message: error.message } });
  }
}
console.log(JSON.stringify(results));
