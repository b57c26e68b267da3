/** What test rows say about a classifier: label by label, row by row, and what each threshold would answer. */
import { counted, figure, givenLabels, number, percent, score as scoreText } from "../format.js";
import { Button, Scroll, Sheet, Text } from "../parts/bits.js";
import { LineChart, Meter } from "../parts/charts.js";
import { Input } from "../parts/fields.js";
import { Table, TableSheet } from "../parts/table.js";
import { html, submits, useState } from "../ui.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {{ threshold: number, answered: number, wrong: number, share: number, error: number | null, error_interval: { low: number, high: number } | null }} CoveragePoint */
/** @typedef {{ row: number, text: string, label: string, predicted: string, score: number | null }} JudgedRow */

const CALIBRATION_MARGIN = 0.05;
const LARGE_ERROR = 0.15;
const PAGE_STEP = 0.1;

/**
 * Return an interval with one decimal, for shares that are small: `0.3 to 4.1 %`.
 * @param {{ low: number, high: number }} interval
 */
export function fineInterval({ low, high }) {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`;
}

/** Say what accuracy test rows show. @param {Json} report */
export function accuracySentence(report) {
  const { low, high } = report.accuracy_interval;
  const right = report.kind === "multi_label" ? "were given all of their labels and no other one" : "are right";
  return `${number(report.correct)} of ${counted(report.total, "row")} ${right}. On all texts like these, between ${(100 * low).toFixed(0)} and ${(100 * high).toFixed(0)} % would be (with 95 % confidence).`;
}

/**
 * Say whether that is more than always giving the most frequent label.
 * @param {Json} report
 * @returns {{ kind: "good" | "bad" | "warn", text: string, label: string | null, rest: string }}
 */
export function baselineVerdict(report) {
  const { majority_baseline: baseline, accuracy_interval: interval } = report;
  const label = givenLabels(baseline);
  const rest = `, which is right for ${percent(baseline.accuracy)} of these rows.`;
  if (interval.low > baseline.accuracy) return { kind: "good", text: "Shown to be better than always answering ", label, rest };
  if (interval.high < baseline.accuracy) return { kind: "bad", text: "Shown to be worse than always answering ", label, rest };
  return { kind: "warn", text: "Not shown to be better than always answering ", label, rest: `${rest} More test rows would tell.` };
}

/** How each label did. @param {{ labels: Json[] }} props */
export function LabelTable({ labels }) {
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Label", cell: (each) => html`<span class="name"><bdi>${each.label}</bdi></span>` },
    { title: "Recall", cell: (each) => (each.total ? html`<${Meter} share=${each.recall} text=${`${each.recall.toFixed(2)} (${each.correct}/${each.total})`} />` : html`<span class="faint">no row</span>`) },
    { title: "Precision", number: true, cell: (each) => (each.precision == null ? "–" : `${each.precision.toFixed(2)} (${each.correct}/${each.predicted})`) },
    { title: "F1", number: true, minor: true, cell: (each) => figure(each.f1) },
    { title: "Rows", number: true, minor: true, cell: (each) => number(each.total) },
  ];
  return html`<${TableSheet} title="Label by label" class="tight" columns=${columns} rows=${labels} keyOf="label" label="How each label did" />`;
}

/**
 * Return the rows behind a cell of the confusion matrix.
 * @param {Json} report
 * @param {import("../format.js").Row[]} rows The test rows.
 * @param {string} label
 * @param {string} read The label that was given.
 * @returns {JudgedRow[]}
 */
export function rowsOfCell(report, rows, label, read) {
  if (label !== read) return report.misclassified.filter((each) => each.label === label && each.predicted === read);
  const wrong = new Set(report.misclassified.map((each) => each.row));
  return rows.flatMap((each, row) => (each.label === label && !wrong.has(row) ? [{ row, text: each.text, label, predicted: label, score: null }] : []));
}

/**
 * Test rows with what was said about them; each can be sent to the corrections.
 * @param {{ rows: JudgedRow[], label: string, sent: Set<string>, onSend: (rows: JudgedRow[]) => void,
 *   empty?: import("../ui.js").View }} props
 */
export function JudgedRows({ rows, label, sent, onSend, empty }) {
  const scored = rows.some((each) => each.score != null);
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Row", number: true, minor: true, cell: (each) => number(each.row + 1) },
    { title: "Text", cell: (each) => html`<${Text}>${each.text}<//>` },
    { title: "Label", cell: (each) => html`<span class="name good-ink"><bdi>${each.label}</bdi></span>` },
    { title: "Read as", cell: (each) => html`<span class="name ${each.predicted === each.label ? "" : "bad-ink"}"><bdi>${each.predicted}</bdi></span>` },
    ...(scored ? [{ title: "Score", number: true, minor: true, cell: (/** @type {JudgedRow} */ each) => (each.score == null ? "" : scoreText(each.score)) }] : []),
    {
      name: "send",
      hidden: "Correct",
      number: true,
      cell: (each) =>
        sent.has(each.text)
          ? html`<span class="faint">in Correct</span>`
          : html`<${Button} link label="Send row ${each.row + 1} to Correct" onClick=${() => onSend([each])}>Correct<//>`,
    },
  ];
  return html`<${Table} columns=${columns} rows=${rows} keyOf="row" label=${label} empty=${empty} />`;
}

