/** Test sets: labelled rows that no classifier was trained on, dropped once and kept by this browser. */
import { call } from "../api.js";
import { ago, counted, givenLabels, labelsOf, number, rowsPerLabel } from "../format.js";
import { forgetTestSet, keepTestSet, loadTestSets, testSets } from "../kept.js";
import { useAction } from "../load.js";
import { Button, Notice, Problem, Scroll, Text, Waiting } from "../parts/bits.js";
import { FileDrop, Input, Select } from "../parts/fields.js";
import { say } from "../parts/overlays.js";
import { html, signal, useEffect, useMemo, useState } from "../ui.js";

/** @typedef {import("../kept.js").TestSet} TestSet */
/**
 * @typedef {object} Columns How a file is read.
 * @property {string[]} [text_column]
 * @property {string | null} [label_column]
 * @property {string | null} [labels_column] Of any number of labels, between which the separator stands.
 * @property {string | null} [label_separator]
 * @property {string[]} [indicator_columns] One for each label, of 1 and 0.
 * @property {boolean} [header]
 * @property {string} [sheet] Of a workbook.
 * @property {string} [encoding]
 * @property {string | null} [id_column] By which rows are known.
 * @property {string | null} [split_column] Which part of the data a row belongs to.
 * @property {string[] | null} [label_names] What labels are called that the file numbers, as JSON.
 * @property {string | null} [annotators] What counts where several people labelled a text and differ.
 */
/** @typedef {import("../api.js").Json} Json */

export const TABLES = ["csv", "tsv", "jsonl", "json", "xlsx"];
const MAX_LABELS = 6;
const SEPARATORS = [";", "|", ","];
/** The uses of a column of labels. @type {[string, string][]} */
const WAYS = [["label", "the label"], ["labels", "any number of labels"], ["indicator", "a label, as 1 or 0"]];
/** The uses of what else stands in columns. @type {[string, string][]} */
const BESIDE = [["id", "the row's ID"], ["split", "train, validation or test"]];
/** The formats of tools in which several people label one text. */
const ANNOTATED = ["argilla", "doccano", "label_studio"];
/** What counts where they differ. @type {[string, string][]} */
const DIFFERING = [["majority", "take what most of them chose"], ["refuse", "leave the text out as wrong"]];
/** Of more labels than these, the rest stay numbers. */
const MOST_NAMED = 100;
/** So many rows that are left out are shown at once. */
const FEW = 5;
const loaded = signal(false);
/** @type {Promise<void> | null} Once for all fields, so that no late reading hides what was dropped meanwhile. */
let loading = null;

/**
 * Return a test set that this browser keeps.
 * @param {string} sha256 Digest of its rows; empty for none.
 * @returns {{ set: TestSet | null, known: boolean }} `known` is false until the browser has said what it keeps.
 */
export function useTestSet(sha256) {
  useEffect(() => {
    loading ??= loadTestSets().finally(() => {
      loaded.value = true;
    });
  }, []);
  return { set: testSets.value.find((each) => each.sha256 === sha256) ?? null, known: loaded.value };
}

/**
 * A field for a test set: one that was dropped before, or a file.
 * @param {{ value: string, onChange: (sha256: string) => void }} props
 */
