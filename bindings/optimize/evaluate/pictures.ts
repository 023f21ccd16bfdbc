/** Drawings of reports, as SVG inside the page. */
import type { LayerError } from "./figures.ts";

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

/** Letters of a label are so wide and high, about. */
const [LETTER, LINE] = [6.6, 15];

/** Room of a point. */
const DOT = 6;

/** A label beside its point: right or left of it, or moved up or down, where it covers least of labels and points that stand already. */
function place(taken: Box[], px: number, py: number, text: string, [from, to]: readonly [number, number]): string {
  const long = text.length * LETTER;
  const boxes = Array.from({ length: 48 }, (_, i) => py + 4 + (i % 2 === 0 ? -1 : 1) * Math.ceil(i / 2) * (LINE / 2))
    .filter((y) => y > LINE)
    .flatMap((y): Box[] => [
      { left: px + DOT + 2, right: px + DOT + 2 + long, top: y - LINE + 3, bottom: y + 3 },
      { left: px - DOT - 2 - long, right: px - DOT - 2, top: y - LINE + 3, bottom: y + 3 },
    ])
    .filter(({ left, right }) => left >= from && right <= to);
  const covered = (box: Box) => taken.reduce((sum, other) => sum + common(box, other), 0);
  const own = { left: px + DOT + 2, right: px + DOT + 2 + long, top: py - LINE, bottom: py };
  const best = boxes.reduce((a, b) => (covered(b) < covered(a) ? b : a), boxes[0] ?? own);
  taken.push(best);
  const [x, anchor] = best.left < px ? [best.right, "end"] : [best.left, "start"];
  return `<text x="${x.toFixed(1)}" y="${(best.bottom - 3).toFixed(1)}" text-anchor="${anchor}" font-size="12" fill="currentColor">${letters(text)}</text>`;
}

/** The area that two boxes share. */
const common = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Per cent of a share. */
const share = (value: number) => `${(100 * value).toFixed(2)} %`;

/** Size against a figure, `what`, the larger the better, which `said` writes; those that no other beats are joined. Empty for less than two models. */
export function paretoSvg(points: readonly Point[], what: string, said: (y: number) => string = share): string {
  if (points.length < 2) return "";
  const [width, height, edge] = [760, 316, 64];
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const right = Math.max(...xs) * 1.08;
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const room = Math.max((top - bottom) * 0.15, 0.002 * Math.abs(top), Number.MIN_VALUE);
  const x = (value: number) => edge + (value / right) * (width - 2 * edge);
  const y = (value: number) =>
    height - edge - ((value - bottom + room) / (top - bottom + 2 * room)) * (height - 2 * edge);
  const best = [...paretoOf(points)].sort((a, b) => a.x - b.x);
  const line = best.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(" ");
  const taken: Box[] = points.map((point) => {
    const [px, py] = [x(point.x), y(point.y)];
    return { left: px - DOT, right: px + DOT, top: py - DOT, bottom: py + DOT };
  });
  const dots = points.map((point) => {
    const [px, py] = [x(point.x), y(point.y)];
    const fill = best.includes(point) ? "#58c" : "#999";
    const label = place(taken, px, py, `${point.name} ${said(point.y)}, ${point.x.toLocaleString("en-US")} B`, [
      edge,
      width,
    ]);
    return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="5" fill="${fill}"/>${label}`;
  });
  const text = (at: string, says: string) => `<text ${at} font-size="12" fill="currentColor">${says}</text>`;
  // Names that would cover each other are one.
  const ticks = (y(bottom) - y(top) < LINE ? [top] : [bottom, top])
    .map((value) =>
      text(`x="${edge - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end"`, said(value).replace(" ", "&#160;")),
    )
    .concat(
      [0.25, 0.5, 0.75, 1].map((part) => {
        const value = Math.round((part * Math.max(...xs)) / 1000);
        return text(`x="${x(value * 1000).toFixed(1)}" y="${height - edge + 16}" text-anchor="middle"`, `${value} kB`);
      }),
    );
  const axes = `<path d="M${edge} ${edge / 2}V${height - edge}H${width - edge}" fill="none" stroke="currentColor"/>${text(`x="${edge}" y="${edge / 2 - 8}"`, letters(what))}`;
  return `<h2>Size and ${letters(what)}</h2><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${axes}${ticks.join("")}<polyline points="${line}" fill="none" stroke="#58c" stroke-dasharray="4 3"/>${dots.join("")}</svg><p class="dim">Blue and joined: no other model is smaller and better.</p>`;
}
