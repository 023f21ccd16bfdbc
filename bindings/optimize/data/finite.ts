/** Examples whose values are numbers. */
import { ensure } from "../../errors.ts";

/** Refuses infinities and NaN, which would make all that is computed of them NaN. Errors: INVALID_INPUT. */
export function requireFinite(values: Float32Array, where: string): void {
  ensure(values.every(Number.isFinite), "INVALID_INPUT", () => ({
    where,
    expected: "finite numbers",
    received: String(values.find((value) => !Number.isFinite(value))),
    hint: "Check the data's preparation.",
  }));
}
