/** A file that is classified and given back with its columns, as `windrow predict FILE` does. */
import { call } from "../api.js";
import { asCsv, asJsonLines, counted, download, encoded, givenLabels, inLine, number, score } from "../format.js";
import { addItems, asItem, NEW_BELOW, sureness } from "../kept.js";
import { useReply } from "../load.js";
import { Button, Notice, Problem, Sheet, Text } from "../parts/bits.js";
import { Meter } from "../parts/charts.js";
import { Check, FileDrop } from "../parts/fields.js";
import { say } from "../parts/overlays.js";
import { Table } from "../parts/table.js";
import { go } from "../router.js";
import { html, signal } from "../ui.js";
import { FileColumns, LeftOut } from "./test_set.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("./test_set.js").Columns} How */

const BATCH = 256;
const MAX_REVIEWED = 1_000;
const SURE = 0.3;
const LEAST_REVIEWED = 10;
const SEPARATOR = ";"; // between the labels of a cell of CSV
const ADDED = ["predicted_label", "score", "in_scope", "abstained", "truncated"];

/**
 * @typedef {object} Run
 * @property {string} name The classifier, as a person named it.
 * @property {File} file
 * @property {Json | null} found How the file was read; `rows` are those that can be classified.
 * @property {string} answering The exact revision that answers all rows; empty until it did.
 * @property {"single_label" | "multi_label"} kind Of the classifier; `single_label` until it did.
 * @property {Json[]} answers
 * @property {boolean} busy
 * @property {boolean} folded Whether its rows are not shown, since they are looked at elsewhere.
 * @property {Error | null} error
 */

/** The file at hand; it stays while other views are shown. */
const run = signal(/** @type {Run | null} */ (null));
let abort = new AbortController();

/** @param {Partial<Run>} change */
function put(change) {
  run.value = { .../** @type {Run} */ (run.peek()), ...change };
}

/** Read a file. @param {string} name @param {File} file @param {How} [how] What a person says about it. */
async function read(name, file, how) {
  abort.abort();
  const mine = (abort = new AbortController());
  const before = run.peek()?.found;
  const found = how && before ? { ...before, rows: [], text_columns: how.text_column ?? [], has_header: how.header ?? before.has_header } : null;
  run.value = { name, file, found, answering: "", kind: "single_label", answers: [], busy: true, folded: false, error: null };
  try {
    const reply = await call("inspect", { filename: file.name, include_values: true, labelled: false, ...how }, { file, signal: mine.signal });
    put({ found: reply, busy: false });
  } catch (error) {
    if (!mine.signal.aborted) put({ busy: false, error: /** @type {Error} */ (error) });
  }
}

/** Classify the rows that have no answer yet. A lost connection is waited for: to ask again changes nothing. */
async function classify() {
  const mine = (abort = new AbortController());
  put({ busy: true, error: null });
  const { name, found } = /** @type {Run & { found: Json }} */ (run.peek());
  try {
    for (;;) {
      const { answers, answering } = /** @type {Run} */ (run.peek());
      const texts = found.rows.slice(answers.length, answers.length + BATCH).map((/** @type {Json} */ row) => row.text);
      if (!texts.length) break;
      const asked = { model_name: answering || name, texts, top_k: 2 };
      const reply = await call("predict", asked, { signal: mine.signal, shown: !answering });
      if (mine.signal.aborted) return;
      put({ answers: [...answers, ...reply.predictions], answering: `${reply.model_name}@${reply.revision}`, kind: reply.kind });
    }
    put({ busy: false });
  } catch (error) {
    if (abort === mine) put({ busy: false, error: mine.signal.aborted ? null : /** @type {Error} */ (error) });
  }
}

function stop() {
  abort.abort();
  put({ busy: false });
}

/** @param {{ name: string }} props */
export function FileRun({ name }) {
  const now = run.value;
  if (!now) {
    return html`<${Sheet} title="A whole file">
      <${FileDrop} onFile=${(file) => read(name, file)} />
      <p class="hint">CSV, JSON Lines or plain text. <bdi>${name}</bdi> classifies each row, and you get the file back with its columns and
      ${" "}<code>${ADDED.join(", ")}</code>, as <code>windrow predict FILE</code> writes it.</p>
    <//>`;
  }
  const close = html`<${Button} quiet onClick=${() => (abort.abort(), (run.value = null))}>Close the file<//>`;
  return html`<${Sheet} title=${html`<bdi>${now.file.name}</bdi>`} tools=${close} class="file-run">
    <${Problem} error=${now.error} />
    ${!now.found && now.busy && html`<p class="faint" role="status">Reading …</p>`}
    ${now.found && html`<${Understood} now=${now} found=${now.found} />`}
    ${now.found && now.answers.length > 0 && html`<${Results} now=${now} found=${now.found} />`}
  <//>`;
}

