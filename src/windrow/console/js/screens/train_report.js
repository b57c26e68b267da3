/** The report of a training: what was chosen and why, how good it should be, doubtful rows, and what to do next. */
import { call } from "../api.js";
import { counted, duration, givenLabels, interval, number, percent, score } from "../format.js";
import { useAction, useAsync } from "../load.js";
import { Button, Header, Problem, Sheet, Text } from "../parts/bits.js";
import { Accuracy, LearningCurve } from "../parts/charts.js";
import { useKeys } from "../parts/keys.js";
import { go, href } from "../router.js";
import { nextName } from "../store.js";
import { html, signal, useEffect, useRef } from "../ui.js";
import { LabelCounts, Oddity, rowsOf, startFit, testRowsOf } from "./train_data.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("./train_data.js").Row} Row */

const ENOUGH_ROWS = 8;
/** A place in the rows, and what becomes of that row: another label, other labels, or `null` where it is left out. */
/** @typedef {string | string[] | null} Decision */
/** @typedef {Record<number, Decision>} Decisions */

/** What was found about the rows of a training, and what was decided, by job. */
const found = signal(/** @type {Record<string, { reply: Json, decisions: Decisions }>} */ ({}));

/** @param {{ record: Json, job: Json }} props */
export function TrainReport({ record, job }) {
  const { name, revision } = record;
  const rows = rowsOf(job);
  const doTry = () => go(["try"], { models: name });
  useKeys([
    { key: "t", does: "Try it", run: doTry },
    { key: "j", does: "Judge it", run: () => go(["judge"], { model: name }) },
    { key: "p", does: "Promote it", run: () => go(["aliases"], { promote: name }) },
  ]);
  const replaced = record.replaced_rows ? `, where ${counted(record.replaced_rows, "row was", "rows were")} replaced` : "";
  const labels = counted(record.labels.length, "label");
  const learned = record.source === "zero_shot" ? `No row, but what ${labels} mean,` : `${counted(record.num_examples, "row")} of ${labels}`;
  const taken = record.extends && ` ${number(record.taken_over_rows)} of them come from ${record.extends}${replaced}.`;
  return html`<${Header} title=${`${name}@${revision} is trained`} note=${`It answers now. ${learned} took ${duration(record.training_time_seconds)}.${taken || ""}`}>
      <${Button} primary keyName="t" onClick=${doTry}>Try it<//>
      <a class="button" href=${href(["judge"], { model: name })} aria-keyshortcuts="j">Judge it <kbd aria-hidden="true">j</kbd></a>
      <a class="button" href=${href(["aliases"], { promote: name })} aria-keyshortcuts="p">Promote it <kbd aria-hidden="true">p</kbd></a>
      <a class="button" href=${href(["train"], { extends: `${name}@${revision}` })}>Train next version</a>
    <//>
    <div class="two train">
      <div>
        <${Estimate} record=${record} />
        <${FileTest} record=${record} job=${job} />
        ${record.source !== "zero_shot" && html`<${Doubts} record=${record} job=${job} rows=${rows} />`}
      </div>
      <div>
        <${Rows} record=${record} rows=${rows} />
        <${Choice} record=${record} />
        <p><a href=${href(["classifiers", name])}>Everything about <bdi>${name}</bdi></a> · <a href=${href(["jobs"])}>All jobs</a></p>
      </div>
    </div>`;
}

/** How it should do on new texts. @param {{ record: Json }} props */
export function Estimate({ record }) {
  const { estimate, majority_accuracy: majority } = record.report;
  const several = record.kind === "multi_label";
  if (record.source === "zero_shot") {
    return html`<${Sheet} title="How good it should be"><p>It has seen no labelled row: it answers from the names and descriptions of its labels alone (source <code>zero_shot</code>), and nothing says how often it is right.</p>
      <p>Drop rows with their labels into <a href=${href(["judge"], { model: record.name })}>Judge</a> to measure it.</p><//>`;
  }
  const label = Object.entries(record.rows_per_label).sort((one, other) => other[1] - one[1])[0]?.[0] ?? "";
  const baseline = several ? `Always giving the most frequent labels would get ${percent(majority)} exactly right.` : html`Always saying <q><bdi>${label}</bdi></q> would get ${percent(majority)} right.`;
  if (!estimate) {
    return html`<${Sheet} title="How good it should be"><p>Its accuracy was not estimated. ${baseline}</p>
      <p>Drop rows that it has not seen into <a href=${href(["judge"], { model: record.name })}>Judge</a> to measure it.</p><//>`;
  }
  return html`<${Sheet} title="How good it should be">
    <p class="big">It should get ${interval(estimate.interval)} of new texts like these ${several ? "exactly right: all of their labels, and no other one" : "right"}.</p>
    <p class="measured"><${Accuracy} value=${estimate.accuracy} interval=${estimate.interval} estimated /><span class="muted">estimated by cross-validation: ${number(estimate.correct)} of ${counted(estimate.total, "held-out row")} right, in ${counted(estimate.folds, "fold")}.${several && ` Micro F1 ${estimate.micro_f1.toFixed(2)}, macro F1 ${estimate.macro_f1.toFixed(2)}.`}</span></p>
    <p class="muted">${baseline} Rows that it has not seen say more: <a href=${href(["judge"], { model: record.name })}>judge it by a test set</a>.</p>
  <//>`;
}