export function TestSetField({ value, onChange }) {
  const { set, known } = useTestSet(value);
  const [changing, setChanging] = useState(false);
  if (!known) return html`<${Waiting} />`;
  if (set && !changing) {
    return html`<div class="field test-set">
      <span class="field-name">Test set</span>
      <div class="row"><b><bdi>${set.name}</bdi></b> <${Button} quiet onClick=${() => setChanging(true)}>Choose another<//></div>
      <p class="hint">${counted(set.rows.length, "row")}: <${Counts} rows=${set.rows} /></p>
    </div>`;
  }
  /** @param {string} sha256 */
  function choose(sha256) {
    setChanging(false);
    onChange(sha256);
  }
  return html`<div class="test-set stack">
    ${value &&
    !set &&
    html`<${Notice} kind="warn" role="status">This browser does not keep the test set of this address (${value.slice(0, 12)}…). Drop its file here to see the same figures, or choose another one.<//>`}
    <${TestFile} onKept=${choose} />
    ${testSets.value.length > 0 && html`<${KeptSets} value=${value} onChoose=${choose} onForget=${(sha256) => sha256 === value && onChange("")} />`}
    ${set && html`<${Button} quiet onClick=${() => setChanging(false)}>Go on with ${set.name}<//>`}
  </div>`;
}

/** @param {{ value: string, onChoose: (sha256: string) => void, onForget: (sha256: string) => void }} props */
function KeptSets({ value, onChoose, onForget }) {
  /** @param {TestSet} set */
  async function forget(set) {
    await forgetTestSet(set.sha256);
    onForget(set.sha256);
    say(`This browser no longer keeps ${set.name}.`, () => keepTestSet(set));
  }
  return html`<ul class="kept-sets" aria-label="Test sets that this browser keeps">
    ${testSets.value.map(
      (set) => html`<li key=${set.sha256}>
        <${Button} onClick=${() => onChoose(set.sha256)} pressed=${set.sha256 === value}><bdi>${set.name}</bdi><//>
        <span class="muted">${counted(set.rows.length, "row")}, dropped ${ago(new Date(set.added).toISOString())}</span>
        <${Button} link label="Forget ${set.name}" onClick=${() => forget(set)}>Forget<//>
      </li>`,
    )}
  </ul>`;
}

/**
 * Where a file of labelled rows is dropped; what it does not say, it asks.
 * @param {{ onRows?: (rows: TestSet["rows"], name: string) => void, onKept?: (sha256: string) => void, label?: string,
 *   children?: import("../ui.js").View }} props `onKept` keeps the rows as a test set; `onRows` only gets them.
 */
export function TestFile({ onRows, onKept, label = "Choose a test set", children }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [found, setFound] = useState(/** @type {Json | null} */ (null));
  const [said, setSaid] = useState(/** @type {Columns} */ ({}));
  const { run, busy, error } = useAction(inspect);

  /** @param {File} chosen @param {Columns} columns */
  async function inspect(chosen, columns) {
    setFile(chosen);
    setSaid(columns);
    if (chosen !== file) setFound(null);
    const reply = await call("inspect", { filename: chosen.name, ...columns }, { file: chosen });
    const isNumbered = !columns.label_names && reply.warnings.some((/** @type {Json} */ each) => each.code === "number_labels");
    const asks = reply.questions.length > 0 || !saysLabels(reply) || reply.num_problems + reply.num_left_out > 0 || isNumbered || !labelled(reply).length;
    if (asks) setFound(reply);
    else await take(chosen.name, reply);
  }

  /** @param {string} name @param {Json} reply */
  async function take(name, reply) {
    const rows = labelled(reply);
    setFound(null);
    onRows?.(rows, name);
    if (!onKept) return;
    await keepTestSet({ sha256: reply.sha256, name, rows, added: Date.now() });
    onKept(reply.sha256);
  }

  const taken = found ? labelled(found) : [];
  /** @param {Columns} how */
  const again = (how) => file && run(file, { ...said, ...how });
  return html`<div>
    <${FileDrop} onFile=${(chosen) => run(chosen, {})} busy=${busy} label=${label}>
      ${children ?? html`<p class="hint">A table with a text and its right label in each row, which no classifier was trained on. It stays in this browser.</p>`}
    <//>
    <${Problem} error=${error} />
    ${file && error && html`<${Candidates} asked=${/** @type {any} */ (error).problem} busy=${busy} onRead=${again} />`}
    ${file && found && html`<${LeftOut} found=${found} /><${Parts} read=${found} />
      <${FileColumns} found=${found} separator=${said.label_separator} busy=${busy} onRead=${again} />
      <div class="row"><${Annotators} found=${found} value=${said.annotators} busy=${busy} onRead=${again} /></div>
      <${LabelNames} found=${found} given=${said.label_names} busy=${busy} onRead=${again} />
      ${taken.length > 0 && html`<p class="row"><${Button} primary busy=${busy} onClick=${() => take(file.name, found)}>Take the ${counted(taken.length, "row")}<//></p>`}`}
  </div>`;
}

/** The answers to questions about a file as a whole, each with its words. @type {Record<string, (found: Json) => [string, string][]>} */
const ANSWERS = {
  sheet: (found) => found.sheets.slice(0, MOST_OFFERED).map((/** @type {string} */ name) => [name, name]),
  encoding: (found) => [[found.encoding, "It is right"], ...OTHER_ENCODINGS.filter((each) => each !== found.encoding).map((each) => /** @type {[string, string]} */ ([each, `Read it as ${each}`]))],
};
const MOST_OFFERED = 30;
const OTHER_ENCODINGS = ["cp1252", "cp1250", "mac-roman"];

/**
 * What a file does not say, and what its columns are taken for; each can be changed.
 * @param {{ found: Json, asked?: Columns, separator?: string | null, busy?: boolean, labelled?: boolean, onRead: (how: Columns) => void }} props
 *   `asked` is what was changed since, and the server has not answered yet; `separator` is what was said to stand
 *   between labels.
 */
export function FileColumns({ found: answered, asked = {}, separator = null, busy, labelled: hasLabels = true, onRead }) {
  const found = withAsked(answered, asked);
  if (![...TABLES, "txt"].includes(found.format) && !found.questions.length) return null; // a tool knows its columns
  const { columns, questions, text_columns: texts, label_column: label, labels_column: several, indicator_columns: indicators } = found;
  const uses = [["text", "the text"], ...(hasLabels || saysLabels(found) ? WAYS : []), ...BESIDE.slice(0, hasLabels ? 2 : 1), ["", "nothing"]];
  // What was found out or said of the file as a whole.
  const kept = { sheet: found.sheet ?? undefined, encoding: found.encoding === "utf-8" ? undefined : found.encoding };
  /** @param {string} name */
  const useOf = (name) => (texts.includes(name) ? "text" : label === name ? "label" : several === name ? "labels" : indicators.includes(name) ? "indicator" : found.id_column === name ? "id" : found.split_column === name ? "split" : "");
  /** @param {string} name @param {string} use @param {string | null} [between] */
  function assign(name, use, between = separator) {
    const assigned = columns.map((each) => ({ name: each.name, use: each.name === name ? use : useOf(each.name) }));
    /** Of one column at most: one that is chosen takes the place of another. @param {string} way @returns {string | null} */
    const only = (way) => (use === way ? name : (assigned.find((each) => each.use === way)?.name ?? null));
    // Labels are given in one way: one that is chosen takes the place of the others.
    const others = WAYS.map(([way]) => way).filter((way) => way !== use);
    /** @param {string} wanted @returns {string[]} */
    const taken = (wanted) => (others.length < WAYS.length && others.includes(wanted) ? [] : assigned.filter((each) => each.use === wanted).map((each) => each.name));
    const [one, many] = ["label", "labels"].map((way) => (use === way ? name : (taken(way)[0] ?? null)));
    // Other labels have other names.
    const renamed = WAYS.some(([way]) => way === use || way === useOf(name)) ? { label_names: null } : {};
    onRead({ ...renamed, text_column: taken("text"), label_column: one, labels_column: many, label_separator: many && between, indicator_columns: taken("indicator"), id_column: only("id"), split_column: only("split"), header: found.has_header ?? undefined, ...kept });
  }
  return html`${questions.map(
      ({ parameter, detail, choices }) => html`<${Notice} kind="warn" key=${parameter}>
        <p><bdi>${detail.charAt(0).toUpperCase() + detail.slice(1)}</bdi> ${parameter === "header" ? "Does the first line name the columns?" : parameter === "label_separator" ? "What stands between two labels?" : parameter in ANSWERS || choices.length ? "" : "Choose it below."}</p>
        <${Candidates} asked=${{ parameter, names: choices }} busy=${busy} onRead=${(how) => onRead({ ...kept, ...how })} />
        ${parameter === "label_separator" && html`<div class="row">${SEPARATORS.map((each) => html`<${Button} key=${each} busy=${busy} label="Labels are apart by ${each}" onClick=${() => assign(label ?? several, "labels", each)}><code>${each}</code><//>`)}
          <${Button} busy=${busy} onClick=${() => assign(label ?? several, "label")}>Each cell is one label<//></div>`}
        ${parameter in ANSWERS && html`<div class="row">${ANSWERS[parameter](found).map(([answer, words]) => html`<${Button} key=${answer} busy=${busy} onClick=${() => onRead({ ...kept, [parameter]: answer })}><bdi>${words}</bdi><//>`)}</div>`}
        ${parameter === "header" && html`<div class="row"><${Button} busy=${busy} onClick=${() => onRead({ header: true, ...kept })}>It does<//><${Button} busy=${busy} onClick=${() => onRead({ header: false, ...kept })}>It is a row<//></div>`}
      <//>`,
    )}
    ${hasLabels && !saysLabels(found) && !questions.length && html`<${Notice} kind="warn">There is no column of labels. ${columns.length > 1 ? "Choose it below." : "Add one to the file: a label for each text."}<//>`}
    ${columns.length > 0 && html`<${Scroll} label="Columns">
      <table class="read-columns">
        <thead><tr><th scope="col">Column</th><th scope="col">Used as</th><th scope="col">Examples</th></tr></thead>
        <tbody>${columns.map(({ name, examples, distinct }) => {
          return html`<tr key=${name}>
            <th scope="row"><bdi>${shortened(name)}</bdi></th>
            <td><${Select} aria-label="Use of ${name}" disabled=${busy} value=${useOf(name)} options=${uses} onChange=${(chosen) => assign(name, chosen)} /></td>
            <td class="muted"><bdi>${shortened(examples.join(" · "), 110)}</bdi> <span class="faint">${number(distinct)} different</span></td>
          </tr>`;
        })}</tbody>
      </table>
    <//>`}`;
}

/** The columns of a file with those that were assigned instead. @param {Json} found @param {Columns} asked @returns {Json} */
function withAsked(found, asked) {
  const { text_column: texts, indicator_columns: indicators, label_column, labels_column, id_column, split_column } = asked;
  return texts ? { ...found, text_columns: texts, indicator_columns: indicators ?? [], label_column, labels_column, id_column, split_column } : found;
}

/** What parts of a tool's file may be taken for, by the option that was asked for. @type {Record<string, [string, string][]>} */
const TAKEN_FOR = {
  label_column: [["label_column", "Each text has one label:"], ["labels_column", "A text has any number of labels:"]],
  text_column: [["text_column", "The text is"]],
};

/**
 * The parts of a tool's file that the server cannot decide between, to choose one.
 * @param {{ asked: any, busy?: boolean, onRead: (how: Record<string, any>) => void }} props
 */
export function Candidates({ asked, busy, onRead }) {
  const { parameter = "", names = null } = asked ?? {};
  if (!Object.hasOwn(TAKEN_FOR, parameter) || !Array.isArray(names) || !names.length) return null;
  const labels = parameter === "label_column" ? { label_column: null, labels_column: null } : {};
  return html`${TAKEN_FOR[parameter]?.map(
    ([option, words]) => html`<p class="row" key=${option}>${words} ${names.slice(0, MOST_OFFERED).map((/** @type {string} */ name) => {
      const chosen = option === "text_column" ? [name] : name;
      return html`<${Button} key=${name} busy=${busy} label="${words} ${name}" onClick=${() => onRead({ ...labels, [option]: chosen })}><bdi>${name}</bdi><//>`;
    })}</p>`,
  )}`;
}

/** The rows of a file that nothing can be done with. @param {{ found: Json }} props */
export function LeftOut({ found: { problems, num_problems: count, num_rows: all, num_left_out: others, questions } }) {
  if (!all && !count && !others && !questions.length) return html`<${Notice} kind="warn">There is no row in it. Choose a file that has some.<//>`;
  return (
    count > 0 &&
    html`<details class="oddity" open=${count <= FEW}>
      <summary>${counted(count, "row is", "rows are")} left out, since nothing can be read from ${count === 1 ? "it" : "them"}.</summary>
      <ul>${problems.map((each) => html`<li>Line ${number(each.line)}${each.id && html` (<bdi>${each.id}</bdi>)`}: <${Text}>${each.detail}<//></li>`)}</ul>
      ${count > problems.length && html`<p class="faint">and ${number(count - problems.length)} more</p>`}
    </details>`
  );
}

/** What several people say of one text together. @param {{ found: Json, value?: string | null, busy?: boolean, onRead: (how: Columns) => void }} props */
export function Annotators({ found, value, busy, onRead }) {
  if (!ANNOTATED.includes(found.format)) return null;
  return html`<label>Where annotators differ <${Select} disabled=${busy} value=${value ?? "majority"} options=${DIFFERING} onChange=${(each) => onRead({ annotators: each })} /></label>`;
}

/**
 * What labels are called that the file numbers: a field for each.
 * @param {{ found: Json, given?: string[] | null, busy?: boolean, onRead: (how: Columns) => void }} props `given` are the names so far.
 */
export function LabelNames({ found, given, busy, onRead }) {
  /** @type {Record<string, string>} */
  const former = useMemo(() => JSON.parse(given?.[0] ?? "{}"), [given]);
  const [typed, setTyped] = useState(/** @type {Record<string, string>} */ ({}));
  // All labels of the file need a name: those that are names already keep themselves.
  const labels = Object.keys(given ? former : found.rows_per_label);
  const numbers = labels.filter(isNumber);
  if (!numbers.length) return null;
  const names = Object.fromEntries(labels.map((label) => [label, (isNumber(label) && (typed[label] ?? former[label])?.trim()) || label]));
  const use = () => onRead({ label_names: [JSON.stringify(names)] });
  return html`<fieldset class="stack" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && use()}>
    <legend>What do the numbers mean?</legend>
    ${numbers.slice(0, MOST_NAMED).map((label) => html`<${Input} key=${label} label=${html`Name of <bdi>${label}</bdi>`} dir="auto" maxlength="200" value=${typed[label] ?? (former[label] === label ? "" : former[label] ?? "")} onInput=${(/** @type {string} */ name) => setTyped({ ...typed, [label]: name })} />`)}
    <p class="row"><${Button} busy=${busy} onClick=${use}>Use these names<//> <span class="hint">A label without a name stays a number.</span></p>
  </fieldset>`;
}

/** Which rows are trained on, and what else the file says. @param {{ read: Json }} props */
export function Parts({ read: { rows_per_split: parts, num_left_out: out, num_unlabelled: unlabelled, left_out: first, notes, description } }) {
  const counts = Object.entries(parts).map(([part, count]) => `${counted(count, "row")} for ${part}`);
  return html`${counts.length > 0 && html`<p>${counts.join(", ")}.${parts.test ? " Those for test are kept from the training, which is then evaluated on them." : ""}</p>`}
    ${description && html`<p>The file says what it is for: <q><bdi>${shortened(description)}</bdi></q></p>`}
    ${notes.map((/** @type {Json} */ each) => html`<p class="muted"><bdi>${each.detail}</bdi></p>`)}
    ${unlabelled > 0 && html`<p class="muted">${counted(unlabelled, "row")} that nobody has labelled ${unlabelled === 1 ? "is" : "are"} left out.</p>`}
    ${out > 0 &&
    html`<details class="oddity">
      <summary>${counted(out, "row is", "rows are")} no example, and left out.</summary>
      <ul>${first.map((/** @type {Json} */ each) => html`<li>Row ${number(each.line)}${each.id && html` (<bdi>${each.id}</bdi>)`}: <${Text}>${each.detail}<//></li>`)}</ul>
      ${out > first.length && html`<p class="faint">and ${number(out - first.length)} more</p>`}
    </details>`}`;
}

/**
 * Whether the server warns of a label as of a number: "1", also as "1.0", of digits of any script, and whatever is unseen.
 * @param {string} label
 */
function isNumber(label) {
  const seen = label.normalize("NFKC").replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu, "").trim();
  return /^-?(\p{Nd}+|[0-9]+[.,](0{1,2}|0{4,}))$/u.test(seen);
}

/** Return a text that is not very long. @param {string} text @param {number} [most] Characters. */
export function shortened(text, most = 300) {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Whether it is clear which columns say the labels. @param {Json} found */
function saysLabels({ label_column: label, labels_column: several, indicator_columns: indicators }) {
  return Boolean(label ?? several) || indicators.length > 0;
}

/** How many rows have which label. @param {{ rows: TestSet["rows"] }} props */
function Counts({ rows }) {
  const sorted = [...rowsPerLabel(rows)].sort((one, other) => other[1] - one[1]);
  const rest = sorted.length - MAX_LABELS;
  const without = rows.filter((row) => !labelsOf(row).length).length;
  return html`${sorted.slice(0, MAX_LABELS).map(([label, count], place) => html`${place > 0 && ", "}${number(count)} <bdi>${label}</bdi>`)}${rest > 0 &&
  ` and ${counted(rest, "more label")}`}${without > 0 && `, ${number(without)} without a label`}`;
}

/** Return the rows that have a label, or the labels that fit; of a file with rows for testing, those. @param {Json} found @returns {TestSet["rows"]} */
function labelled(found) {
  const rows = found.rows_per_split.test ? found.rows.filter((/** @type {Json} */ row) => row.split === "test") : found.rows;
  return rows.flatMap((/** @type {import("../format.js").Row} */ { text, label, labels }) => (!text || !givenLabels({ label, labels }) ? [] : labels ? [{ text, labels }] : [{ text, label }]));
}