/** @param {{ now: Run, found: Json }} props */
function Understood({ now, found }) {
  const total = found.rows.length;
  const done = now.answers.length;
  const { has_header: header } = found;
  const again = (/** @type {How} */ how) => read(now.name, now.file, how);
  return html`${!now.folded && html`<${LeftOut} found=${found} />`}
    ${done === 0 && (found.columns.length > 1 || found.questions.length > 0) && html`<${FileColumns} found=${found} busy=${now.busy} labelled=${false} onRead=${again} />`}
    ${done === 0 && header !== null && html`<${Check} checked=${header} onChange=${() => again({ header: !header })}>The first line names the columns<//>`}
    ${now.busy || (done > 0 && done < total)
      ? html`<p><progress max=${total} value=${done} aria-label="Rows that are classified"></progress></p>
          <p class="row"><span role="status">${number(done)} of ${counted(total, "row")}</span>
            ${now.busy ? html`<${Button} onClick=${stop}>Cancel<//>` : html`<${Button} primary onClick=${classify}>Go on<//>`}</p>`
      : done === 0 && html`<p><${Button} primary disabled=${!total} onClick=${classify}>Classify ${counted(total, "row")} with ${now.name}<//></p>`}`;
}

/** @param {{ now: Run, found: Json }} props */
function Results({ now, found }) {
  const rows = now.answers.map((answer, at) => ({ row: found.rows[at], answer, at }));
  const [model = "", revision] = now.answering.split("@");
  const several = now.kind === "multi_label";
  const record = useReply(several ? "show" : null, { model_name: now.answering }, { shown: false });
  const items = rows
    .map(({ row, answer }) => ({ ...asItem(row.text, answer, Number(revision), record.value?.label_thresholds), ...expectedOf(row, several) }))
    .sort((one, other) => sureness(one) - sureness(other));
  const unsure = items.filter((each) => sureness(each) < SURE).length;
  const reviewed = items.slice(0, Math.min(MAX_REVIEWED, Math.max(unsure, LEAST_REVIEWED)));
  async function review() {
    const added = await addItems(model, reviewed);
    put({ folded: true });
    say(`${counted(added, "text")} put in the queue of ${model}.`);
    go(["correct"], { model });
  }
  if (now.folded) return html`<${Button} onClick=${() => put({ folded: false })}>Show its ${counted(rows.length, "classified row")}<//>`;
  return html`<${Summary} rows=${rows} answering=${now.answering} />
    <p class="row">
      <${Button} primary=${now.answers.length === found.rows.length} onClick=${() => give(now, found, "csv")}>Download ${found.format === "tsv" ? "TSV" : "CSV"}<//>
      <${Button} onClick=${() => give(now, found, "jsonl")}>Download JSON Lines<//>
      <${Button} onClick=${review}>Review the ${number(reviewed.length)} ${unsure >= LEAST_REVIEWED ? "uncertain ones" : "least certain"}<//>
    </p>
    <div class="sheet flush"><${Table} label="Rows with their answers" rows=${rows} keyOf="at" columns=${COLUMNS} /></div>`;
}

/** Return what a file gives a row, where it has the form of the answers. @param {Json} row @param {boolean} several */
function expectedOf(row, several) {
  if (several) return row.labels ? { expected: [...row.labels].sort() } : {};
  return row.label ? { expected: row.label } : {};
}

const ABSTAINED = html`<span class="faint">abstained</span>`;
/** @type {import("../parts/table.js").Columns} */
const COLUMNS = [
  { title: "Text", cell: ({ row }) => html`<${Text} max=${90}>${row.text}<//>` },
  { title: "Label", cell: ({ answer }) => (answer.abstained ? ABSTAINED : html`<bdi>${givenLabels(answer)}</bdi>`) },
  { title: "Score", number: true, cell: ({ answer }) => score(bestScore(answer)) },
  { title: "In scope", number: true, minor: true, cell: ({ answer }) => (answer.in_scope === null ? "–" : score(answer.in_scope)) },
];