/** Evaluations on the rows that files have for testing, by job. @type {Map<string, Promise<Json>>} */
const tested = new Map();

/** How it does on the rows that its file has for testing. @param {{ record: Json, job: Json }} props */
function FileTest({ record, job }) {
  const rows = testRowsOf(job.id);
  const several = record.kind === "multi_label";
  const { value, error, busy } = useAsync(async () => {
    if (!rows.length) return null;
    const fields = { model_name: `${record.name}@${record.revision}`, test_data: rows };
    if (!tested.has(job.id)) tested.set(job.id, call("evaluate", fields));
    return tested.get(job.id);
  }, [job.id]);
  if (!rows.length) return null;
  return html`<${Sheet} title="On the rows of the file for testing">
    <p class="sr-only" role="status">${busy ? "Evaluating." : ""}</p>
    <${Problem} error=${error} />
    ${value && html`<p class="measured"><${Accuracy} value=${value.accuracy} interval=${value.accuracy_interval} />
      <span class="muted">${counted(value.total, "row")} that it was not trained on.${several && " All labels of a row count together."}</span></p>`}
  <//>`;
}

/** The rows of each label, what is odd about them, and of which there should be more. @param {{ record: Json, rows: Row[] | null }} props */
function Rows({ record, rows }) {
  const few = Object.entries(record.rows_per_label).filter(([, count]) => count < ENOUGH_ROWS);
  return html`<${Sheet} title="Its rows">
    <${LabelCounts} counts=${record.rows_per_label} />
    ${few.length > 0 &&
    html`<h3>What to add</h3><p>About ${ENOUGH_ROWS} rows a label work well. Still to come: ${few
      .slice(0, 12)
      .map(([label, count], place) => html`${place > 0 && ", "}${ENOUGH_ROWS - count} of <b><bdi>${label}</bdi></b>`)}${few.length > 12 && ` and of ${few.length - 12} more`}.</p>`}
    ${record.warnings.length > 0 && html`<h3>What to look at</h3>`}
    ${record.warnings.map((warning) => html`<${Oddity} key=${warning.code} warning=${warning} rows=${rows} />`)}
  <//>`;
}

/** What was chosen, and why. @param {{ record: Json }} props */
export function Choice({ record }) {
  const { adapter, scores, head } = record;
  return html`<${Sheet} title="What was chosen, and why">
    <p>${record.source === "zero_shot" ? "Nothing was trained: the names and descriptions of its labels are compared with each text." : adapter ? adapter.reason : "The head alone was trained, on the encoder as it is (num_iterations 0)."}</p>
    ${adapter?.candidates.length > 0 &&
    html`<table>
      <caption class="sr-only">What was weighed</caption>
      <thead><tr><th scope="col">Weighed</th><th scope="col" class="n">Estimate</th></tr></thead>
      <tbody>${adapter.candidates.map(
        (/** @type {Json} */ each) => html`<tr>
          <td>${each.scale ? `adapter, ${percent(each.scale)} of its change` : "head alone"}${each.scale === adapter.scale ? html` <span class="chip good">chosen</span>` : ""}</td>
          <td class="n">${each.estimated_accuracy === null ? "not estimated" : percent(each.estimated_accuracy)}</td>
        </tr>`,
      )}</tbody>
    </table>`}
    <dl class="facts">
      <dt>iterations</dt><dd>${number(record.num_iterations)}</dd>
      ${adapter?.steps > 0 && html`<dt>steps</dt><dd>${number(adapter.steps)} in ${counted(adapter.epochs, "epoch")}, loss ${adapter.first_loss?.toFixed(2)} to ${adapter.last_loss?.toFixed(2)}</dd>`}
      ${adapter && html`<dt>label names</dt><dd>${adapter.used_label_names ? "took part: they say what the rows are about" : "did not take part"}</dd>`}
      ${record.source !== "zero_shot" && html`<dt>head</dt><dd>C ${head.c}${head.cv_accuracy !== null && `, chosen in ${counted(head.cv_folds, "fold")}`}</dd>`}
      <dt>scores</dt><dd>${scores.source === "out_of_fold" ? "calibrated on held-out rows" : "calibrated by what is usual"}, temperature ${scores.temperature.toFixed(2)}</dd>
      <dt>base model</dt><dd><bdi>${record.base_model}</bdi></dd>
      <dt>time</dt><dd>${duration(record.training_time_seconds)}</dd>
    </dl>
  <//>`;
}

