/**
 * The relaxed module for engines whose relaxed dot product is not exact, or that have none: a function of SIMD128 in its place, which
 * takes the second operand as signed, as ARM's `sdot` does. Processors with AVX-VNNI, where the module runs itself, take it as unsigned.
 */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "assemblyscript/binaryen";

const FUNCTION = `(func $dot (param $w v128) (param $x v128) (param $sums v128) (result v128) (local $a v128) (local $b v128)
  (local.set $a (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_low_i8x16_s (local.get $w) (local.get $x))))
  (local.set $b (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_high_i8x16_s (local.get $w) (local.get $x))))
  (i32x4.add (local.get $sums) (i32x4.add
    (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $a) (local.get $b))
    (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $a) (local.get $b)))))`;

const fileOf = (name: string) => fileURLToPath(new URL(`../../wasm/${name}.wasm`, import.meta.url));

/** Made once for all tests, beside the module that it is made of. */
export function loweredRelaxed(): WebAssembly.Module {
  const [from, to] = [fileOf("relaxed.full"), fileOf("relaxed.lowered.debug")];
  if (!existsSync(to) || statSync(to).mtimeMs < statSync(from).mtimeMs) {
    const own = `${to}.${process.pid}`;
    writeFileSync(own, lowered(readFileSync(from)));
    renameSync(own, to);
  }
  return new WebAssembly.Module(readFileSync(to));
}

function lowered(wasm: Uint8Array): Uint8Array {
  const before = binaryen.readBinary(wasm);
  before.setFeatures(binaryen.Features.All);
  const text = before.emitText().replaceAll("(i32x4.relaxed_dot_i8x16_i7x16_add_s", "(call $dot");
  before.dispose();
  const after = binaryen.parseText(text.replace(/\)\s*$/, `${FUNCTION})`));
  after.setFeatures(binaryen.Features.All);
  const made = after.emitBinary();
  after.dispose();
  return made;
}
