/** Rows in columns as wide as their longest cell, two spaces apart; columns named in `right` are aligned right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): readonly string[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const widths = Array.from({ length: columns }, (_, c) =>
    rows.reduce((most, row) => Math.max(most, (row[c] ?? "").length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, c) => (right.includes(c) ? cell.padStart(widths[c] as number) : cell.padEnd(widths[c] as number)))
      .join("  ")
      .trimEnd(),
  );
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
