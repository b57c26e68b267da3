/** Judge: how a classifier does on labelled rows that it has not seen, and what threshold that speaks for. */
import { ApiError, call } from "../api.js";
import { ago, counted, download, number, percent, rowsPerLabel } from "../format.js";
import { addItems, itemsOf, loadCorrections } from "../kept.js";
import { useAction, useAsync, useReply } from "../load.js";
import { Button, Chip, Empty, Field, Header, NoClassifier, Notice, Problem, Reply, Scroll, Sheet } from "../parts/bits.js";
import { Accuracy, ConfusionMatrix, LearningCurve } from "../parts/charts.js";
import { Check, ClassifierField, Input } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, refresh, useClassifiers } from "../store.js";
import { html, submits, useEffect, useMemo, useRef, useState } from "../ui.js";
import { LabelThresholds } from "./classifier_actions.js";
import { accuracySentence, baselineVerdict, ConfusedLabels, Coverage, coverageSentence, JudgedRows, LabelTable, MultiLabelFigures, MultiLabelRows, pointAt, Reliability, rowsOfCell } from "./evaluation.js";
import { TestFile, TestSetField, useTestSet } from "./test_set.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../kept.js").TestSet} TestSet */
/** @typedef {{ target_precision: number | null, target_recall: number | null }} Targets What thresholds are proposed for. */
/** @typedef {{ report: Json, denied: string }} Judged `denied` says why the score could not be kept. */

const ADDRESS_MS = 200;

/** Evaluate a classifier on a test set. */
export function Judge() {
  const { model = "", test = "", target = "", recall = "" } = route.value.query;
  const { set } = useTestSet(test);
  const keep = useRef(false);
  const [round, setRound] = useState(0);
  const precision = Number(target) || null;
  const targets = { target_precision: precision, target_recall: Number(recall) || null };
  const judged = useAsync(
    (signal) => (model && set ? evaluate(model, set, targets, keep, signal) : Promise.resolve(null)),
    [model, set?.sha256, target, recall, round],
  );
  /** @param {string} name @param {boolean} save */
  function onEvaluate(name, save) {
    keep.current = save;
    if (name !== model) go(["judge"], { model: name, test });
    setRound((each) => each + 1);
  }
  const shown = model && set ? judged.value : null;
  return html`<${Header} title="Judge" note="How a classifier does on rows that it has not seen.">
      ${set && model && html`<a class="button" href=${href(["compare"], { models: model, test })}>Compare with others</a>`}
      ${shown && set && html`<${SavePage} report=${shown.report} set=${set} targets=${targets} />`}
    <//>
    <${Choice} key=${model} model=${model} test=${test} ready=${Boolean(set)} busy=${judged.busy && Boolean(set && model)} onEvaluate=${onEvaluate} />
    <${Problem} error=${judged.error} again=${judged.again} />
    ${shown && set && !(judged.error && !judged.busy) ? html`<${Judgement} judged=${shown} set=${set} busy=${judged.busy} precision=${precision} />` : !judged.error && html`<${Beginning} model=${model} set=${set} busy=${judged.busy} />`}
    <${MoreRows} />`;
}

/**
 * Ask the server; a key that may not keep the score sees it all the same.
 * @param {string} model
 * @param {TestSet} set
 * @param {Targets} targets
 * @param {{ current: boolean }} keep Whether the score is to be kept; once it was, it is not kept again.
 * @param {AbortSignal} signal
 * @returns {Promise<Judged>}
 */
async function evaluate(model, set, targets, keep, signal) {
  const fields = { model_name: model, test_data: set.rows, ...targets };
  const save = keep.current;
  let denied = "";
  try {
    const report = await call("evaluate", { ...fields, save }, { signal });
    if (report.saved) refresh();
    return { report, denied };
  } catch (error) {
    if (!save || !(error instanceof ApiError) || error.code !== "insufficient_scope") throw error;
    denied = error.message;
  } finally {
    if (!signal.aborted) keep.current = false;
  }
  return { report: await call("evaluate", { ...fields, save: false }, { signal }), denied };
}

/**
 * @param {{ model: string, test: string, ready: boolean, busy: boolean, onEvaluate: (name: string, save: boolean) => void }} props
 */
