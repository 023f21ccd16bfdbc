import { basename } from "node:path";
import { literal, portLiteral } from "../../compile/ports.ts";
import { ensure } from "../../errors.ts";
import { inspectModel } from "../../public/index.ts";
import { readExternalData, readModelBytes } from "../files.ts";
import { type ReadingOptions, readingOf } from "../options.ts";
import type { Streams } from "../streams.ts";

interface TypesOptions extends ReadingOptions {
  readonly name?: string;
}

type Ports = Awaited<ReturnType<typeof inspectModel>>["inputs"];

/** Writes the TypeScript types of a model: every name, shape, type and scale as a literal, for `loadModel<Name>(…)`. */
export async function types(model: string, options: TypesOptions, { out }: Streams): Promise<void> {
  ensure(options.name === undefined || isTypeName(options.name), "INVALID_OPTION", () => ({
    where: "--name",
    expected: "a name that an interface may have",
    received: `${options.name}`,
    hint: "Letters, digits, _ and $, no digit first, and no word of the language: DigitsInt8.",
  }));
  const bytes = await readModelBytes(model);
  const { inputs, outputs } = await inspectModel(bytes, {
    externalData: readExternalData(model, bytes),
    ...readingOf(options),
  });
  const name = options.name ?? nameOf(model);
  out(`// Types of ${literal(basename(model)).slice(1, -1)}, by pint8 types. Use: loadModel<${name}>(…).

export interface ${name} {
  readonly inputs: readonly [${list(inputs)}];
  readonly outputs: readonly [${list(outputs)}];
}`);
}

/** What no interface can be called. */
const WORDS =
  /^(any|bigint|boolean|never|null|number|object|string|symbol|undefined|unknown|void|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|while|with|yield)$/;
const isTypeName = (name: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) && !WORDS.test(name);

/** `digits_int8.tflite` is `DigitsInt8`. */
function nameOf(path: string): string {
  const words = basename(path)
    .replace(/\.\w+$/, "")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  const name = words.map((word) => (word[0] as string).toUpperCase() + word.slice(1)).join("");
  return /^\p{L}/u.test(name) ? name : `Model${name}`;
}

const list = (ports: Ports): string =>
  ports
    .map((port) => {
      const text = portLiteral({ ...port, address: 0 }, (shape) => `readonly ${shape}`);
      return `\n    ${text.replace(/([{,]) (name|dtype|shape|scale|zeroPoint):/g, "$1 readonly $2:")},`;
    })
    .concat(ports.length > 0 ? "\n  " : "")
    .join("");