/** Say how large an F1 is, and in which interval it lies. @param {number} f1 @param {{ low: number, high: number }} interval */
function f1Text(f1, { low, high }) {
  return `${f1.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** What there is to say of any number of labels beside the rows that are exactly right. @param {{ report: Json }} props */
export function MultiLabelFigures({ report }) {
  return html`<${Sheet} title="All decisions about labels">
    <dl class="facts">
      <dt>Micro F1</dt><dd>${f1Text(report.micro_f1, report.micro_f1_interval)} <span class="faint">of all decisions together: precision ${figure(report.micro_precision)}, recall ${figure(report.micro_recall)}</span></dd>
      <dt>Macro F1</dt><dd>${f1Text(report.macro_f1, report.macro_f1_interval)} <span class="faint">the mean of the labels</span></dd>
      <dt>Exact matches</dt><dd>${percent(report.accuracy)} <span class="faint">${number(report.correct)} of ${counted(report.total, "row")}: the accuracy</span></dd>
      <dt>Hamming loss</dt><dd>${report.hamming_loss.toFixed(3)} <span class="faint">the share of all decisions that are wrong</span></dd>
    </dl>
  <//>`;
}

/** Labels that were given in place of others, and labels that were missed together. @param {{ report: Json }} props */
export function ConfusedLabels({ report }) {
  /** @param {string} label */
  const name = (label) => html`<span class="name"><bdi>${label}</bdi></span>`;
  /** @type {import("../parts/table.js").Columns} */
  const confused = [
    { title: "Missed", cell: (each) => name(each.label) },
    { title: "Given in its place", cell: (each) => name(each.given) },
    { title: "Rows", number: true, cell: (each) => number(each.rows) },
  ];
  /** @type {import("../parts/table.js").Columns} */
  const missed = [
    { title: "Labels", cell: (each) => name(each.labels.join(", ")) },
    { title: "Rows", number: true, cell: (each) => number(each.rows) },
  ];
  return html`${report.confused_labels.length > 0 && html`<${TableSheet} title="Labels that were confused" class="tight" label="Labels that were confused" columns=${confused} rows=${report.confused_labels} keyOf=${(/** @type {Json} */ each) => `${each.label}\n${each.given}`} />`}
    ${report.missed_together.length > 0 && html`<${TableSheet} title="Labels that were missed together" class="tight" label="Labels that were missed together" columns=${missed} rows=${report.missed_together} keyOf=${(/** @type {Json} */ each) => each.labels.join("\n")} />`}`;
}

/** Labels, of which those are marked that others lack. @param {{ labels: string[], others: string[], lacking: string }} props */
export function MarkedLabels({ labels, others, lacking }) {
  if (!labels.length) return html`<span class="faint">none of the labels</span>`;
  return labels.map((label, place) => html`${place > 0 && ", "}<span class="name ${others.includes(label) ? "good-ink" : "bad-ink"}"><bdi>${label}</bdi>${!others.includes(label) && html`<span class="sr-only"> (${lacking})</span>`}</span>`);
}

