/** Train: rows in, what was understood of them, the settings, and what the training will take. */
import { ApiError, call, pause } from "../api.js";
import { counted, duration, givenLabels, labelsOf, number, rowsPerLabel, size } from "../format.js";
import { useAction, useAsync, useReply } from "../load.js";
import { Button, Field, Header, Notice, Problem, Sheet, Warnings } from "../parts/bits.js";
import { Check, Input } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Table } from "../parts/table.js";
import { href, route, setQuery } from "../router.js";
import { classifiers, nextName, refresh } from "../store.js";
import { html, submits, useEffect, useMemo, useState } from "../ui.js";
import { shortened } from "./test_set.js";
import { descriptions, draft, draftRows, LabelCounts, leaveOut, Oddities, readSample, SAMPLE, Source, spelledLabels, startFit, Understood } from "./train_data.js";

/** @typedef {import("../api.js").Json} Json */

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 128;
const TYPING_MS = 400;
const FIRST_ROWS = 10;
const DEFAULT_BASE_MODEL = "sentence-transformers/all-MiniLM-L6-v2";
const BASE_MODELS = /** @type {Record<string, string>} */ ({
  [DEFAULT_BASE_MODEL]: "For English. Small and quick.",
  "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": "For 50 languages. It reads 128 tokens of a text; its first use downloads 470 MB.",
  "intfloat/multilingual-e5-small": "For 100 languages. It reads 512 tokens of a text; its first use downloads 470 MB.",
});

/** The form from rows to a training. */
export function Train() {
  const { demo, extends: extended } = route.value.query;
  const { read, file } = draft.value;
  const base = useReply(extended ? "show" : null, { model_name: extended });
  // A key with train alone may extend what it may not look at.
  const unseen = extended && base.error instanceof ApiError && base.error.status === 403 ? { name: extended.split("@")[0] } : null;
  const known = base.value ?? unseen;
  useEffect(() => {
    refresh(); // a name that is proposed is to be free, also of what others have trained meanwhile
  }, []);
  useEffect(() => {
    if (demo && draft.peek().file?.name !== SAMPLE) readSample();
  }, [demo]);
  const ready = Boolean(read ?? descriptions());
  return html`<${Header} title="Train" note="Rows of a text and its label, or any number of labels, become a classifier that gives new texts their labels." />
    ${extended && html`<${Extends} reference=${extended} base=${base} unseen=${Boolean(unseen)} />`}
    <div class=${ready || known ? "two train" : ""}>
      <div>
        <${Source} />
        ${read && html`<${Understood} read=${read} /><${Oddities} read=${read} />`}
      </div>
      ${(ready || known) &&
      html`<div>
        <${Settings} key=${known ? extended : file?.name} base=${known} reference=${extended} />
        ${read?.rows.length > 0 && html`<${Balance} />`}
      </div>`}
    </div>
    ${read?.rows.length > 0 && html`<${Preview} read=${read} />`}`;
}

/** @param {{ reference: string, base: import("../load.js").Loaded<any>, unseen: boolean }} props */
function Extends({ reference, base, unseen }) {
  const record = base.value;
  if (unseen) return html`<${Notice}>The rows of <bdi>${reference}</bdi> are taken over, by the server itself. A row that you add here replaces all of them that have the same text.<//>`;
  if (!record) return html`<${Problem} error=${base.error} again=${base.again} />`;
  if (record.source === "zero_shot") return html`<${Notice}><bdi>${reference}</bdi> has learned no row. Its descriptions go on to hold, and each label needs a row from now on: one that no row has is given no more.<//>`;
  return html`<${Notice} kind=${record.keeps_training_data ? "note" : "bad"}>
    <p>${record.keeps_training_data
      ? html`<b>The ${counted(record.num_examples, "row")} of <bdi>${record.name}@${record.revision}</bdi> are taken over</b>,
        by the server itself. A row that you add here replaces all of them that have the same text: so labels are corrected.
        ${record.training_data_erased ? " Rows that were erased stay away." : ""}`
      : html`<b><bdi>${reference}</bdi> kept no training rows</b>, so nothing can be taken over from it.`}
${" "}<a href=${href(["train"])}>Train on your rows alone</a></p>
  <//>`;
}

