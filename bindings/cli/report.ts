import { CommanderError } from "commander";
import { Pint8Error, plain, textOf } from "../errors.ts";
import { refusedBySystem } from "./files.ts";

/** The lines that tell a failure of a command, if one was named: `pint8: CODE: message`, then a hint. Never a stack trace. */
export function failureLines(thrown: unknown, command?: string): readonly string[] {
  const error = refusedBySystem(thrown) ?? thrown;
  if (error instanceof Pint8Error) return lines(error.code, error.message, error.hint);
  if (error instanceof CommanderError)
    return lines(
      "INVALID_OPTION",
      error.message.replace(/^error: /, ""),
      `Run pint8 ${command === undefined ? "" : `${command} `}--help to see what there is.`,
    );
  const message = textOf(error);
  return lines(
    "INTERNAL",
    message || "unknown failure",
    "This is a mistake in pint8; please report it with the file that shows it.",
  );
}

/** The failure for `--json`: `{"error":{"code","message","hint"}}`. */
export function failureJson(error: unknown, command?: string): string {
  const [first = "", second = ""] = failureLines(error, command);
  const [, code = "INTERNAL", message = ""] = /^pint8: (\w+): (.*)$/su.exec(first) ?? [];
  return JSON.stringify({ error: { code, message, hint: second.replace(/^hint: /, "") } });
}

function lines(code: string, message: string, hint: string): readonly string[] {
  const first = `pint8: ${code}: ${plain(message).slice(0, 400)}`;
  return hint === "" ? [first] : [first, `hint: ${hint}`];
}
