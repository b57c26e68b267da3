/** The rows to train on: where they come from, what the server understood of them, and what is odd about them. */
import { call, recorded } from "../api.js";
import { asCsv, counted, givenLabels, labelsOf, number, percent } from "../format.js";
import { Button, Notice, Problem, Sheet, Tabs, Text } from "../parts/bits.js";
import { Meter } from "../parts/charts.js";
import { Check, FileDrop, Select } from "../parts/fields.js";
import { go, route, setQuery } from "../router.js";
import { html, signal, useEffect, useState } from "../ui.js";
import { Annotators, Candidates, FileColumns, LabelNames, LeftOut, Parts, TABLES } from "./test_set.js";

/** @typedef {import("../format.js").Row} Row */
/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../api.js").Fields} Fields */

/**
 * @typedef {object} Draft What is about to be trained on; it stays while this tab is open.
 * @property {File | null} file
 * @property {Fields} options How it is to be read, where that is not left to the server.
 * @property {Json | null} read What the server says about it.
 * @property {Set<number>} leftOut Places of rows that a person has left out.
 * @property {Record<string, string>} renamed Labels that a person spells otherwise.
 * @property {boolean} busy
 * @property {Error | null} error
 */

/** @type {Draft} */
const NOTHING = { file: null, options: {}, read: null, leftOut: new Set(), renamed: {}, busy: false, error: null };
export const draft = signal(NOTHING);
export const SAMPLE = "demo_tickets.csv";
const EMPTY = { text: "", label: "" };
const typed = signal([EMPTY]);
const UNDESCRIBED = { label: "", means: "" };
const described = signal([UNDESCRIBED]); // labels, each with a sentence about it
const pasted = signal("");
const TYPING_MS = 500;
const MOST_BEHIND = 50;

/**
 * The trainings that this tab has started, by job.
 * @type {Map<string, { fields: Fields, request: import("../api.js").Recorded | undefined, draft: Draft, lines: typeof UNDESCRIBED[], test: Row[] }>}
 */
const started = new Map();
/** @type {Map<string, string>} Their jobs, by the revision that came of them. */
const jobs = new Map();

/** Start a training, and show it. @param {Fields} fields Of the request. */
export async function startFit(fields) {
  const job = await call("start_fit", fields);
  started.set(job.id, { fields, request: recorded.peek()[0], draft: draft.peek(), lines: described.peek(), test: testRows() });
  draft.value = NOTHING;
  described.value = [UNDESCRIBED];
  typed.value = [EMPTY];
  pasted.value = "";
  go(["train", job.id]);
}

/** Return the request of a training that this tab has started. @param {string} jobId */
export function requestOf(jobId) {
  return started.get(jobId)?.fields;
}

/** Return the rows that the file of a training has for testing. @param {string} jobId @returns {Row[]} */
export function testRowsOf(jobId) {
  return started.get(jobId)?.test ?? [];
}

/** Show the rows and descriptions of a training in the form again. @param {string} jobId */
export function takeUp(jobId) {
  draft.value = started.get(jobId)?.draft ?? NOTHING;
  described.value = started.get(jobId)?.lines ?? [UNDESCRIBED];
}

/** Show the request of a training in the drawer, also after the view has changed. @param {string} jobId */
export function showRequest(jobId) {
  const request = started.get(jobId)?.request;
  // The frame forgets what the former view has asked once all views are drawn.
  if (request) queueMicrotask(() => (recorded.value = [request]));
}

/** Return what a training learned from, where this tab has all of it. @param {Fields} job @returns {Row[] | null} */
export function rowsOf(job) {
  if (job.revision) jobs.set(`${job.model_name}@${job.revision}`, job.id);
  const fields = requestOf(job.id);
  if (!fields || !job.extends) return fields?.training_data ?? null;
  const former = jobs.get(job.extends);
  const kept = former ? rowsOf({ id: former, extends: requestOf(former)?.extends }) : null;
  const texts = new Set(fields.training_data.map((/** @type {Row} */ row) => row.text));
  return kept && [...kept.filter((row) => !texts.has(row.text)), ...fields.training_data];
}

/** Return the rows of the draft that are not left out, without those that the file has for testing. @returns {Row[]} */
export function draftRows() {
  return rowsWhere((row) => row.split !== "test");
}

/** Return the rows of the draft that the file has for testing, and that are not left out. @returns {Row[]} */
function testRows() {
  return rowsWhere((row) => row.split === "test");
}

