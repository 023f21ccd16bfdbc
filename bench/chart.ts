/** The ratios as a bar chart in SVG, without a library: a bar for each model and pair, its spread as a line, 1 marked. */
import type { Results } from "./report.ts";

const [ROW, BAR, LEFT, WIDTH, TOP] = [18, 12, 330, 420, 40];
const COLORS = ["#2a6f97", "#d1495b", "#66a182", "#edae49", "#7a5195"];

const safe = (text: string) => text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);

export function chart(results: Results): string {
  const bars = results.engines.flatMap(({ engine, models }) =>
    models.flatMap(({ name, ratios }) =>
      ratios.map((ratio) => ({
        ...ratio,
        label: `${name} · ${engine.split(",")[0]}`,
        pair: `${ratio.ours} / ${ratio.theirs}`,
      })),
    ),
  );
  const pairs = [...new Set(bars.map(({ pair }) => pair))];
  const most = Math.max(1, ...bars.map(({ high, ratio }) => Math.max(high, ratio)));
  const x = (value: number) => LEFT + (value / most) * WIDTH;
  const color = (pair: string) => COLORS[pairs.indexOf(pair) % COLORS.length];
  const bottom = TOP + bars.length * ROW;
  const parts = bars.map(({ label, pair, ratio, low, high }, i) => {
    const y = TOP + i * ROW;
    const middle = y + BAR / 2;
    return [
      `<text x="${LEFT - 8}" y="${y + 10}" text-anchor="end">${safe(label)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${(x(ratio) - LEFT).toFixed(1)}" height="${BAR}" fill="${color(pair)}"><title>${safe(pair)}: ${ratio.toFixed(2)}</title></rect>`,
      `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#333"/>`,
      `<text x="${(x(Math.max(high, ratio)) + 5).toFixed(1)}" y="${y + 10}">${ratio.toFixed(2)}</text>`,
    ].join("");
  });
  const legend = pairs.map((pair, i) => {
    const y = bottom + 20 + i * ROW;
    return `<rect x="${LEFT}" y="${y}" width="12" height="12" fill="${color(pair)}"/><text x="${LEFT + 18}" y="${y + 10}">${safe(pair)}</text>`;
  });
  const height = bottom + 40 + pairs.length * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 60}" height="${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="20" font-size="14">Times faster than the other engine in the same run (${safe(results.date)})</text>
<line x1="${x(1)}" x2="${x(1)}" y1="${TOP - 6}" y2="${bottom}" stroke="#999" stroke-dasharray="3 3"/>
${parts.join("\n")}
${legend.join("\n")}
</svg>
`;
}