/** How many rows of each label there are. */
function Balance() {
  const rows = useMemo(draftRows, [draft.value]);
  const without = rows.filter((row) => !labelsOf(row).length).length;
  const out = draft.value.leftOut.size;
  return html`<${Sheet} title=${route.value.query.extends ? "Rows of each label that you add" : "Rows of each label"}>
    <${LabelCounts} counts=${Object.fromEntries(rowsPerLabel(rows))} picked=${route.value.query.label} onPick=${(label) => setQuery({ label })} />
    ${without > 0 && html`<p class="muted">${counted(without, "row")} without a label.</p>`}
    ${out > 0 && html`<p class="muted">${counted(out, "row")} left out by you.</p>`}
  <//>`;
}

/** The rows as they were read. @param {{ read: Json }} props */
function Preview({ read }) {
  const { label = "", all } = route.value.query;
  const { leftOut, renamed } = draft.value;
  /** @type {Json[]} */
  const found = useMemo(() => {
    const places = read.rows.map((/** @type {Json} */ row, /** @type {number} */ place) => ({ ...row, place }));
    return label ? places.filter((/** @type {Json} */ row) => spelledLabels(row, renamed).includes(label)) : places;
  }, [read, label, renamed]);
  const shown = all ? found : found.slice(0, FIRST_ROWS);
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Line", number: true, minor: true, cell: (row) => number(row.line) },
    { title: "Text", cell: (row) => html`<bdi>${shortened(row.text)}</bdi>` },
    { title: read.kind === "multi_label" ? "Labels" : "Label", cell: (row) => html`<bdi>${givenLabels(row.labels ? { labels: spelledLabels(row, renamed) } : { label: spelledLabels(row, renamed)[0] })}</bdi>` },
    { hidden: "Leave out", number: true, minor: true, cell: (row) => html`<${Button} quiet onClick=${() => leaveOut([row.place], !leftOut.has(row.place))}>${leftOut.has(row.place) ? "Put back" : "Leave out"}<//>` },
  ];
  return html`<${Sheet} flush class="preview" title=${label ? html`Rows of <bdi>${label}</bdi>` : "The rows"} tools=${label && html`<${Button} quiet onClick=${() => setQuery({ label: "" })}>Rows of all labels<//>`}>
    <${Table} label="The rows as they were read" columns=${columns} rows=${shown} keyOf="place" rowClass=${(row) => (leftOut.has(row.place) ? "out" : "")} />
    ${shown.length < found.length && html`<div class="more"><${Button} onClick=${() => setQuery({ all: "1" })}>Show all ${number(found.length)} rows<//></div>`}
  <//>`;
}

/** Return a name for what is made of a file. @param {string} file */
function named(file) {
  const stem = /^(pasted|typed)\./.test(file) ? "" : file.replace(/\.[^.]*$/, "").normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[^A-Za-z0-9]+|[_.-]+$/g, "");
  return nextName((stem || "classifier").slice(0, LONGEST_NAME - 6));
}