/** Rows whose label the others contradict: keep, correct or leave out, and train again. @param {{ record: Json, job: Json, rows: Row[] | null }} props */
function Doubts({ record, job, rows }) {
  const result = found.value[job.id];
  const stopping = useRef(/** @type {AbortController | null} */ (null));
  const { run, busy, error } = useAction(async () => {
    stopping.current = new AbortController();
    const { base_model, num_iterations, batch_size, seed, label_descriptions } = record;
    const fields = { training_data: rows, base_model, num_iterations, batch_size, seed, label_descriptions };
    const reply = await call("cross_validate", fields, { signal: stopping.current.signal });
    found.value = { ...found.peek(), [job.id]: { reply, decisions: {} } };
  });
  useEffect(() => () => stopping.current?.abort(), []);
  const stopped = error?.name === "AbortError";
  if (result && rows) return html`<${DoubtfulRows} record=${record} job=${job} rows=${rows} reply=${result.reply} decisions=${result.decisions} />`;
  return html`<${Sheet} title="Doubtful rows, and what would help">
    ${rows
      ? html`<p>Trainings on parts of the rows tell which labels are perhaps wrong, and whether more rows would help. It takes a few times as long as this training, and changes nothing.</p>
          <div class="row"><${Button} busy=${busy} onClick=${run}>Look for doubtful rows<//>${busy && html`<${Button} quiet onClick=${() => stopping.current?.abort()}>Stop<//>`}</div>
          <p class="sr-only" role="status">${busy ? "Looking for doubtful rows." : ""}</p>`
      : html`<p class="muted">To look for labels that are perhaps wrong, the rows are needed, and this tab has them only after it has started the training itself.
          On the command line: <code>windrow cross-validate FILE</code>. Or <a href=${href(["train"], { extends: `${record.name}@${record.revision}` })}>correct some of them in the next version</a>.</p>`}
    <${Problem} error=${stopped ? null : error} />
  <//>`;
}

/** @param {{ record: Json, job: Json, rows: Row[], reply: Json, decisions: Decisions }} props */
function DoubtfulRows({ record, job, rows, reply, decisions }) {
  const doubtful = reply.probable_label_errors;
  const places = Object.keys(decisions).map(Number);
  const name = job.next_name ?? nextName(record.name);
  const { run, busy, error } = useAction(() => startFit(corrected(record, rows, decisions, name)));
  /** @param {number} place @param {Decision | undefined} decision `undefined` keeps the row. */
  function decide(place, decision) {
    const { [place]: _, ...others } = decisions;
    found.value = { ...found.peek(), [job.id]: { reply, decisions: decision === undefined ? others : { ...others, [place]: decision } } };
  }
  return html`<${Sheet} title="Doubtful rows">
      <p role="status">${doubtful.length
        ? record.kind === "multi_label"
          ? `The other rows contradict ${counted(doubtful.length, "label")} of rows, or miss them there, the surest first. Leave a row as it is where it is right.`
          : `The other rows contradict the label of ${counted(doubtful.length, "row")}, the surest first. Keep the label where it is right.`
        : "No row's label is contradicted by the others with confidence."}</p>
      ${doubtful.map((/** @type {Json} */ each) => html`<${record.kind === "multi_label" ? DoubtedLabel : Doubt} key=${`${each.row} ${each.labels && each.label}`} doubt=${each} labels=${record.labels} decision=${decisions[each.row]} onDecide=${(/** @type {Decision | undefined} */ decision) => decide(each.row, decision)} />`)}
      ${places.length > 0 &&
      html`<div class="row"><${Button} primary busy=${busy} onClick=${run}>Train again with ${counted(places.length, "correction")}<//>
        <span class="muted">as <bdi>${name}</bdi>, ${places.some((place) => decisions[place] === null) || !record.keeps_training_data ? "from all rows of this tab, without those that are left out" : `which extends ${record.name}@${record.revision}`}</span></div>`}
      <${Problem} error=${error} />
    <//>
    <${Sheet} title="What would help">
      <p class="measured"><${Accuracy} value=${reply.accuracy} interval=${reply.accuracy_interval} estimated /><span class="muted">in this cross-validation of ${counted(reply.folds, "fold")}</span></p>
      <p>${reply.recommendation}</p>
      ${reply.learning_curve.length > 1 && html`<h3>With fewer rows (head alone)</h3><${LearningCurve} points=${reply.learning_curve} />`}
      <p>${reply.advice_text}</p>
      ${reply.warnings.map((warning) => html`<${Oddity} key=${warning.code} warning=${warning} rows=${rows} />`)}
    <//>`;
}

