import { Pint8Error, textOf } from "./errors.ts";

/** A part of pint8 that is loaded when something needs it. Errors: IO where it cannot be loaded. */
export async function loadLater<T>(where: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new Pint8Error(
      "IO",
      {
        where,
        expected: "a script that is loaded when one is met",
        received: textOf(cause),
        hint: 'Where no script is imported at run time, as in service workers, import loadModel from "pint8/inline".',
      },
      { cause },
    );
  }
}