/** @param {{ base: Json | null, reference?: string }} props The record of what is extended, and how it was named. */
function Settings({ base, reference }) {
  const { query } = route.value;
  const { models } = classifiers.value;
  const { file, read, busy, leftOut, renamed, error: unread } = draft.value;
  const proposed = useMemo(() => (base ? nextName(base.name) : named(file?.name ?? "")), [models, file, base]);
  const name = query.name ?? proposed;
  const iterations = Number(query.num_iterations ?? base?.num_iterations ?? 20);
  const baseModel = query.base_model ?? base?.base_model ?? DEFAULT_BASE_MODEL;
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState("");
  const rows = useMemo(draftRows, [read, leftOut, renamed]);
  const validName = NAME.test(name);
  const meanings = descriptions();
  const alone = meanings !== undefined && !rows.length && !base;
  const several = rows.some((row) => row.labels);
  const labels = alone ? Object.keys(meanings) : [...rowsPerLabel(rows).keys()];
  // A label is told from another one, or from texts without a label.
  const enough = Boolean(base) || labels.length > (several ? 0 : 1);
  const extended = base?.revision ? `${base.name}@${base.revision}` : reference;
  const fields = {
    model_name: name,
    training_data: rows,
    label_descriptions: meanings,
    multi_label: alone && query.multi_label === "yes",
    extends: extended,
    base_model: baseModel,
    num_iterations: iterations,
    cross_validate: query.cross_validate !== "no",
    description: description.trim() || undefined,
    tags: tags.trim() ? tags.split(",").map((each) => each.trim()).filter(Boolean) : undefined,
  };
  const estimate = useAsync(
    async (signal) => {
      await pause(TYPING_MS);
      if (signal.aborted || !validName || !enough) return null;
      return call("estimate_fit", { ...fields, description: undefined, tags: undefined }, { shown: false, signal });
    },
    [name, rows, JSON.stringify(meanings), fields.multi_label, extended, baseModel, iterations, fields.cross_validate],
  );
  const { run, busy: starting, error } = useAction(() => startFit(fields));
  const possible = validName && !busy && !unread && Boolean(base) === Boolean(reference) && !(estimate.error && !estimate.busy) && enough;
  const start = () => possible && run();
  useKeys([{ key: "Enter", ctrl: true, whileTyping: true, does: "Train", run: start }]);
  return html`<form class="sheet settings" aria-label="Training" onSubmit=${submits(() => start())}>
    <${Field} label="Name" hint=${validName ? html`<${NameHint} name=${name} />` : html`<span class="bad-ink" role="alert">A name starts with a letter or digit and goes on with at most 127 letters, digits, “.”, “_” or “-”.</span>`}>
      ${(id) => html`<input id=${id} class="input" value=${name} spellcheck=${false} autocomplete="off" aria-describedby="${id}-hint" aria-invalid=${String(!validName)}
        onInput=${(event) => setQuery({ name: event.target.value })} />`}
    <//>
    ${meanings && html`<p>${alone ? `No row is learned: it begins with what ${counted(labels.length, "label")} mean.` : `With descriptions of ${counted(Object.keys(meanings).length, "label")}.`}</p>`}
    ${alone && html`<${Check} checked=${fields.multi_label} onChange=${(/** @type {boolean} */ on) => setQuery({ multi_label: on ? "yes" : "" })}>A text may have several of these labels, or none<//>`}
    ${!alone && html`<${Thoroughness} iterations=${iterations} rows=${estimate.value?.num_examples ?? rows.length} />`}
    <details class="more-settings" open=${baseModel !== DEFAULT_BASE_MODEL || !fields.cross_validate}>
      <summary>More: base model, estimate, description, tags</summary>
      <${BaseModel} id=${baseModel} />
      <label class="check"><input type="checkbox" checked=${fields.cross_validate} onChange=${(event) => setQuery({ cross_validate: event.target.checked ? "" : "no" })} />
        <span>Estimate the accuracy (cross-validate)<span class="hint block">Trainings on parts of the rows are judged by the rest. It takes about three times as long up to 999 rows; without it there is no estimate, and nothing can be said of what is in scope. The head alone always has it.</span></span></label>
      <${Input} label="Description" lines maxlength="2000" dir="auto" value=${description} onInput=${setDescription} />
      <${Input} label="Tags" value=${tags} onInput=${setTags} hint="Apart by commas." />
    </details>
    ${enough && meanings && estimate.value && html`<${Warnings} of=${estimate.value.warnings.filter((/** @type {Json} */ each) => !read?.warnings.some((known) => known.code === each.code))} />`}
    ${enough ? html`<${Cost} estimate=${estimate} />` : alone ? html`<p class="cost bad-ink">Describe at least two labels.</p>` : read?.rows.length > 0 && html`<p class="cost bad-ink">A classifier needs rows of at least two labels. Add rows with another label.</p>`}
    <${Problem} error=${error ?? (estimate.busy ? null : estimate.error)} />
    <${Button} type="submit" primary busy=${starting} disabled=${!possible} keyName="Ctrl ↵">Train<//>
  </form>`;
}

/** What a name means: a new classifier, or another revision. @param {{ name: string }} props */
function NameHint({ name }) {
  const existing = classifiers.value.models.find((each) => each.name === name);
  if (!existing) return "A new classifier. Names that end in _v1, _v2 … are versions of one task.";
  const pointing = classifiers.value.aliases.filter((each) => each.model_name === name && each.revision === null);
  return html`<b>${name} exists.</b> This makes a new revision of it, which answers in place of revision ${existing.revision} as soon as it is trained${
    pointing.length > 0 && `, also to the alias ${pointing.map((each) => each.alias).join(", ")}`
  }. <${Button} link onClick=${() => setQuery({ name: nextName(name) })}>Make it ${nextName(name)} instead<//>`;
}