/** @param {(row: Json) => boolean} isWanted @returns {Row[]} */
function rowsWhere(isWanted) {
  const { read, leftOut, renamed } = draft.value;
  const rows = (read?.rows ?? []).filter((/** @type {Json} */ row, /** @type {number} */ place) => givenLabels(row) !== null && !leftOut.has(place) && isWanted(row));
  return rows.map((/** @type {Row} */ { text, ...row }) => {
    const labels = spelledLabels(row, renamed);
    return row.labels ? { text, labels } : { text, label: labels[0] ?? null };
  });
}

/** Return the labels of a row as a person spells them. @param {Record<string, any>} row @param {Record<string, string>} renamed */
export function spelledLabels(row, renamed) {
  return [...new Set(labelsOf(row).map((label) => spelled(label, renamed)))];
}

/** Return what is said about each label; `undefined` where nothing is. @returns {Record<string, string> | undefined} */
export function descriptions() {
  const named = described.value.filter((each) => each.label.trim());
  return named.length ? Object.fromEntries(named.map((each) => [each.label.trim(), each.means.trim()])) : undefined;
}

/**
 * Return a label as a person spells it.
 * @param {string} label It may be `constructor`, which every object has.
 * @param {Record<string, string>} renamed
 */
function spelled(label, renamed) {
  return Object.hasOwn(renamed, label) ? (renamed[label] ?? label) : label;
}

/** Have the server read a file, and show what it understood. @param {File | null} file @param {Fields} [options] */
async function readFile(file, options = {}) {
  const mine = { ...NOTHING, file, options, leftOut: new Set(/** @type {number[]} */ ([])), busy: Boolean(file) };
  draft.value = file === draft.peek().file ? { ...mine, read: draft.peek().read } : mine;
  if (!file) return;
  const isWanted = () => draft.peek().file === file && draft.peek().options === options; // else it is read otherwise by now
  try {
    const read = await call("inspect", { filename: file.name, ...options }, { file });
    if (isWanted()) draft.value = { ...draft.peek(), read, busy: false };
  } catch (error) {
    if (isWanted()) draft.value = { ...draft.peek(), busy: false, error: /** @type {Error} */ (error) };
  }
}

/** Take the rows that ship with Windrow. */
export async function readSample() {
  const response = await fetch(new URL("../../demo_rows.json", import.meta.url));
  const { first } = await response.json();
  await readFile(new File([asCsv(["text", "label"], first)], SAMPLE));
}

/** Where rows come from: a file, what is pasted, or what is typed. */
export function Source() {
  const from = route.value.query.from ?? "file";
  const { file, busy, error, read } = draft.value;
  /** @type {[string, string][]} */
  const tabs = [["file", "A file"], ["paste", "Paste"], ["type", "Type"], ["describe", "Describe labels"]];
  return html`<${Sheet} title="Your rows" tools=${html`<${Tabs} label="Where the rows come from" tabs=${tabs} open=${from} onOpen=${(name) => setQuery({ from: name === "file" ? "" : name })} />`}>
    <p class="sr-only" role="status">${busy ? "Reading the rows." : read ? `${counted(read.num_rows, "row")} understood.` : ""}</p>
    ${from === "paste" ? html`<${Paste} />` : from === "type" ? html`<${Type} />` : from === "describe" ? html`<${Describe} />` : html`<${Choose} file=${file} busy=${busy} />`}
    <${Problem} error=${error} />
    ${error && !read && html`<${Candidates} asked=${/** @type {any} */ (error).problem} busy=${busy} onRead=${again} /><${Differently} read=${null} />`}
  <//>`;
}

/** @param {{ file: File | null, busy: boolean }} props */
function Choose({ file, busy }) {
  return html`<${FileDrop} onFile=${readFile} busy=${busy} label=${file ? "Choose another file" : "Choose a file"}>
      ${file && html`<b><bdi>${file.name}</bdi></b>`}
    <//>
    ${!file &&
    html`<div class="spread first-hint">
      <p class="hint">A spreadsheet, JSON, or what a labelling tool exports: a row for each text with its label, or with any number of labels. About 8 rows a label work well.</p>
      <${Button} onClick=${readSample}>Try it with 24 sample tickets<//>
    </div>
    <table class="example">
      <caption>Such a file looks like this; other columns may be in it.</caption>
      <thead><tr><th scope="col">text</th><th scope="col">label</th></tr></thead>
      <tbody>
        <tr><td>Where is my parcel?</td><td>delivery</td></tr>
        <tr><td>How do I print a return label?</td><td>returns</td></tr>
        <tr><td>My card is declined at checkout.</td><td>payment</td></tr>
      </tbody>
    </table>`}`;
}