function Choice({ model, test, ready, busy, onEvaluate }) {
  const [name, setName] = useState(model);
  const [save, setSave] = useState(true);
  useClassifiers();
  const can = ready && Boolean(name) && !busy;
  useKeys([{ key: "e", does: "Evaluate", run: () => can && onEvaluate(name, save) }]);
  return html`<${Sheet}>
    <form class="judge-form" onSubmit=${submits(() => can && onEvaluate(name, save))}>
      <div>
        <${Field} label="Classifier">${(id) => html`<${ClassifierField} id=${id} value=${name} onChange=${setName} required />`}<//>
        <${Check} checked=${save} onChange=${setSave}>Keep the score with the classifier<//>
      </div>
      <${TestSetField} value=${test} onChange=${(sha256) => go(["judge"], { ...route.value.query, model: model || name, test: sha256, label: "", read: "" })} />
      <${Button} type="submit" primary disabled=${!can} busy=${busy} keyName="e">Evaluate<//>
    </form>
  <//>`;
}

/** @param {{ model: string, set: TestSet | null, busy: boolean }} props */
function Beginning({ model, set, busy }) {
  const { models, loaded } = classifiers.value;
  if (model && set) return busy && html`<p class="faint waiting" role="status">Evaluating on ${counted(set.rows.length, "row")} …</p>`;
  if (loaded && !models.length) return html`<${NoClassifier} title="There is no classifier yet">Train the first one, then judge it here.<//>`;
  return html`<${Empty} title=${set ? "Which classifier?" : "Drop a test set once"}>
    <p>${set ? "Choose a classifier above: its figures on these rows appear here." : "A test set is a table of texts with their right labels that no classifier was trained on; 100 rows say a lot. This browser keeps it for the next time."}</p>
  <//>`;
}