/** The rows that were not given exactly their labels. @param {{ report: Json, tools?: import("../ui.js").View }} props */
export function MultiLabelRows({ report, tools }) {
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Row", number: true, minor: true, cell: (each) => number(each.row + 1) },
    { title: "Text", cell: (each) => html`<${Text}>${each.text}<//>` },
    { title: "Labels", cell: (each) => html`<${MarkedLabels} labels=${each.labels} others=${each.predicted} lacking="missed" />` },
    { title: "Given", cell: (each) => html`<${MarkedLabels} labels=${each.predicted} others=${each.labels} lacking="wrong" />` },
  ];
  return html`<${Sheet} title="Misclassified rows (${number(report.misclassified.length)})" tools=${tools} flush>
    <${Scroll} label="Rows" class="rows-behind"><${Table} columns=${columns} rows=${report.misclassified} keyOf="row" label="Misclassified rows" empty=${html`<p class="all-right">Every row was given exactly its labels.</p>`} /><//>
  <//>`;
}

/** How far scores can be trusted. @param {{ report: Json }} props */
export function Reliability({ report }) {
  const { bins, ece } = /** @type {Json} */ (report.calibration);
  const rows = bins.reduce((/** @type {number} */ sum, each) => sum + each.rows, 0);
  const mean = bins.reduce((/** @type {number} */ sum, each) => sum + each.rows * each.mean_score, 0) / rows;
  const several = report.kind === "multi_label";
  const right = several ? bins.reduce((/** @type {number} */ sum, each) => sum + each.rows * each.accuracy, 0) / rows : report.accuracy;
  const off = mean - right;
  const verdict = Math.abs(off) < CALIBRATION_MARGIN ? (ece < LARGE_ERROR ? "well calibrated" : "neither over- nor underconfident on average") : off > 0 ? "overconfident" : "underconfident";
  const most = Math.max(...bins.map((each) => each.rows));
  const points = bins.map((each) => ({ x: each.mean_score, y: each.accuracy, size: 2.5 + 6 * Math.sqrt(each.rows / most) }));
  return html`<${Sheet} title="Can its scores be trusted?">
    <p>${several ? `A score is ${mean.toFixed(2)} on average, and ${percent(right)} of the pairs of a row and a label fit` : `The best score is ${mean.toFixed(2)} on average, and ${percent(right)} of the answers are right`}: <b>${verdict}</b> (expected calibration error ${ece.toFixed(2)}).</p>
    <div class="two">
      <${LineChart} label="Share of right answers by score; the larger a point, the more ${several ? "pairs" : "rows"}" lines=${[{ points, dots: true, class: "thin" }]} diagonal xName="mean score of the ${several ? "pairs" : "rows"}" height=${300} />
      <table class="close">
        <caption class="sr-only">Share of right answers by score</caption>
        <thead><tr><th scope="col">Scores</th><th scope="col" class="n">${several ? "Pairs" : "Rows"}</th><th scope="col" class="n">Mean score</th><th scope="col" class="n">Right</th></tr></thead>
        <tbody>
          ${bins.map((each) => html`<tr><td>${each.low.toFixed(2)} to ${each.high.toFixed(2)}</td><td class="n">${each.rows}</td><td class="n">${each.mean_score.toFixed(2)}</td><td class="n">${percent(each.accuracy)}</td></tr>`)}
        </tbody>
      </table>
    </div>
  <//>`;
}

/**
 * Return the point that is nearest to a threshold.
 * @param {CoveragePoint[]} coverage Ascending.
 * @param {number} threshold
 */
export function pointAt(coverage, threshold) {
  return coverage.reduce((best, each) => (Math.abs(each.threshold - threshold) < Math.abs(best.threshold - threshold) ? each : best));
}

/** Say what a threshold would do. @param {CoveragePoint} point */
export function coverageSentence(point) {
  const share = `${percent(point.share)} of the texts would be answered`;
  if (point.error == null) return `No text would be answered.`;
  const interval = point.error_interval ? ` (${fineInterval(point.error_interval)})` : "";
  return `${share}, ${percent(point.error)} of these wrong${interval}.`;
}

