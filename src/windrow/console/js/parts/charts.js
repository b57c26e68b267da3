/** Charts as SVG and HTML that the page draws itself; each says in words what it shows. */
import { interval as intervalText, number, percent, score as scoreText } from "../format.js";
import { html, useId } from "../ui.js";
import { Scroll } from "./bits.js";

/** @typedef {{ low: number, high: number }} Interval */

/**
 * An accuracy with the interval in which it lies, on a scale from 0 to 1.
 * @param {{ value: number | null | undefined, interval?: Interval | null, estimated?: boolean }} props
 */
export function Accuracy({ value, interval, estimated }) {
  if (value == null) return html`<span class="faint">not measured yet</span>`;
  const title = interval ? `${intervalText(interval)} with 95 % confidence` : undefined;
  return html`<span class="acc ${estimated ? "estimated" : ""}" title=${title}>
    <svg class="range" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" x="0" y="3" width="100" height="8" rx="2" />
      ${interval && html`<rect class="span" x=${100 * interval.low} y="3" width=${Math.max(1, 100 * (interval.high - interval.low))} height="8" />`}
      <rect class="at" x=${Math.min(98.5, 100 * value)} y="0" width="1.5" height="14" />
    </svg>
    <span>${percent(value)}${interval && html`<span class="sr-only"> ${title}</span>`}</span>
  </span>`;
}

/**
 * Scores of labels as bars, the best one first.
 * @param {{ scores: [string, number][], best?: string | null, threshold?: number | null, max?: number }} props
 */
export function Bars({ scores, best, threshold, max = 8 }) {
  const shown = [...scores].sort((one, other) => other[1] - one[1]).slice(0, max);
  const rest = scores.length - shown.length;
  return html`<div class="bars" role="table" aria-label="Scores">
    ${shown.map(
      ([label, score], place) => html`<div role="row" class=${label === best || (best === undefined && place === 0) ? "top" : ""} key=${place}>
        <span role="cell" class="label" title=${label}><bdi>${label}</bdi></span>
        <svg role="cell" aria-hidden="true" viewBox="0 0 100 14" preserveAspectRatio="none">
          <rect class="track" width="100" height="14" rx="2" />
          <rect class="fill" width=${(100 * score).toFixed(2)} height="14" />
          ${threshold != null && html`<rect class="at" x=${100 * threshold} width="0.7" height="14" />`}
        </svg>
        <span role="cell" class="n">${scoreText(score)}</span>
      </div>`,
    )}
    ${rest > 0 && html`<p class="faint">and ${rest} more labels</p>`}
  </div>`;
}

/**
 * A confusion matrix; a click on a cell opens its rows.
 * @param {{ labels: string[], counts: number[][], open?: [number, number] | null,
 *   onOpen?: (cell: [number, number]) => void }} props
 */
export function ConfusionMatrix({ labels, counts, open, onOpen }) {
  const most = Math.max(1, ...counts.map((row, at) => row[at] ?? 0));
  return html`<${Scroll} label="Confusion matrix">
    <table class="matrix">
      <caption class="sr-only">How many rows of each label were given which label</caption>
      <thead>
        <tr>
          <th scope="col">is ↓ read as →</th>
          ${labels.map((label) => html`<th scope="col" title=${label}><bdi>${label}</bdi></th>`)}
        </tr>
      </thead>
      <tbody>
        ${labels.map(
          (label, row) => html`<tr>
            <th scope="row" title=${label}><bdi>${label}</bdi></th>
            ${labels.map((other, column) => {
              const count = counts[row]?.[column] ?? 0;
              const kind = row === column ? `hit${Math.ceil((3 * count) / most)}` : count ? "miss" : "none";
              const name = `${count} of ${label}, read as ${other}`;
              const isOpen = open?.[0] === row && open[1] === column;
              return html`<td class=${kind}>
                ${count && onOpen
                  ? html`<button type="button" aria-label=${name} aria-pressed=${String(isOpen)} onClick=${() => onOpen([row, column])}>${count}</button>`
                  : count}
              </td>`;
            })}
          </tr>`,
        )}
      </tbody>
    </table>
  <//>`;
}

/**
 * Lines over one axis, each with an optional band; both axes run over shares, or over what is given.
 * @param {{ label: string, lines: Line[], x?: [number, number], y?: [number, number], xTicks?: Tick[], yTicks?: Tick[],
 *   mark?: number | null, marks?: { x: number, text: string }[], diagonal?: boolean,
 *   marked?: { x: number, y: number, text: string, class?: string }[],
 *   xName?: string, height?: number }} props
 * @typedef {{ points: { x: number, y: number, low?: number, high?: number, size?: number }[], class?: string, dots?: boolean }} Line
 * @typedef {[number, string]} Tick
 */
