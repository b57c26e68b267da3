/** Test sets: labelled rows that no classifier was trained on, dropped once and kept by this browser. */
import { call } from "../api.js";
import { ago, counted, number } from "../format.js";
import { forgetTestSet, keepTestSet, loadTestSets, testSets } from "../kept.js";
import { useAction } from "../load.js";
import { Button, Field, Notice, Problem, Waiting } from "../parts/bits.js";
import { FileDrop } from "../parts/fields.js";
import { say } from "../parts/overlays.js";
import { html, signal, useEffect, useState } from "../ui.js";

/** @typedef {import("../kept.js").TestSet} TestSet */
/** @typedef {{ text_column?: string[], label_column?: string, header?: boolean | null }} Columns */

const MAX_LABELS = 6;
const MAX_SHOWN_PROBLEMS = 5;
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
        <button type="button" class="link" aria-label="Forget ${set.name}" onClick=${() => forget(set)}>Forget</button>
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
  const [found, setFound] = useState(/** @type {Record<string, any> | null} */ (null));
  const { run, busy, error } = useAction(inspect);

  /**
   * @param {File} chosen
   * @param {Columns} columns
   */
  async function inspect(chosen, columns) {
    setFile(chosen);
    if (chosen !== file) setFound(null);
    const reply = await call("inspect", { filename: chosen.name, ...columns }, { file: chosen });
    const asks = reply.questions.length > 0 || !reply.label_column || reply.num_problems > 0;
    if (asks) setFound(reply);
    else await take(chosen.name, reply);
  }

  /**
   * @param {string} name
   * @param {Record<string, any>} reply
   */
  async function take(name, reply) {
    const rows = labelled(reply);
    setFound(null);
    onRows?.(rows, name);
    if (!onKept) return;
    await keepTestSet({ sha256: reply.sha256, name, rows, added: Date.now() });
    onKept(reply.sha256);
  }

  return html`<div>
    <${FileDrop} onFile=${(chosen) => run(chosen, {})} busy=${busy} label=${label}>
      ${children ?? html`<p class="hint">A table with a text and its right label in each row, which no classifier was trained on. It stays in this browser.</p>`}
    <//>
    <${Problem} error=${error} />
    ${file && found && html`<${Ask} key=${`${file.name} ${found.columns.map((/** @type {any} */ each) => each.name)}`} found=${found} busy=${busy} onRead=${(/** @type {Columns} */ columns) => run(file, columns)} onTake=${() => take(file.name, found)} />`}
  </div>`;
}

/**
 * What a file does not say, and which of its rows could not be read.
 * @param {{ found: Record<string, any>, busy: boolean, onRead: (columns: Columns) => void, onTake: () => void }} props
 */
function Ask({ found, busy, onRead, onTake }) {
  const [text, setText] = useState(/** @type {string[]} */ (found.text_columns));
  const [label, setLabel] = useState(/** @type {string} */ (found.label_column ?? ""));
  const names = /** @type {string[]} */ (found.columns.map((/** @type {any} */ each) => each.name));
  const rows = labelled(found);
  const asksHeader = found.questions.some((/** @type {any} */ each) => each.parameter === "header");
  const intro = found.questions.length || found.label_column ? found.questions.map((/** @type {any} */ each) => each.detail) : ["No column is known to hold the labels."];
  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    onRead({ text_column: text, label_column: label, header: found.has_header });
  }
  return html`<form class="ask" onSubmit=${onSubmit}>
    ${intro.map((/** @type {string} */ each) => html`<p role="status"><bdi>${each}</bdi></p>`)}
    ${found.num_problems > 0 &&
    html`<${Notice} kind="warn" role="status"
      ><p>${counted(found.num_problems, "row")} cannot be used:</p>
      <ul>${found.problems.slice(0, MAX_SHOWN_PROBLEMS).map((/** @type {any} */ each) => html`<li>Line ${number(each.line)}: <bdi>${each.detail}</bdi></li>`)}</ul><//
    >`}
    ${asksHeader
      ? html`<div class="row">Does the first line name the columns? <${Button} busy=${busy} onClick=${() => onRead({ header: true })}>It does<//><${Button} busy=${busy} onClick=${() => onRead({ header: false })}>It is a row<//></div>`
      : html`<div class="halves">
            <${Field} label="Columns of the text" hint="Several are joined.">
              ${(id) => html`<select id=${id} class="input" multiple size=${Math.min(5, names.length)} onChange=${(event) => setText([...event.target.selectedOptions].map((each) => each.value))}>
                ${names.map((name) => html`<option value=${name} selected=${text.includes(name)}>${name}</option>`)}
              </select>`}
            <//>
            <${Field} label="Column of the label">
              ${(id) => html`<select id=${id} class="input" onChange=${(event) => setLabel(event.target.value)}>
                <option value="" selected=${!label}>Choose</option>
                ${names.map((name) => html`<option value=${name} selected=${name === label}>${name}</option>`)}
              </select>`}
            <//>
          </div>
          <div class="row">
            <${Button} type="submit" busy=${busy} disabled=${!text.length || !label}>Read it like this<//>
            ${rows.length > 0 && html`<${Button} primary busy=${busy} onClick=${onTake}>Take the ${counted(rows.length, "row")}<//>`}
          </div>`}
  </form>`;
}

/** How many rows have which label. @param {{ rows: TestSet["rows"] }} props */
function Counts({ rows }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { label } of rows) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sorted = [...counts].sort((one, other) => other[1] - one[1]);
  const rest = sorted.length - MAX_LABELS;
  return html`${sorted.slice(0, MAX_LABELS).map(([label, count], place) => html`${place > 0 && ", "}${number(count)} <bdi>${label}</bdi>`)}${rest > 0 &&
  ` and ${counted(rest, "more label")}`}`;
}

/**
 * Return the rows that have a label.
 * @param {Record<string, any>} found
 * @returns {TestSet["rows"]}
 */
function labelled(found) {
  return found.rows.flatMap((/** @type {any} */ each) => (each.text && each.label ? [{ text: each.text, label: each.label }] : []));
}