/** @param {{ rows: Json[], answering: string }} props */
function Summary({ rows, answering }) {
  const counts = new Map();
  for (const { answer } of rows) for (const label of labelsOf(answer)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labelled = rows.filter(({ row }) => row.label);
  const agreed = labelled.filter(({ row, answer }) => row.label === answer.label).length;
  const fresh = rows.filter(({ answer }) => answer.in_scope !== null && answer.in_scope < NEW_BELOW).length;
  const cut = rows.filter(({ answer }) => answer.truncated).length;
  const abstained = rows.filter(({ answer }) => answer.abstained).length;
  const facts = [
    abstained > 0 && `It abstained for ${counted(abstained, "row")}.`,
    fresh > 0 ? `${counted(fresh, "row is", "rows are")} unlike the training data.` : "No row is unlike the training data.",
    cut > 0 && `Of ${counted(cut, "row")} only the beginning was read.`,
    labelled.length > 0 && `The file's own label is the same in ${number(agreed)} of ${counted(labelled.length, "row")}.`,
  ];
  return html`<${Notice} kind="good"><b>${counted(rows.length, "row")} classified</b> by <bdi>${answering}</bdi>. ${facts.filter(Boolean).join(" ")}<//>
    <dl class="facts">
      ${[...counts]
        .sort((one, other) => other[1] - one[1])
        .map(([label, count]) => html`<dt>${label === null ? ABSTAINED : html`<bdi>${label || inLine([])}</bdi>`}</dt><dd><${Meter} share=${count / rows.length} text=${counted(count, "row")} /></dd>`)}
    </dl>`;
}

/** Return what an answer counts as: each of its labels, nothing for none of them, `null` where the classifier abstained. @param {Json} answer */
function labelsOf(answer) {
  return answer.labels ? (answer.labels.length ? answer.labels : [""]) : [answer.label];
}

/** @param {Json} answer */
function bestScore(answer) {
  return Math.max(.../** @type {number[]} */ (Object.values(answer.scores)));
}

/** Give the file back with what was answered, CSV and TSV as they came. @param {Run} now @param {Json} found @param {"csv" | "jsonl"} format */
function give(now, found, format) {
  const isTable = format === "csv" && (found.format === "csv" || found.format === "tsv");
  const unclear = format === "csv" && now.answers.flatMap((each) => each.labels ?? []).find((label) => label.includes(SEPARATOR));
  put({ error: unclear ? new Error(`The label ${unclear} holds ${SEPARATOR}, which stands between the labels of a cell of CSV. Download JSON Lines.`) : null });
  if (unclear) return;
  const columns = /** @type {string[]} */ (found.columns.map((each) => each.name));
  const prefix = ADDED.some((name) => columns.includes(name)) ? "new_" : "";
  const several = now.kind === "multi_label";
  const names = ADDED.map((name, place) => prefix + (several && place === 0 ? "predicted_labels" : name));
  const rows = now.answers.map((answer, at) => {
    const labels = format === "csv" && answer.labels ? answer.labels.join(SEPARATOR) : answer.labels;
    const values = [several ? labels : answer.label, rounded(bestScore(answer)), rounded(answer.in_scope), answer.abstained, answer.truncated];
    return { ...(found.rows[at].values ?? { text: found.rows[at].text }), ...Object.fromEntries(names.map((name, place) => [name, values[place]])) };
  });
  const ending = isTable ? found.format : format;
  const form = isTable ? /** @type {typeof found & import("../format.js").TextForm} */ (found) : undefined;
  const text = format === "csv" ? asCsv([...columns, ...names], rows, form) : asJsonLines(rows);
  const { content, replaced } = form ? encoded(text, form) : { content: text, replaced: false };
  download(content, `${now.file.name.replace(/\.\w+$/, "")}.predicted.${ending}`);
  if (replaced) say(`The file is UTF-8: it has characters that ${found.encoding} does not have, or this browser does not write ${found.encoding}.`);
  if (prefix) say(`The file has such a column already, so the new ones are called ${names[0]} and so on.`);
}

/** @param {number | null} share Further decimals are noise, which depends on the other texts of the batch. */
function rounded(share) {
  return share === null ? null : Math.round(10_000 * share) / 10_000;
}
