/** Evaluations as a page of HTML in one file: nothing is loaded from anywhere. */
import { requireList, requireText } from "../../given.ts";
import type { Evaluation } from "./evaluate.ts";
import { type LayerError, type ModelFigures, type OutputNearness, topFive, worstFirst } from "./figures.ts";
import { histogramSvg, type Point, paretoSvg } from "./pictures.ts";

/** Rows of layers and classes that are shown; more say nothing to a reader. */
const MOST_LAYERS = 24;
const MOST_CLASSES = 64;

const STYLE = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0}
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}
.confusion td,.confusion th{padding:.1rem .35rem;text-align:center;border:1px solid #8882;font-size:12px}
svg{max-width:100%;height:auto}
.bad{color:#c33}.dim{opacity:.7}
.name{max-width:24rem;overflow-wrap:anywhere}
`;

/** Letters that HTML reads as more than letters. */
const SIGNS: { readonly [letter: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (letter) => SIGNS[letter] ?? letter);

const percent = (share: number | undefined) => (share === undefined ? "–" : `${(100 * share).toFixed(2)} %`);
const short = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : "∞");
const row = (cells: readonly string[], tag = "td", first = "") =>
  `<tr>${first}${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;

/**
 * A report of one evaluation or of several candidates on the same data: figures, a Pareto plot of size and accuracy where there
 * are two or more models, confusion, and the layers that hurt most with the range that they clip to.
 */
export function reportHtml(evaluations: readonly Evaluation[], title = "pint8 evaluation"): string {
  requireList("reportHtml", evaluations, "a list of evaluations", "model");
  requireText("reportHtml, title", title);
  const models = new Map<string, ModelFigures>();
  for (const { model, against } of evaluations)
    for (const each of [model, against]) if (each) models.set(each.name, each);
  const [first] = evaluations;
  const data =
    first === undefined ? "" : `${first.samples} samples${first.preparation ? `, ${escaped(first.preparation)}` : ""}`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${STYLE}</style>
<h1>${escaped(title)}</h1>
<p class="dim">${data}</p>
${figuresTable([...models.values()])}
${pareto([...models.values()])}
${evaluations.map((each, i) => section(each, i === 0 ? confusionTable(each.model, each.classNames) : "")).join("\n")}
</html>
`;
}

/** Accuracy where the data has classes, else how far the outputs are from their targets. */
function pareto(models: readonly ModelFigures[]): string {
  const points = (of: (model: ModelFigures) => number | undefined) =>
    models.flatMap((model): readonly Point[] => {
      const [x, y] = [model.bytes, of(model)];
      return x === undefined || y === undefined ? [] : [{ name: model.name, x, y }];
    });
  const top1 = points(({ classes }) => classes?.top1);
  if (top1.length > 0) return paretoSvg(top1, "top-1");
  const errors = points(({ targets }) => targets && -targets.meanError);
  return paretoSvg(errors, "mean error, the least on top", (y) => Math.abs(y).toPrecision(4));
}

/** A tensor's name; of fused operators, which have all their names, the first. */
function nameCell({ name, where }: LayerError): string {
  const [first = name, ...others] = name.split(";");
  const more = others.length === 0 ? "" : ` <span class="dim">and ${others.length} more</span>`;
  return `<td class="name" title="${escaped(name)}">${escaped(first)}${more}<br><span class="dim">${escaped(where)}</span></td>`;
}

function figuresTable(models: readonly ModelFigures[]): string {
  const head = ["model", "top-1", "top-5", "bytes", "ms a sample", "weights that are 0", "mean error", "cosine"];
  const cells = models.map(({ name, classes, bytes, latency, sparsity, targets }) => [
    ...[escaped(name), percent(classes?.top1), percent(topFive(classes)), bytes?.toLocaleString("en-US") ?? "–"],
    ...[short(latency), percent(sparsity)],
    ...(targets === undefined ? ["–", "–"] : [short(targets.meanError), short(targets.cosine)]),
  ]);
  // What no model has needs no column.
  const [first = [], ...rest] = [head, ...cells].map((all) =>
    all.filter((_, i) => cells.some((each) => each[i] !== "–")),
  );
  return `<table>${row(first, "th")}${rest.map((each) => row(each)).join("")}</table>`;
}

/** One comparison; the confusion of the model, which all have, is shown with the first. */
function section(
  { model, against, agreement, compared: what, outputs, byOutput, layers }: Evaluation,
  confusion: string,
): string {
  const compared =
    against === undefined
      ? ""
      : `<p>${[
          agreement === undefined ? "" : `The same ${what} for ${percent(agreement)}`,
          outputs === undefined
            ? ""
            : `outputs differ by ${short(outputs.meanError)} on average, cosine ${short(outputs.cosine)}`,
        ]
          .filter((text) => text !== "")
          .join("; ")}.</p>`;
  const each = outputTable(byOutput ?? [], "differ by") + outputTable(model.targetsByOutput ?? [], "mean error");
  const title = against === undefined ? model.name : `${model.name} against ${against.name}`;
  return `<h2>${escaped(title)}</h2>${compared}${each}${confusion}${layerTable(layers ?? [])}`;
}

/** A row for each of several outputs. */
function outputTable(outputs: readonly OutputNearness[], what: string): string {
  if (outputs.length === 0) return "";
  const rows = outputs.map(({ name, meanError, cosine }) => row([escaped(name), short(meanError), short(cosine)]));
  return `<table>${row(["output", what, "cosine"], "th")}${rows.join("")}</table>`;
}

/** Labels down, what was found across; empty where there are too many classes to look at. */
function confusionTable({ classes }: ModelFigures, names: readonly string[] | undefined): string {
  const confusion = classes?.confusion ?? [];
  if (confusion.length < 2 || confusion.length > MOST_CLASSES) return "";
  const nameOf = (i: number) => escaped(names?.[i] ?? `${i}`);
  const rows = confusion.map((counts, label) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, found) => {
      const hue = found === label ? "90,160,90" : "200,60,60";
      const share = all === 0 ? 0 : count / all;
      return `<td style="background:rgba(${hue},${(found === label ? share * 0.6 : Math.min(1, share * 6)).toFixed(3)})">${count || ""}</td>`;
    });
    return `<tr><th>${nameOf(label)}</th>${cells.join("")}</tr>`;
  });
  const iou = classes?.iou === undefined ? "" : `<p>Mean intersection over union ${percent(classes.iou)}.</p>`;
  const head = `<tr><th></th>${confusion.map((_, i) => `<th>${nameOf(i)}</th>`).join("")}</tr>`;
  return `<h3>Confusion</h3>${iou}<p class="dim">Labels down, classes that were found across.</p><table class="confusion">${head}${rows.join("")}</table>`;
}

/** Red where little of the signal is left. */
function snrCell({ snr, behind }: LayerError): string {
  if (behind !== undefined) return `${short(snr)}<br><span class="dim">${short(behind)} behind it</span>`;
  return snr < 10 ? `<span class="bad">${short(snr)}</span>` : short(snr);
}

/** The layers of the least signal first. */
function layerTable(layers: readonly LayerError[]): string {
  if (layers.length === 0) return "";
  const worst = worstFirst(layers).slice(0, MOST_LAYERS);
  const rows = worst.map((layer) =>
    row([snrCell(layer), ...[short(layer.cosine), short(layer.meanError), histogramSvg(layer)]], "td", nameCell(layer)),
  );
  const head = row(["tensor", "SNR in dB", "cosine", "mean error", "values, and the range that is kept"], "th");
  return `<h3>Layers that hurt most</h3><table>${head}${rows.join("")}</table>`;
}