export function LineChart(props) {
  const { label, lines, x = [0, 1], y = [0, 1], xTicks = SHARES, yTicks = SHARES, mark, marks = [], marked = [], height = 240 } = props;
  const id = useId();
  const [left, right, top, bottom] = [52, innerWidth > 760 ? 640 : 340, 12, height - 36]; // narrow on a phone, for text that can be read
  /** @param {number} value */
  const atX = (value) => left + ((value - x[0]) / (x[1] - x[0] || 1)) * (right - left);
  /** @param {number} value */
  const atY = (value) => bottom - ((value - y[0]) / (y[1] - y[0] || 1)) * (bottom - top);
  return html`<svg class="chart" viewBox="0 0 ${right + 20} ${height}" role="img" aria-labelledby=${id}>
    <title id=${id}>${label}</title>
    ${yTicks.map(
      ([value, name]) => html`<g class="tick"><line x1=${left} x2=${right} y1=${atY(value)} y2=${atY(value)} />
        <text x=${left - 8} y=${atY(value) + 4} text-anchor="end">${name}</text></g>`,
    )}
    ${xTicks.map(([value, name]) => html`<text class="tick" x=${atX(value)} y=${bottom + 18} text-anchor="middle">${name}</text>`)}
    ${props.xName && html`<text x=${(left + right) / 2} y=${height - 3} text-anchor="middle">${props.xName}</text>`}
    ${props.diagonal && html`<line class="diagonal" x1=${atX(x[0])} y1=${atY(x[0])} x2=${atX(x[1])} y2=${atY(x[1])} />`}
    ${lines.map(
      (line) => html`<g class="line ${line.class ?? ""}">
        ${line.points.some((point) => point.low !== undefined) && html`<path class="band" d=${band(line, atX, atY)} />`}
        <path class="stroke" d=${line.points.map((point, at) => `${at ? "L" : "M"}${atX(point.x).toFixed(1)} ${atY(point.y).toFixed(1)}`).join("")} />
        ${line.dots && line.points.map((point) => html`<circle cx=${atX(point.x)} cy=${atY(point.y)} r=${point.size ?? 3.5} />`)}
      </g>`,
    )}
    ${marks.map(
      (each) => html`<g class="also"><line x1=${atX(each.x)} x2=${atX(each.x)} y1=${top} y2=${bottom} /><text x=${atX(each.x)} y=${top - 2} text-anchor="middle">${each.text}</text></g>`,
    )}
    ${mark != null && html`<line class="mark" x1=${atX(mark)} x2=${atX(mark)} y1=${top} y2=${bottom} />`}
    ${marked.map(
      (each) => html`<g class="marked ${each.class ?? ""}"><circle cx=${atX(each.x)} cy=${atY(each.y)} r="5" />
        <text x=${atX(each.x) + (each.x > (x[0] + x[1]) / 2 ? -10 : 10)} y=${Math.max(top + 12, atY(each.y) - 9)} text-anchor=${each.x > (x[0] + x[1]) / 2 ? "end" : "start"}>${each.text}</text></g>`,
    )}
  </svg>`;
}

/** How the accuracy grew with the rows. @param {{ points: { rows: number, accuracy: number }[] }} props */
export function LearningCurve({ points }) {
  const line = points.map((each) => ({ x: each.rows, y: each.accuracy }));
  const ticks = points.map((each) => [each.rows, number(Math.round(each.rows))]);
  return html`<${LineChart} height=${200} label=${`Accuracy with ${points.map((each) => `${Math.round(each.rows)} rows ${percent(each.accuracy)}`).join(", ")}`}
    x=${[0, Math.max(1, ...points.map((each) => each.rows))]} xTicks=${ticks} xName="training rows" lines=${[{ points: line, dots: true }]} />`;
}

/** @type {Tick[]} */
const SHARES = [
  [0, "0"],
  [0.25, "25 %"],
  [0.5, "50 %"],
  [0.75, "75 %"],
  [1, "100 %"],
];

/** @param {Line} line @param {(x: number) => number} atX @param {(y: number) => number} atY */
function band(line, atX, atY) {
  const upper = line.points.map((point) => `${atX(point.x).toFixed(1)} ${atY(point.high ?? point.y).toFixed(1)}`);
  const lower = line.points.map((point) => `${atX(point.x).toFixed(1)} ${atY(point.low ?? point.y).toFixed(1)}`).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}

/**
 * A share as a bar with its figure beside it.
 * @param {{ share: number | null, text?: string, class?: string }} props
 */
export function Meter({ share, text, class: className = "" }) {
  return html`<span class="meter ${className}">
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="10" rx="2" />
      <rect class="fill" width=${(100 * Math.min(1, Math.max(0, share ?? 0))).toFixed(2)} height="10" />
    </svg>
    <span>${text ?? percent(share)}</span>
  </span>`;
}