/** @param {{ doubt: Json, labels: string[], decision: string | null | undefined, onDecide: (decision: Decision | undefined) => void }} props */
function Doubt({ doubt, labels, decision, onDecide }) {
  const value = decision === undefined ? doubt.label : decision;
  return html`<div class="doubt ${decision === null ? "out" : ""}">
    <${Text}>${doubt.text}<//>
    <div class="chips"><span class=${decision === undefined ? "" : "was"}><bdi>${doubt.label}</bdi></span>
      ${decision ? html`<span class="now"><bdi>${decision}</bdi></span>` : html`<span class="muted">the others: <bdi>${doubt.predicted}</bdi>, ${score(doubt.score)}</span>`}</div>
    <div class="row">
      ${decision === undefined
        ? html`<${Button} onClick=${() => onDecide(doubt.predicted)}>Make it <bdi>${doubt.predicted}</bdi><//>`
        : html`<${Button} onClick=${() => onDecide(undefined)}>Keep <bdi>${doubt.label}</bdi><//>`}
      <select aria-label="Label of: ${doubt.text.slice(0, 60)}" onChange=${(event) => onDecide(event.target.value === doubt.label ? undefined : event.target.value)}>
        ${value === null && html`<option selected disabled>left out</option>`}
        ${labels.map((label) => html`<option value=${label} selected=${label === value}>${label}</option>`)}
      </select>
      <${Button} quiet pressed=${decision === null} onClick=${() => onDecide(decision === null ? undefined : null)}>Leave out<//>
    </div>
  </div>`;
}

/**
 * A label that a row perhaps lacks, or should not have.
 * @param {{ doubt: Json, decision: string[] | null | undefined, onDecide: (decision: Decision | undefined) => void }} props
 */
function DoubtedLabel({ doubt, decision, onDecide }) {
  const { label, labels, is_missing: isMissing } = doubt;
  const now = /** @type {string[]} */ (decision ?? labels);
  const changed = now.includes(label) === isMissing;
  function toggle() {
    const next = now.includes(label) ? now.filter((each) => each !== label) : [...now, label];
    onDecide([...next].sort().join() === [...labels].sort().join() ? undefined : next);
  }
  return html`<div class="doubt ${decision === null ? "out" : ""}">
    <${Text}>${doubt.text}<//>
    <div class="chips"><span>${givenLabels({ labels: now })}</span> <span class="muted">${isMissing ? "perhaps lacks" : "perhaps not"} <bdi>${label}</bdi>, ${score(doubt.score)}</span></div>
    <div class="row">
      <${Button} pressed=${changed} disabled=${decision === null} onClick=${toggle}>${isMissing ? "Add" : "Take away"} <bdi>${label}</bdi><//>
      <${Button} quiet pressed=${decision === null} onClick=${() => onDecide(decision === null ? undefined : null)}>Leave the row out<//>
    </div>
  </div>`;
}

/**
 * Return the request of a training on corrected rows. Rows that are only corrected replace those that the server kept;
 * one that is left out can only stay away from all of them.
 * @param {Json} record
 * @param {Row[]} rows
 * @param {Decisions} decisions
 * @param {string} name
 */
function corrected(record, rows, decisions, name) {
  const changed = new Map(Object.entries(decisions).map(([place, decision]) => [/** @type {Row} */ (rows[Number(place)]).text, decision]));
  /** @param {string} text @param {Decision} given @returns {Row} */
  const asRow = (text, given) => (Array.isArray(given) ? { text, labels: given } : { text, label: given });
  const all = rows.flatMap((row) => {
    const decision = changed.get(row.text);
    return decision === undefined ? [row] : decision === null ? [] : [asRow(row.text, decision)];
  });
  const extend = record.keeps_training_data && ![...changed.values()].includes(null);
  const { base_model, num_iterations, batch_size, seed, max_seconds, cross_validate } = record;
  return {
    model_name: name,
    training_data: extend ? [...changed].map(([text, decision]) => asRow(text, decision)) : all,
    label_descriptions: extend ? undefined : record.label_descriptions,
    extends: extend ? `${record.name}@${record.revision}` : undefined,
    ...{ base_model, num_iterations, batch_size, seed, max_seconds, cross_validate },
    description: record.description || undefined,
    tags: record.tags.length ? record.tags : undefined,
  };
}