/** @param {{ judged: Judged, set: TestSet, busy: boolean, precision: number | null }} props */
function Judgement({ judged, set, busy, precision }) {
  const report = useMemo(() => withProposal(judged.report), [judged.report]);
  const several = report.kind === "multi_label";
  const details = useReply("show", { model_name: `${report.model_name}@${report.revision}` }, { shown: false });
  const test = details.value?.test;
  const isKept = report.saved || (test && test.test_data_sha256 === report.test_data_sha256 && test.correct === report.correct);
  const verdict = baselineVerdict(report);
  return html`<section aria-label="Evaluation" aria-busy=${busy ? "true" : undefined}>
    <${Notice} kind=${verdict.kind} role="status">
      <p><b>${percent(report.accuracy)} ${several && "exactly "}right.</b> ${accuracySentence(report)}</p>
      <p>${verdict.text}<bdi>${verdict.label}</bdi>${verdict.rest}</p>
    <//>
    ${report.warnings.map((/** @type {Json} */ each) => html`<${Notice} kind="warn"><bdi>${each.message}</bdi>${each.rows.length > 0 && html` <span class="faint">Rows ${each.rows.slice(0, 5).map((/** @type {number} */ row) => row + 1).join(", ")}${each.rows.length > 5 ? " …" : ""}</span>`}<//>`)}
    <p class="row judged">
      <a href=${href(["classifiers", report.model_name])}><b><bdi>${report.model_name}</bdi></b></a> revision ${report.revision}
      <${Accuracy} value=${report.accuracy} interval=${report.accuracy_interval} />
      <span class="muted">macro F1 ${report.macro_f1.toFixed(2)}</span>
      ${isKept ? html`<${Chip} kind="good">Score kept<//>` : html`<${Chip} title="Evaluate, with the check mark, keeps it">Score only shown<//>`}
      ${test && !isKept && html`<span class="faint">kept is ${percent(test.accuracy)} of ${counted(test.total, "other row")}, ${ago(test.measured_at)}</span>`}
    </p>
    ${judged.denied && html`<${Notice} role="status">The score could not be kept, only shown: <bdi>${judged.denied}</bdi><//>`}
    ${several
      ? html`<${SeveralLabels} report=${report} set=${set} details=${details.value} again=${details.again} busy=${busy} />`
      : html`<${Rows} report=${report} set=${set} />
          <${Threshold} report=${report} set=${set} details=${details.value} again=${details.again} precision=${precision} busy=${busy} />`}
    <${Reliability} report=${report} />
  </section>`;
}

/**
 * What is said of any number of labels.
 * @param {{ report: Json, set: TestSet, details: Json | null, again: () => void, busy: boolean }} props
 */
function SeveralLabels({ report, set, details, again, busy }) {
  const { target_precision: precision, target_recall: recall } = report;
  useEffect(() => void loadCorrections(), []);
  const known = new Set(itemsOf(report.model_name).map((each) => each.text));
  const fresh = report.misclassified.filter((each) => !known.has(each.text));
  async function send() {
    const count = await addItems(report.model_name, fresh.map(({ text, predicted, labels: expected }) => ({ text, predicted, expected })));
    say(`${counted(count, "text")} went to Correct.`);
  }
  const [wantedPrecision, setPrecision] = useState(inPercent(precision));
  const [wantedRecall, setRecall] = useState(inPercent(recall));
  const chosen = precision != null ? `The lowest that reach a precision of ${percent(precision)} for each label,` : recall != null ? `The highest that reach a recall of ${percent(recall)} for each label,` : "The best F1 of each label";
  const propose = () => setQuery({ target: wantedPrecision && String(Number(wantedPrecision) / 100), recall: wantedRecall && String(Number(wantedRecall) / 100) });
  return html`<div class="two judge-rows">
      <${MultiLabelRows} report=${report} tools=${html`${fresh.length > 0 && html`<${Button} onClick=${send}>Send ${fresh.length === 1 ? "it" : `all ${number(fresh.length)}`} to Correct<//>`}
        ${known.size > 0 && html`<a class="button" href=${href(["correct"], { model: report.model_name })}>Correct</a>`}`} />
      <div><${MultiLabelFigures} report=${report} /><${LabelTable} labels=${report.labels} /><${ConfusedLabels} report=${report} /></div>
    </div>
    ${details &&
    html`<${Sheet} title="From which score is each label given?">
      <form class="row target" onSubmit=${submits(propose)}>
        <${Input} label="Precision wanted of each label, in percent" type="number" min="50" max="100" step="0.1" value=${wantedPrecision} onInput=${(/** @type {string} */ value) => (setPrecision(value), setRecall(""))} />
        <${Input} label="or recall, in percent" type="number" min="1" max="100" step="0.1" value=${wantedRecall} onInput=${(/** @type {string} */ value) => (setRecall(value), setPrecision(""))} />
        <${Button} type="submit" busy=${busy}>Propose thresholds<//>
      </form>
      <p class="hint">Without either, those with the best F1 of each label are proposed.</p>
      <${LabelThresholds} key=${JSON.stringify(details.threshold)} model=${details} proposed=${report.proposed_thresholds} says=${`${chosen} on ${counted(report.total, "row")} of ${set.name}.`} again=${again} />
    <//>`}`;
}

/** Return a share as what is typed for it. @param {number | null | undefined} share */
function inPercent(share) {
  return share == null ? "" : String(Math.round(1000 * share) / 10);
}

/**
 * Return a report whose coverage has a point at the threshold that is proposed.
 * @param {Json} report
 * @returns {Json}
 */
function withProposal(report) {
  const found = report.proposed_threshold;
  if (report.kind === "multi_label" || !found || report.coverage.some((each) => each.threshold === found.abstain_below)) return report;
  const wrong = found.answered - found.correct;
  const near = report.coverage.find((each) => each.answered === found.answered);
  const point = { threshold: found.abstain_below, answered: found.answered, wrong, share: found.coverage, error: 1 - found.precision, error_interval: near?.error_interval ?? null };
  const coverage = [...report.coverage, point].sort((one, other) => one.threshold - other.threshold);
  return { ...report, coverage };
}

/** The confusion matrix, and the rows behind it. @param {{ report: Json, set: TestSet }} props */
function Rows({ report, set }) {
  const { label, read } = route.value.query;
  const { labels, counts } = report.confusion_matrix;
  useEffect(() => void loadCorrections(), []);
  const open = label !== undefined && read !== undefined && labels.includes(label) && labels.includes(read) ? /** @type {[number, number]} */ ([labels.indexOf(label), labels.indexOf(read)]) : null;
  const rows = open ? rowsOfCell(report, set.rows, label ?? "", read ?? "") : report.misclassified;
  const known = new Set(itemsOf(report.model_name).map((each) => each.text));
  const fresh = rows.filter((each) => !known.has(each.text));
  useKeys([{ key: "w", does: "Show only the wrong rows", run: () => setQuery({ label: "", read: "" }) }]);
  /** @param {import("./evaluation.js").JudgedRow[]} chosen */
  async function send(chosen) {
    const count = await addItems(report.model_name, chosen.map((each) => ({ text: each.text, predicted: each.predicted, score: each.score, expected: each.label })));
    say(count ? `${counted(count, "text")} went to Correct.` : "Correct has these already.");
  }
  /** @param {[number, number]} cell */
  function toggle([row, column]) {
    const isOpen = open?.[0] === row && open[1] === column;
    setQuery(isOpen ? { label: "", read: "" } : { label: labels[row], read: labels[column] });
  }
  const title = open ? html`${number(rows.length)} of <bdi>${label}</bdi>, read as <bdi>${read}</bdi>` : `Only the wrong ones (${number(rows.length)})`;
  const tools = html`${open && html`<${Button} quiet keyName="w" onClick=${() => setQuery({ label: "", read: "" })}>Only the wrong ones<//>`}
    ${fresh.length > 0 && html`<${Button} onClick=${() => send(fresh)}>Send ${fresh.length === 1 ? "it" : `all ${number(fresh.length)}`} to Correct<//>`}
    ${known.size > 0 && html`<a class="button" href=${href(["correct"], { model: report.model_name })}>Correct</a>`}`;
  return html`<div class="two judge-rows">
    <${Sheet} title=${title} tools=${tools} flush>
      <${Scroll} label="Rows" class="rows-behind"><${JudgedRows} rows=${rows} label=${open ? "Rows behind the cell" : "Misclassified rows"} sent=${known} onSend=${send} empty=${html`<p class="all-right">Every row is right.</p>`} /><//>
    <//>
    <div>
      <${Sheet} title=${html`Row by row <span class="faint">(choose a cell)</span>`} class="matrix-sheet">
        <${ConfusionMatrix} labels=${labels} counts=${counts} open=${open} onOpen=${toggle} />
      <//>
      <${LabelTable} labels=${report.labels} />
    </div>
  </div>`;
}

/**
 * @param {{ report: Json, set: TestSet, details: Json | null, again: () => void, precision: number | null, busy: boolean }} props
 */
function Threshold({ report, set, details, again, precision, busy }) {
  const { threshold } = route.value.query;
  const [looked, setLooked] = useState(threshold === undefined ? null : Number(threshold));
  const [asking, setAsking] = useState(/** @type {"set" | "clear" | ""} */ (""));
  const present = details?.threshold?.abstain_below ?? null;
  const found = report.proposed_threshold?.abstain_below;
  const seen = useRef(precision === null ? null : found);
  useEffect(() => {
    if (found !== undefined && found !== seen.current && !busy) setLooked(found); // a proposal is what is looked at first
    seen.current = found;
  }, [found, busy]);
  useEffect(() => {
    if (looked === null) return undefined;
    // Not at each step of the slider: browsers stop pages that change their address too often.
    const timer = setTimeout(() => setQuery({ threshold: String(looked) }), ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [looked]);
  const point = pointAt(report.coverage, looked ?? present ?? 0);
  const says = `${coverageSentence(point)} On ${counted(report.total, "row")} of ${set.name}.`;
  return html`<${Coverage} report=${report} present=${present} looked=${looked} onLook=${setLooked} target=${precision} busy=${busy} onTarget=${(target) => setQuery({ target })}>
      ${details?.answers
        ? html`<${Button} primary disabled=${point.threshold === present} onClick=${() => setAsking("set")}>Use this threshold<//>
            ${present !== null && html`<${Button} onClick=${() => setAsking("clear")}>Clear it<//>`}
            <span class="muted">${present === null ? "It has no threshold: it always gives a label." : `Its threshold is ${present.toFixed(2)}.`}</span>`
        : details && html`<span class="muted">Another revision answers by now, so the threshold of this one cannot be changed.</span>`}
    <//>
    ${asking && html`<${SetThreshold} report=${report} aliases=${details?.aliases ?? []} to=${asking === "set" ? point.threshold : null} says=${asking === "set" ? says : ""} onClose=${() => setAsking("")} onDone=${again} />`}`;
}

/**
 * @param {{ report: Json, aliases: string[], to: number | null, says: string, onClose: () => void, onDone: () => void }} props
 */
function SetThreshold({ report, aliases, to, says, onClose, onDone }) {
  const [reason, setReason] = useState(says);
  async function change() {
    const reply = await call("set_threshold", { model_name: `${report.model_name}@${report.revision}`, abstain_below: to, reason });
    say(reply.status === "cleared" ? `${reply.model_name} always gives a label now.` : `${reply.model_name} gives no label below ${reply.threshold?.abstain_below.toFixed(2)} now.`);
    refresh();
    onDone();
  }
  const title = to === null ? "Clear the threshold?" : `Give no label below ${to.toFixed(2)}?`;
  return html`<${Confirm} title=${title} action=${to === null ? "Clear it" : "Use this threshold"} onClose=${onClose} onDo=${change}>
    <p><bdi>${report.model_name}</bdi> ${to === null ? "will give a label for every text" : "will give no label where its best score is lower"}, from the next prediction on.${aliases.length > 0 && html` So will whoever asks by ${aliases.map((each, place) => html`${place > 0 && ", "}<bdi>${each}</bdi>`)}.`}</p>
    <${Input} label="Reason" lines maxlength="500" value=${reason} onInput=${setReason} hint="It stands in the classifier's record." />
  <//>`;
}

/** @param {{ report: Json, set: TestSet, targets: Targets }} props */
function SavePage({ report, set, targets }) {
  const { run, busy, error } = useAction(async () => {
    const fields = { model_name: `${report.model_name}@${report.revision}`, test_data: set.rows, ...targets, save: false };
    download(await call("report", fields, { blob: true }), `${report.model_name}.report.html`);
  });
  return html`<${Button} busy=${busy} onClick=${run} title="One file with all figures and pictures, to pass on">Save as a page<//><${Problem} error=${error} />`;
}

/**
 * Whether more rows would help: of a file with training rows, since the server hands out none.
 * @param {{ of?: string }} props Whose rows.
 */
export function MoreRows({ of: name }) {
  const [rows, setRows] = useState(/** @type {TestSet["rows"] | null} */ (null));
  const shown = useReply(rows && name ? "show" : null, { model_name: name }, { shown: false });
  const isKnown = !name || shown.value !== null || shown.error !== null;
  const { base_model, label_descriptions } = shown.value ?? {};
  const fields = { training_data: rows, num_iterations: 0, base_model, label_descriptions: rows && meaningsOf(rows, label_descriptions) };
  const found = useReply(rows && isKnown ? "cross_validate" : null, fields);
  return html`<details class="sheet learning">
    <summary>Would more rows help${name && html` <bdi>${name}</bdi>`}?</summary>
    <p class="muted">The learning curve shows what fewer rows would have reached. It is made of training rows, not of a test set: drop their file.</p>
    <${TestFile} label="Choose a training file" onRows=${setRows}><p class="hint">The head alone is trained on parts of it, and nothing of it is kept.</p><//>
    ${rows && html`<${Reply} of=${found}>${(value) => html`<${Curve} value=${value} />`}<//>`}
  </details>`;
}

/**
 * Return what those labels mean that rows have: to describe another one is refused.
 * @param {TestSet["rows"]} rows
 * @param {Record<string, string>} [descriptions]
 */
function meaningsOf(rows, descriptions) {
  const labels = rowsPerLabel(rows);
  return descriptions && Object.fromEntries(Object.entries(descriptions).filter(([label]) => labels.has(label)));
}

/** @param {{ value: Json }} props */
function Curve({ value }) {
  return html`<p><b>${value.advice_text}</b></p>
    <p>With all rows, cross-validation estimates ${percent(value.accuracy)} (${percent(value.accuracy_interval.low)} to ${percent(value.accuracy_interval.high)}).</p>
    ${value.learning_curve.length > 1 && html`<${LearningCurve} points=${value.learning_curve} />`}`;
}
