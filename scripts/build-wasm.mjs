// Builds every module of asconfig.json into wasm/ and stamps it: a custom section "pint8" with the SHA-256 of the
// bytes before it, to which saved plans are bound. `node scripts/build-wasm.mjs [target…]`
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The module with its hash appended as a custom section. */
function stamp(wasm) {
  const name = Buffer.from("pint8");
  const body = Buffer.concat([Buffer.from([name.length]), name, createHash("sha256").update(wasm).digest()]);
  return Buffer.concat([wasm, Buffer.from([0, body.length]), body]);
}

const { targets } = JSON.parse(readFileSync(`${root}asconfig.json`, "utf8"));
const wanted = process.argv.slice(2);
mkdirSync(`${root}wasm`, { recursive: true });
for (const target of wanted.length ? wanted : Object.keys(targets)) {
  const { error, stderr } = await main(["--config", "asconfig.json", "--target", target, "--baseDir", root]);
  if (error) {
    process.stderr.write(`${stderr}\n${error.message}\n`);
    process.exit(1);
  }
  const file = `${root}${targets[target].outFile}`;
  writeFileSync(file, stamp(readFileSync(file)));
}
