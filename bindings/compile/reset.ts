import type binaryen from "binaryen";
import type { ResetVariable } from "./layout.ts";

type Binaryen = typeof binaryen;
type Module = binaryen.Module;

/** `reset(): i32`: every variable back to its start; it returns 0. */
export function addReset(b: Binaryen, module: Module, variables: readonly ResetVariable[]): void {
  const { i32, i64 } = module;
  const at = (address: number) => i32.const(address | 0);
  const body = variables.map((variable) => {
    const { address, bytes } = variable;
    if (variable.kind === "copy") return module.call("copyWords", [at(address), at(variable.from), at(bytes)], b.none);
    return module.call("fillWords", [at(address), word(module, variable.value), at(bytes)], b.none);
  });
  addLoop(b, module, "fillWords", b.i64, module.local.get(1, b.i64), () => []);
  addLoop(b, module, "copyWords", b.i32, i64.load(0, 8, module.local.get(1, b.i32)), () => [
    module.local.set(1, i32.add(module.local.get(1, b.i32), i32.const(8))),
  ]);
  module.addFunction("reset", b.none, b.i32, [], module.block(null, [...body, i32.const(0)], b.i32));
  module.addFunctionExport("reset", "reset");
}

/** `name(to, from, bytes)`: stores a word per 8 bytes; `bytes` is a multiple of 8 above 0. */
function addLoop(
  b: Binaryen,
  module: Module,
  name: string,
  from: binaryen.Type,
  word: binaryen.ExpressionRef,
  step: () => readonly binaryen.ExpressionRef[],
): void {
  const { i32, i64 } = module;
  const get = (index: number) => module.local.get(index, b.i32);
  const body = module.loop(
    "more",
    module.block(null, [
      i64.store(0, 8, get(0), word),
      module.local.set(0, i32.add(get(0), i32.const(8))),
      ...step(),
      module.local.set(2, i32.sub(get(2), i32.const(8))),
      module.br("more", get(2)),
    ]),
  );
  module.addFunction(name, b.createType([b.i32, from, b.i32]), b.none, [], body);
}

/** A byte eight times. Binaryen takes one bigint; its declarations say two halves. */
function word(module: Module, byte: number): binaryen.ExpressionRef {
  const { const: constant } = module.i64 as unknown as { const(value: bigint): binaryen.ExpressionRef };
  return constant(BigInt.asIntN(64, BigInt(byte) * 0x0101010101010101n));
}
