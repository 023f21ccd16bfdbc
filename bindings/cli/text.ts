/** Letters that a column of text keeps, however narrow the terminal is. */
const LEAST_WIDTH = 8;

/**
 * Rows in columns as wide as their longest cell, two spaces apart; columns named in `right` are aligned right. Where that is wider than
 * `width` letters, the widest of the others lose the ends of their cells, the first one last.
 */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  width = Infinity,
): readonly string[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const widths = Array.from({ length: columns }, (_, c) =>
    rows.reduce((most, row) => Math.max(most, (row[c] ?? "").length), 0),
  );
  narrow(widths, right, width - 2 * (columns - 1));
  return rows.map((row) =>
    row
      .map((cell, c) => {
        const size = widths[c] as number;
        if (right.includes(c)) return cell.padStart(size);
        return (cell.length > size ? `${cell.slice(0, size - 1)}…` : cell).padEnd(size);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Takes letters from the widest columns that are not in `kept`, from the first one last, until all together have `most`. */
function narrow(widths: number[], kept: readonly number[], most: number): void {
  const wide = (c: number) => !kept.includes(c) && (widths[c] as number) > LEAST_WIDTH;
  for (let over = widths.reduce((sum, size) => sum + size, 0) - most; over > 0; over--) {
    const [first, ...others] = widths.map((_, c) => c).filter(wide);
    if (first === undefined) return;
    const from = first === 0 && others.length > 0 ? others : [first, ...others];
    const widest = from.reduce((a, b) => ((widths[b] as number) > (widths[a] as number) ? b : a));
    widths[widest] = (widths[widest] as number) - 1;
  }
}

/** `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Milliseconds with three significant digits or more: `0.0123 ms`, `12.3 ms`. */
export function milliseconds(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ms`;
}

/** `97.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** For JSON.stringify: JSON has no Infinity. */
export const finite = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? null : value;
