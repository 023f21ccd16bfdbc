/** Names of classes, by whose order labels are numbered. */
import { ensure } from "../../errors.ts";
import type { Dataset } from "./types.ts";

const MOST_LISTED = 5;

/**
 * Refuses names that are not as many as the model has scores: labels that are numbered by them would mean other classes.
 *
 * Errors: INVALID_INPUT.
 */
export function requireNames({ classes }: Dataset, scores: number): void {
  ensure(classes === undefined || classes.length === scores, "INVALID_INPUT", () => ({
    where: "data",
    expected: `names of ${scores} classes, as many as the model has scores`,
    received: `${classes?.length}: ${classes?.slice(0, MOST_LISTED).join(", ")}${(classes?.length ?? 0) > MOST_LISTED ? ", …" : ""}`,
    hint: "Give every class a folder or name, or number them from 0 as the model does.",
  }));
}