/** How long the encoder learns, with what was measured. @param {{ iterations: number, rows: number }} props */
function Thoroughness({ iterations, rows }) {
  const epochs = Math.ceil(iterations / (rows <= 256 ? 7 : 4));
  const choices = /** @type {[number, string][]} */ ([[0, "Head only"], [20, "Default"]]);
  const words =
    iterations === 0
      ? "The encoder stays as it is, so some hundred rows take seconds. With 8 rows a label, six public sets reached 59 % so, and 67 % with the default."
      : `The encoder learns from your rows: num_iterations ${number(iterations)}, ${counted(epochs, "epoch")}. ${
          epochs > 6
            ? "Measured accuracy is level from 3 epochs to 6; more mostly costs time."
            : "With 8 rows a label, six public sets reached 67 % with the default, and 59 % with the head only. Where it gains nothing, the encoder is left as it is."
        }`;
  return html`<fieldset class="thoroughness">
    <legend>Thoroughness</legend>
    <div class="row">
      ${choices.map(([value, title]) => html`<label class="button"><input type="radio" name="thoroughness" checked=${iterations === value} onChange=${() => setQuery({ num_iterations: String(value) })} /> ${title}</label>`)}
      <label>num_iterations <input class="input iterations" type="number" min="0" max="1000" value=${iterations} onChange=${(event) => setQuery({ num_iterations: event.target.value || "20" })} /></label>
    </div>
    <p class="hint">${words}</p>
  </fieldset>`;
}

/** @param {{ id: string }} props */
function BaseModel({ id }) {
  const { value } = useReply("base_models", {}, { shown: false });
  const here = value?.base_models ?? [];
  const ids = [...new Set([id, ...here.map((/** @type {Json} */ each) => each.id), ...Object.keys(BASE_MODELS)])];
  const used = here.find((/** @type {Json} */ each) => each.id === id);
  const [other, setOther] = useState(false);
  const hint = used?.problem ?? [BASE_MODELS[id], used ? `It is on this machine (${size(used.size_bytes)}); ${counted(used.classifiers, "classifier uses", "classifiers use")} it.` : value && "It is not on this machine yet: its first use downloads it."].filter(Boolean).join(" ");
  return html`<${Field} label="Base model" hint=${hint}>
    ${(field) =>
      other
        ? html`<input id=${field} class="input" value=${id} placeholder="owner/name" onChange=${(event) => (setOther(false), setQuery({ base_model: event.target.value.trim() }))} />`
        : html`<select id=${field} onChange=${(event) => (event.target.value ? setQuery({ base_model: event.target.value }) : setOther(true))}>
            ${ids.map((each) => html`<option value=${each} selected=${each === id}>${each}</option>`)}
            <option value="">Another one …</option>
          </select>`}
  <//>`;
}

/** What a training takes, before it starts. @param {{ estimate: import("../load.js").Loaded<any> }} props */
function Cost({ estimate }) {
  const { value, busy } = estimate;
  if (!value) return html`<p class="muted cost" role="status">${busy ? "Estimating the time …" : ""}</p>`;
  const parts = [
    `${counted(value.num_examples, "row")} of ${counted(value.labels.length, "label")}`,
    value.extends && `${number(value.taken_over_rows)} taken over, ${number(value.replaced_rows)} replaced`,
  ];
  return html`<div class="cost" role="status">
    <p><b>About ${about(value.seconds)}</b>${value.wait_seconds >= 1 && `, after about ${about(value.wait_seconds)} in the queue`}
      <span class="muted"> · ${parts.filter(Boolean).join(" · ")} · ${size(value.memory_bytes)} of memory</span></p>
    <details><summary>Why so long</summary>
      <dl class="facts">${value.stages.map((/** @type {Json} */ stage) => html`<dt>${stage.stage} <b>${duration(stage.seconds)}</b></dt><dd>${stage.reason}</dd>`)}<dt>memory</dt><dd>${value.memory_reason}</dd></dl>
    </details>
  </div>`;
}

/** @param {number} seconds */
function about(seconds) {
  return duration(seconds < 1 ? seconds : seconds < 20 ? Math.round(seconds) : 5 * Math.round(seconds / 5)).replace(".0", "");
}