/**
 * The slider that moves the threshold, with what each would answer.
 * @param {{ report: Json, present: number | null, looked: number | null, onLook: (threshold: number) => void,
 *   target: number | null, onTarget: (precision: number) => void, busy: boolean,
 *   children?: import("../ui.js").View }} props `present` is the threshold that the classifier has; `children` are what
 *   may be done with the one that is looked at.
 */
export function Coverage({ report, present, looked, onLook, target, onTarget, busy, children }) {
  const [wanted, setWanted] = useState(String(target == null ? 95 : Math.round(1000 * target) / 10));
  const coverage = /** @type {CoveragePoint[]} */ (report.coverage);
  const point = pointAt(coverage, looked ?? present ?? 0);
  const at = coverage.indexOf(point);
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const page = coverage.findIndex((each) => each.threshold >= point.threshold + PAGE_STEP);
    const back = coverage.findLastIndex((each) => each.threshold <= point.threshold - PAGE_STEP);
    const last = coverage.length - 1;
    /** @type {Record<string, number>} */
    const places = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: last, PageUp: page < 0 ? last : page, PageDown: Math.max(0, back) };
    const place = places[event.key];
    const next = place === undefined ? undefined : coverage[Math.max(0, Math.min(last, place))];
    if (!next) return;
    event.preventDefault();
    onLook(next.threshold);
  }
  const shares = coverage.map((each) => ({ x: each.threshold, y: each.share }));
  const errors = coverage.flatMap((each) => (each.error == null ? [] : [{ x: each.threshold, y: each.error, low: each.error_interval?.low, high: each.error_interval?.high }]));
  const marked = [
    { x: point.threshold, y: point.share, text: `${percent(point.share)} answered` },
    ...(point.error == null ? [] : [{ x: point.threshold, y: point.error, text: `${percent(point.error)} wrong`, class: "bad" }]),
  ];
  return html`<${Sheet} title="How much could be answered without a person?">
    <p class="coverage-says" aria-live="polite"><b>Threshold ${point.threshold.toFixed(2)}:</b> ${coverageSentence(point)}</p>
    <div class="coverage-chart">
      <${LineChart} label="Share that is answered, and share of wrong answers, by threshold" lines=${[{ points: errors, class: "bad" }, { points: shares }]} mark=${point.threshold} marked=${marked} marks=${present == null ? [] : [{ x: present, text: "now" }]} xTicks=${THRESHOLDS} xName="threshold" height=${280} />
      <input type="range" min="0" max="1" step="any" value=${point.threshold} aria-label="Threshold" aria-valuetext=${`${point.threshold.toFixed(2)}: ${coverageSentence(point)}`} onInput=${(event) => onLook(pointAt(coverage, Number(event.target.value)).threshold)} onKeyDown=${onKeyDown} />
    </div>
    <div class="spread">
      <div class="row">${children}</div>
      <form class="row target" onSubmit=${submits(() => onTarget(Number(wanted) / 100))}>
        <${Input} label="Right answers wanted, in percent" type="number" min="50" max="100" step="0.1" required value=${wanted} onInput=${setWanted} />
        <${Button} type="submit" busy=${busy}>Propose a threshold<//>
      </form>
    </div>
    ${target != null && html`<p role="status">${proposal(report, target)}</p>`}
  <//>`;
}

/** @type {[number, string][]} */
const THRESHOLDS = [
  [0, "0"],
  [0.25, "0.25"],
  [0.5, "0.50"],
  [0.75, "0.75"],
  [1, "1.00"],
];

/** @param {Json} report @param {number} target */
function proposal(report, target) {
  const found = report.proposed_threshold;
  if (!found) return `No threshold reaches ${percent(target)} on these rows.`;
  return `${found.abstain_below.toFixed(2)} is the lowest threshold of which ${percent(target)} of the answers are right: ${number(found.correct)} of ${number(found.answered)} (${percent(found.precision)}), and ${percent(found.coverage)} of the texts are answered.`;
}
