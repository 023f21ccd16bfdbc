/** Drawings of reports, as SVG inside the page. */
import type { LayerError } from "./layers.ts";

const [WIDTH, HEIGHT] = [240, 48];

/** The values of a layer on a scale of logarithms, and lines where the model's tensor clips. */
export function histogramSvg({ histogram: { low, high, counts }, clip }: LayerError): string {
  const most = Math.log1p(Math.max(1, ...counts));
  const bar = WIDTH / counts.length;
  const bars = counts.map((count, i) => {
    const height = (Math.log1p(count) / most) * HEIGHT;
    return `<rect x="${(i * bar).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" width="${(bar * 0.9).toFixed(1)}" height="${height.toFixed(1)}"/>`;
  });
  const at = (value: number) => ((value - low) / (high - low)) * WIDTH;
  const lines = (clip ?? [])
    .map(at)
    .filter((x) => x >= 0 && x <= WIDTH)
    .map(
      (x) => `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="0" y2="${HEIGHT}" stroke="#c33" stroke-width="1.5"/>`,
    );
  const says = `${low.toPrecision(3)} to ${high.toPrecision(3)}${clip ? `, kept ${clip[0].toPrecision(3)} to ${clip[1].toPrecision(3)}` : ""}`;
  return `<svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" fill="#58c"><title>${says}</title>${bars.join("")}${lines.join("")}</svg>`;
}

/** One model of a Pareto plot: bytes and accuracy. */
export interface Point {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Those that no other beats in both: at most as large, at least as good, and better in one. */
export function paretoOf(points: readonly Point[]): readonly Point[] {
  return points.filter(
    (point) =>
      !points.some((other) => other.x <= point.x && other.y >= point.y && (other.x < point.x || other.y > point.y)),
  );
}

const letters = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** Size against accuracy; empty for less than two models. */
export function paretoSvg(points: readonly Point[]): string {
  if (points.length < 2) return "";
  const [width, height, edge] = [560, 280, 44];
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right] = [0, Math.max(...xs) * 1.08];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const room = Math.max((top - bottom) * 0.15, 0.002);
  const x = (value: number) => edge + ((value - left) / (right - left)) * (width - 2 * edge);
  const y = (value: number) =>
    height - edge - ((value - bottom + room) / (top - bottom + 2 * room)) * (height - 2 * edge);
  const best = [...paretoOf(points)].sort((a, b) => a.x - b.x);
  const line = best.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(" ");
  const dots = points.map((point) => {
    const [px, py] = [x(point.x), y(point.y)];
    const fill = best.includes(point) ? "#58c" : "#999";
    // What stands right of the middle is named to its left: it would leave the picture.
    const [side, anchor] = px > width / 2 ? [-8, "end"] : [8, "start"];
    return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="5" fill="${fill}"/><text x="${(px + side).toFixed(1)}" y="${(py - 6).toFixed(1)}" text-anchor="${anchor}" font-size="12" fill="currentColor">${letters(point.name)} ${(100 * point.y).toFixed(2)} %, ${point.x.toLocaleString("en-US")} B</text>`;
  });
  const axes = `<path d="M${edge} ${edge}V${height - edge}H${width - edge}" fill="none" stroke="currentColor"/><text x="${width - edge}" y="${height - 12}" text-anchor="end" font-size="12" fill="currentColor">bytes</text><text x="${edge}" y="${edge - 10}" font-size="12" fill="currentColor">top-1</text>`;
  return `<h2>Size and accuracy</h2><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${axes}<polyline points="${line}" fill="none" stroke="#58c" stroke-dasharray="4 3"/>${dots.join("")}</svg>`;
}