/** Read what is typed, once nothing more comes for a moment. @param {string} content @param {string} name */
function useTyped(content, name) {
  const [before, setBefore] = useState(content);
  useEffect(() => {
    if (content === before) return undefined;
    const timer = setTimeout(() => {
      setBefore(content);
      readFile(content.trim() ? new File([content], name) : null);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [content]);
}

function Paste() {
  const content = pasted.value;
  const kind = /^\s*\[/.test(content) ? "json" : /^\s*\{/.test(content) ? "jsonl" : /^[^\n]*\t/.test(content.trim()) ? "tsv" : "csv";
  useTyped(content, `pasted.${kind}`);
  return html`<textarea
      aria-label="Rows, as copied from a spreadsheet, a CSV file or JSON Lines"
      class="mono paste"
      spellcheck=${false}
      placeholder=${"text\tlabel\nWhere is my parcel?\tdelivery"}
      value=${content}
      onInput=${(event) => (pasted.value = event.target.value)}
    ></textarea>
    <p class="hint">Copy the columns from a spreadsheet, or lines of CSV or JSON Lines, and paste them here.</p>`;
}

function Type() {
  const rows = typed.value;
  const whole = rows.filter((row) => row.text.trim() && row.label.trim());
  const labels = [...new Set(whole.map((row) => row.label))];
  useTyped(whole.length ? asCsv(["text", "label"], whole) : "", "typed.csv");
  /** @param {number} place @param {Partial<typeof EMPTY>} change */
  function put(place, change) {
    const next = rows.map((row, at) => (at === place ? { ...row, ...change } : row));
    const last = next[next.length - 1];
    typed.value = last?.text || last?.label ? [...next, EMPTY] : next;
  }
  return html`<table class="typed">
      <thead><tr><th scope="col">Text</th><th scope="col">Label</th></tr></thead>
      <tbody>${rows.map(
        (row, place) => html`<tr key=${place}>
          <td><input class="input" aria-label="Text ${place + 1}" dir="auto" value=${row.text} onInput=${(event) => put(place, { text: event.target.value })} /></td>
          <td><input class="input" aria-label="Label ${place + 1}" dir="auto" list="typed-labels" value=${row.label} onInput=${(event) => put(place, { label: event.target.value })} /></td>
        </tr>`,
      )}</tbody>
    </table>
    <datalist id="typed-labels">${labels.map((label) => html`<option value=${label} />`)}</datalist>
    <p class="hint">A new line appears as you type. A classifier needs two labels at least.</p>`;
}

/** What labels mean, in a sentence each: enough to begin without rows. */
function Describe() {
  const lines = described.value;
  /** @param {number} place @param {Partial<typeof UNDESCRIBED>} change */
  function put(place, change) {
    const next = lines.map((each, at) => (at === place ? { ...each, ...change } : each));
    const last = next[next.length - 1];
    described.value = last?.label || last?.means ? [...next, UNDESCRIBED] : next;
  }
  return html`<table class="typed described">
      <thead><tr><th scope="col">Label</th><th scope="col">What it means</th></tr></thead>
      <tbody>${lines.map(
        (each, place) => html`<tr key=${place}>
          <td><input class="input" aria-label="Label ${place + 1}" dir="auto" value=${each.label} onInput=${(event) => put(place, { label: event.target.value })} /></td>
          <td><input class="input" aria-label="Description ${place + 1}" dir="auto" maxlength="2000" placeholder="Money: invoices, refunds, charges" value=${each.means} onInput=${(event) => put(place, { means: event.target.value })} /></td>
        </tr>`,
      )}</tbody>
    </table>
    <p class="hint">A sentence for each label, in the words of the texts; an empty one leaves it at the name. Without rows, a classifier begins with what at least two labels mean. With rows, descriptions take part where they help, and each label needs a row.</p>`;
}

const TOOLS = ["argilla", "azure", "clu", "cohere", "comprehend", "dialogflow", "doccano", "fasttext", "hugging_face", "label_studio", "luis", "mistral", "openai", "prodigy", "rasa", "snips", "spacy", "system_one", "vertex", "watson"];
const FORMATS = [...TABLES, ...TOOLS];
const ENCODINGS = ["utf-8", "utf-16", "cp1252", "iso-8859-15"]; // what spreadsheets write; the server knows more
const UNSAID = { text_column: null, label_column: null, labels_column: null, label_separator: null, indicator_columns: null, id_column: null, split_column: null, label_names: null }; // of columns, which another reading may not have
const DELIMITERS = /** @type {Record<string, string>} */ ({ ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" });

/** What the server understood of a file, and which columns it takes; each can be changed. @param {{ read: Json }} props */
export function Understood({ read }) {
  const { options, busy } = draft.value;
  const facts = [
    TOOLS.includes(read.format) ? read.format.replaceAll("_", " ") : read.format.toUpperCase(),
    read.certainty < 1 && `${percent(read.certainty)} sure`,
    read.encoding.toUpperCase(),
    read.delimiter && `values apart by ${DELIMITERS[read.delimiter] ?? `“${read.delimiter}”`}`,
    read.sheet && `the sheet “${read.sheet}”`,
    read.has_header !== null && (read.has_header ? "the first line names the columns" : "no header"),
  ];
  return html`<${Sheet} title="What was understood">
    <p>${read.columns.length > 0 && `${counted(read.num_rows, "row")}: `}${facts.filter(Boolean).join(", ")}.
      ${read.text_columns.length > 1 && html` The columns <bdi>${read.text_columns.join(", ")}</bdi> are joined to one text, with a blank line between.`}</p>
    ${read.kind === "multi_label" && html`<p>Each row has any number of labels, so this becomes a multi-label classifier. ${read.rows_without_labels ? `${counted(read.rows_without_labels, "row has", "rows have")} none of them.` : "Each row has at least one; add some that have none, so that the classifier sees what to leave alone."}</p>`}
    <${Parts} read=${read} /><${FileColumns} found=${read} asked=${busy ? options : {}} separator=${options.label_separator} onRead=${again} />
    <${LabelNames} found=${read} given=${options.label_names} onRead=${again} />
    <details class="differently">
      <summary>Read it differently</summary>
      <${Differently} read=${read} />
    </details>
  <//>`;
}

/** How a file is to be read, where the server cannot tell. @param {{ read: Json | null }} props */
function Differently({ read }) {
  const { file, options } = draft.value;
  const { format = "", encoding = "utf-8", delimiter, has_header: hasHeader } = { ...read, ...options };
  const formats = [...new Set([format, ...FORMATS])];
  return html`<div class="row">
    <label>Format <${Select} value=${format} options=${formats} onChange=${(each) => again({ ...UNSAID, format: each })} /></label>
    <label>Encoding <${Select} value=${encoding} options=${[...new Set([encoding, ...ENCODINGS])]} onChange=${(each) => again({ ...UNSAID, encoding: each })} /></label>
    ${delimiter && html`<${Check} checked=${hasHeader} onChange=${(header) => again({ ...UNSAID, header })}>The first line names the columns<//>`}
    ${read && html`<${Annotators} found=${read} value=${options.annotators} onRead=${again} />`}
    ${Object.keys(options).length > 0 && html`<${Button} quiet onClick=${() => readFile(file)}>As the server would<//>`}
  </div>`;
}

/** Read the file again, with something more said of it. @param {Fields} change */
function again(change) {
  const { file, options } = draft.peek();
  readFile(file, { ...options, ...change });
}

/**
 * How many rows each label has; a click shows a label's rows.
 * @param {{ counts: Record<string, number>, picked?: string, onPick?: (label: string) => void }} props
 */
export function LabelCounts({ counts, picked, onPick }) {
  const sorted = Object.entries(counts).sort((one, other) => other[1] - one[1]);
  const most = Math.max(1, ...sorted.map(([, count]) => count));
  return html`<ul class="counts">${sorted.map(
    ([label, count]) => html`<li key=${label}>
      ${onPick
        ? html`<button type="button" class="link label" title=${label} aria-pressed=${String(label === picked)} onClick=${() => onPick(label === picked ? "" : label)}><bdi>${label}</bdi></button>`
        : html`<span class="label" title=${label}><bdi>${label}</bdi></span>`}
      <${Meter} share=${count / most} text=${number(count)} />
    </li>`,
  )}</ul>`;
}

/** What is odd about the rows of a file, each with the rows behind it. @param {{ read: Json }} props */
export function Oddities({ read }) {
  const { leftOut, renamed } = draft.value;
  const count = read.num_problems;
  // With the rows that are taken over, such a label may have enough of them.
  const warnings = read.warnings.filter((each) => each.code !== "small_classes" || !route.value.query.extends);
  if (!warnings.length && !count && !draftRows().length) return html`<${LeftOut} found=${read} />`;
  if (!warnings.length && !count) {
    return html`<${Notice} kind="good">Nothing is odd about these rows: none is repeated, none contradicts another, and each label has enough of them.<//>`;
  }
  return html`<${Sheet} title="What to look at">
    <${LeftOut} found=${read} />
    ${warnings.map(
      (warning) => html`<${Oddity} key=${warning.code} warning=${warning} rows=${read.rows} leftOut=${leftOut} onLeaveOut=${leaveOut}>
        ${warning.code === "labels_alike" && html`<${Spellings} rows=${read.rows} places=${warning.rows} renamed=${renamed} />`}
      <//>`,
    )}
  <//>`;
}

/**
 * Labels that look alike, each group with the spelling that all of it is to have.
 * @param {{ rows: Row[], places: number[], renamed: Record<string, string> }} props
 */
function Spellings({ rows, places, renamed }) {
  /** @type {Record<string, string[]>} */
  const groups = {};
  for (const label of new Set(places.flatMap((place) => labelsOf(rows[place] ?? {})))) {
    const folded = ` ${label.normalize("NFKC").toLowerCase().replace(/[\s_-]+/g, " ").trim()}`;
    groups[folded] = [...(groups[folded] ?? []), label];
  }
  return Object.values(groups).filter((group) => group.length > 1).map(
    (group) => html`<p class="row">Spell all of them
      ${group.map((label) => {
        const pressed = group.every((each) => spelled(each, renamed) === label);
        const others = pressed ? group.map((each) => [each, each]) : group.map((each) => [each, label]);
        return html`<${Button} key=${label} pressed=${pressed} onClick=${() => (draft.value = { ...draft.peek(), renamed: { ...renamed, ...Object.fromEntries(others) } })}><bdi>${label}</bdi><//>`;
      })}</p>`,
  );
}

/** Leave rows of the draft out, or put them back. @param {number[]} places @param {boolean} out */
export function leaveOut(places, out) {
  const leftOut = new Set(draft.peek().leftOut);
  for (const place of places) out ? leftOut.add(place) : leftOut.delete(place);
  draft.value = { ...draft.peek(), leftOut };
}

/**
 * A warning about rows, with the rows behind it.
 * @param {{ warning: Json, rows: (Row & { line?: number })[] | null, leftOut?: Set<number>,
 *   onLeaveOut?: (places: number[], out: boolean) => void, children?: import("../ui.js").View }} props
 */
export function Oddity({ warning, rows, leftOut, onLeaveOut, children }) {
  /** @type {number[]} */
  const places = warning.rows ?? [];
  if (!places.length) return html`<p class="oddity"><bdi>${warning.message}</bdi></p>`;
  return html`<details class="oddity">
    <summary><bdi>${warning.message}</bdi></summary>
    ${children}
    ${!rows && html`<p class="muted">Rows ${places.map((place) => number(place + 1)).join(", ")}; the rows themselves are not in this tab.</p>`}
    ${rows && html`<ul class="behind">${places.slice(0, MOST_BEHIND).map((place) => {
      const row = rows[place];
      const out = leftOut?.has(place) ?? false;
      return row && html`<li key=${place} class=${out ? "out" : ""}>
        <span class="faint">${row.line ? `Line ${number(row.line)}` : `Row ${number(place + 1)}`}</span>
        <${Text}>${row.text}<//> <span class="chip"><bdi>${givenLabels(row)}</bdi></span>
        ${onLeaveOut && html`<${Button} quiet onClick=${() => onLeaveOut([place], !out)}>${out ? "Put back" : "Leave out"}<//>`}
      </li>`;
    })}</ul>`}
    ${places.length > MOST_BEHIND && html`<p class="faint">and ${number(places.length - MOST_BEHIND)} more</p>`}
    ${warning.code === "duplicate_rows" && onLeaveOut && html`<${Button} onClick=${() => onLeaveOut(places, true)}>Leave out all that repeat<//>`}
  </details>`;
}
