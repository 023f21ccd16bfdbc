import { Pint8Error, textOf } from "../errors.ts";
import type { Edition, ModuleName } from "../primitives/modules.ts";
import { packageFile } from "../session/files.ts";
import { readSource } from "../session/source.ts";
import { sectionsOf, withoutCustom } from "./sections.ts";

/** The kernels of one module, as bytes: the linker takes them apart, so this engine need not be able to run them. */
export interface KernelBinary {
  readonly name: ModuleName;
  readonly wasm: Uint8Array;
  /** SHA-256 of its code in hexadecimal: plans are bound to it. */
  readonly hash: string;
}

/** Bytes of the hash in the section `pint8`; the build's name follows. */
const HASH_BYTES = 32;

/**
 * Reads the kernels of a module: all, or those of the edition that a plan needs, whose constants alone the linked module then has.
 *
 * Errors: MODULE_UNAVAILABLE where the file is missing or not one that pint8 built.
 */
export async function readKernels(name: ModuleName, edition: Edition = "full"): Promise<KernelBinary> {
  const file = packageFile(edition === "core" ? `${name}.wasm` : `${name}.full.wasm`);
  const bytes = await readSource(file).catch((cause: unknown) => {
    throw unavailable(name, textOf(cause));
  });
  const section = sectionsOf(bytes).find((candidate) => candidate.name === "pint8");
  if (section === undefined || section.end - section.start <= HASH_BYTES)
    throw unavailable(name, "one without its hash");
  const hash = Array.from(bytes.subarray(section.start, section.start + HASH_BYTES), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return { name, wasm: withoutCustom(bytes), hash: hash.join("") };
}

function unavailable(name: ModuleName, received: string): Pint8Error {
  return new Pint8Error("MODULE_UNAVAILABLE", {
    where: `module ${name}`,
    expected: `a readable ${name}.wasm built by pint8`,
    received,
    hint: "Build it with `npm run build`.",
  });
}
