/** What is done to classifiers, from the list and from a record: delete and undo, purge, copy, export, import, train again. */
import { ApiError, call, isRefused } from "../api.js";
import { counted, download, duration, figure, score } from "../format.js";
import { useAction } from "../load.js";
import { Button, Notice, Problem, Scroll } from "../parts/bits.js";
import { Check, Input, Select } from "../parts/fields.js";
import { Confirm, Dialog, say } from "../parts/overlays.js";
import { Table } from "../parts/table.js";
import { go } from "../router.js";
import { nextName, refresh } from "../store.js";
import { html, submits, useEffect, useRef, useState } from "../ui.js";

/** @typedef {import("../ui.js").View} View */

/** What exported classifiers are called; `.zip`, which they are, is read, too. */
export const EXPORTED = ".windrow,.zip";
/** How the name of an export ends, by what it is for. */
const ENDINGS = /** @type {Record<string, string>} */ ({ windrow: ".windrow", onnx: ".onnx.zip" });
/** @type {[string, string][]} What exports are for. */
const FORMS = [["windrow", "Windrow"], ["onnx", "other programs (ONNX)"]];
const AT_ONCE = 4;
const NAMED = 3;

/**
 * Do something to classifiers, a few at once, until one fails.
 * @param {string[]} names
 * @param {(name: string) => Promise<any>} work
 * @param {(done: number) => void} [onStep]
 */
async function toEach(names, work, onStep) {
  const rest = [...names];
  const done = /** @type {Set<string>} */ (new Set());
  let failure = /** @type {unknown} */ (null);
  async function worker() {
    for (let name = rest.shift(); name !== undefined && !failure; name = rest.shift()) {
      try {
        await work(name);
        done.add(name);
        onStep?.(done.size);
      } catch (error) {
        failure ??= error;
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { done: names.filter((name) => done.has(name)), failure };
}

const AUTHOR = "windrow.author";

/** Return who makes changes here, as they said last. */
export function author() {
  return localStorage.getItem(AUTHOR) ?? "";
}

/** @param {string} name */
export function keepAuthor(name) {
  localStorage.setItem(AUTHOR, name);
}

/** @param {string[]} names */
function phrase(names) {
  return names.length <= NAMED ? names.join(", ") : counted(names.length, "classifier");
}

/** Bring deleted classifiers back. @param {string[]} names */
export async function restore(names) {
  const { done, failure } = await toEach(names, (name) => call("restore", { model_name: name }));
  await refresh();
  if (done.length) say(`${phrase(done)} restored.`, null, done);
  if (failure) throw failure;
}

/**
 * Deleting that can be undone: at once, or after a question where an alias would answer no more.
 * @param {(deleted: string[]) => void} onDone
 */
export function useDelete(onDone) {
  const [asked, setAsked] = useState(/** @type {{ names: string[], aliases: string[] } | null} */ (null));
  const [progress, setProgress] = useState("");
  const { run, busy, error } = useAction(remove);
  /** @param {string[]} names @param {boolean} [force] */
  async function remove(names, force) {
    const fields = force ? { force } : {};
    const { done, failure } = await toEach(
      names,
      (name) => call("delete", { model_name: name, ...fields }),
      (count) => setProgress(names.length > NAMED ? `Deleted ${count} of ${names.length}` : ""),
    );
    setProgress("");
    await refresh();
    if (done.length) {
      onDone(done);
      say(`${phrase(done)} deleted.`, () => restore(done).then(() => onDone([]), (problem) => say(problem.message)), done);
    }
    const refused = isRefused(failure, "classifier_in_use") && !force;
    if (refused) setAsked({ names: names.filter((name) => !done.includes(name)), aliases: failure.problem.aliases ?? [] });
    else if (failure) throw failure;
  }
  const dialog = html`<${Problem} error=${error} />${asked &&
  html`<${Confirm} title="An alias points to it" action="Delete all the same" danger onClose=${() => setAsked(null)} onDo=${() => remove(asked.names, true)}>
    <p>
      ${asked.aliases.length
        ? html`The ${asked.aliases.length === 1 ? "alias" : "aliases"} <b><bdi>${asked.aliases.join(", ")}</bdi></b> will answer no more`
        : "What points to it will answer no more"}
      when ${phrase(asked.names)} ${asked.names.length === 1 ? "is" : "are"} deleted. Promote another classifier first, if something still asks by it.
    </p>
    <p class="muted">You can undo it, or restore it from the deleted ones.</p>
  <//>`}`;
  return { run, busy, progress, dialog };
}

/**
 * Removing files for good, once the name was typed.
 * @param {{ names: string[], onClose: () => void, onDone: () => void }} props
 */
export function Purge({ names, onClose, onDone }) {
  const [typed, setTyped] = useState("");
  const wanted = names.length === 1 ? (names[0] ?? "") : `purge ${names.length}`;
  async function purge() {
    const { done, failure } = await toEach(names, (name) => call("delete", { model_name: name, purge: true }));
    await refresh();
    if (done.length) say(`${phrase(done)} purged.`, null, done);
    onDone();
    if (failure) throw failure;
  }
  return html`<${Confirm} title="Purge ${phrase(names)}" action="Purge" danger disabled=${typed.trim() !== wanted} onClose=${onClose} onDo=${purge}>
    <p>The files of ${names.length === 1 ? "this classifier" : counted(names.length, "classifier")} are removed for good, with all rows that are kept. Nothing brings them back.</p>
    <${Input} label=${html`Type <code><bdi>${wanted}</bdi></code> to confirm`} autofocus value=${typed} onInput=${setTyped} />
  <//>`;
}

/** @param {{ model: Record<string, any>, onClose: () => void }} props */
export function CopyDialog({ model, onClose }) {
  const name = model.answers ? model.name : `${model.name}@${model.revision}`;
  const [newName, setNewName] = useState(nextName(model.name));
  const [overwrite, setOverwrite] = useState(false);
  async function copy() {
    const copied = await call("copy", { model_name: name, new_name: newName.trim(), overwrite: overwrite || undefined });
    await refresh();
    say(`${name} copied to ${copied.name}.`);
    go(["classifiers", copied.name]);
  }
  return html`<${Confirm} title=${html`Copy <bdi>${name}</bdi>`} action="Copy" disabled=${!newName.trim()} onClose=${onClose} onDo=${copy}>
    <p>The copy has the same weights, rows and measurements, and is a classifier of its own.</p>
    <${Input} label="Name of the copy" autofocus value=${newName} onInput=${setNewName} />
    <${Check} checked=${overwrite} onChange=${setOverwrite}>If the name exists, make the copy its next revision<//>
  <//>`;
}

/** @param {{ model: Record<string, any>, onClose: () => void }} props */
export function ExportDialog({ model, onClose }) {
  const [rows, setRows] = useState(false);
  const [to, setTo] = useState("windrow");
  const forWindrow = to === "windrow";
  async function save() {
    const name = model.answers ? model.name : `${model.name}@${model.revision}`;
    const fields = { model_name: name, include_training_data: (forWindrow && rows) || undefined, to: forWindrow ? undefined : to };
    download(await call("export", fields, { blob: true }), `${name.replace("@", "-")}${ENDINGS[to]}`);
  }
  return html`<${Confirm} title=${html`Export <bdi>${model.name}</bdi>`} action="Export" onClose=${onClose} onDo=${save}>
    <p><label>For <${Select} value=${to} options=${FORMS} onChange=${setTo} /></label></p>
    <p>${forWindrow
      ? "You get one file, which any Windrow imports: drop it on its list of classifiers. Without the training rows it holds none of your texts."
      : "You get a zip with one graph from text to scores, and a program of few lines that answers without Windrow. It includes the base model, whose licence its page names, and none of your texts."}</p>
    ${!forWindrow ? null : model.keeps_training_data
      ? html`<${Check} checked=${rows} onChange=${setRows}>With its ${counted(model.num_examples, "training row")}, so that it can be extended and trained again elsewhere<//>`
      : html`<p class="muted">${model.source === "zero_shot" ? "It learned from no row" : "Its training rows are not kept"}, so none can go along.</p>`}
  <//>`;
}

/**
 * An import: at once where nothing is in its way, else with the question what it should be called.
 * @param {{ file: File, onClose: () => void }} props
 */
export function ImportDialog({ file, onClose }) {
  const [name, setName] = useState("");
  const [overwrite, setOverwrite] = useState(false);
  const [done, setDone] = useState(/** @type {Record<string, any> | null} */ (null));
  const { run, busy, error } = useAction(async () => {
    const fields = { model_name: name.trim() || undefined, overwrite: overwrite || undefined };
    const imported = await call("import_classifier", fields, { file });
    await refresh();
    if (imported.import_warnings.length) return setDone(imported);
    say(`${imported.name} imported.`);
    go(["classifiers", imported.name]);
    return onClose();
  });
  useEffect(() => void run(), []);
  const taken = isRefused(error, "classifier_exists", "name_taken");
  useEffect(() => {
    if (taken && !name) setName(nextName(/** @type {ApiError} */ (error).problem.model_name ?? file.name.replace(/\.\w+$/, "")));
  }, [taken]);
  if (done) {
    return html`<${Dialog} title=${html`<bdi>${done.name}</bdi> is imported`} onClose=${onClose}>
      ${done.import_warnings.map((/** @type {Record<string, any>} */ each) => html`<${Notice} kind="warn"><bdi>${each.message}</bdi><//>`)}
      <div class="dialog-foot"><a class="button primary" href="#/classifiers/${encodeURIComponent(done.name)}">See it</a></div>
    <//>`;
  }
  return html`<${Dialog} title=${html`Import <bdi>${file.name}</bdi>`} onClose=${onClose}>
    <form onSubmit=${submits(() => run())}>
      ${busy && html`<p role="status" class="muted">Every digest is checked before anything is written …</p>`}
      <${Problem} error=${error} />
      ${taken &&
      html`<${Input} label="Name here" value=${name} onInput=${setName} />
        <${Check} checked=${overwrite} onChange=${setOverwrite}>Make it the next revision of the classifier of that name<//>`}
      <div class="dialog-foot">
        <${Button} onClick=${onClose}>${taken || busy ? "Cancel" : "Close"}<//>
        ${taken && html`<${Button} type="submit" primary busy=${busy} disabled=${!name.trim()}>Import<//>`}
      </div>
    </form>
  <//>`;
}

/**
 * From which score on each label is given, with a form that sets the labels that are to differ from the training.
 * @param {{ model: Record<string, any>, proposed?: Record<string, any>[], says?: string, again: () => void }} props
 *   `proposed` are those that test rows speak for, and `says` why they should be set.
 */
export function LabelThresholds({ model, proposed, says = "", again }) {
  const present = /** @type {Record<string, number>} */ (model.threshold?.label_thresholds ?? {});
  const [typed, setTyped] = useState(new Map(Object.entries(present).map(([label, value]) => [label, String(value)])));
  const [reason, setReason] = useState("");
  const { run, busy, error } = useAction(async (/** @type {Map<string, string>} */ wanted) => {
    const chosen = [...wanted].filter(([, value]) => value !== "").map(([label, value]) => [label, Number(value)]);
    const label_thresholds = chosen.length ? Object.fromEntries(chosen) : null;
    // `null` clears; what else belongs to the threshold stays. The revision makes sure that it is still the one shown.
    const abstain_below = model.threshold?.abstain_below || null;
    await call("set_threshold", { model_name: `${model.name}@${model.revision}`, abstain_below, label_thresholds, reason, author: author() });
    say(chosen.length ? `${model.name} gives ${counted(chosen.length, "label")} by the thresholds that you set.` : `${model.name} gives each label by the threshold of its training.`);
    setTyped(wanted);
    setReason("");
    again();
  });
  /** @param {string} value */
  const isSound = (value) => value === "" || (Number(value) > 0 && Number(value) < 1);
  const sound = [...typed.values()].every(isSound);
  function fill() {
    setTyped(new Map([...typed, ...(proposed ?? []).map((each) => /** @type {[string, string]} */ ([each.label, String(each.threshold)]))]));
    setReason(says);
  }
  const found = new Map((proposed ?? []).map((each) => [each.label, each]));
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Label", cell: (label) => html`<span class="name"><bdi>${label}</bdi></span>` },
    { title: "Given from", number: true, cell: (label) => score(/** @type {number} */ (Object.hasOwn(present, label) ? present[label] : model.label_thresholds[label])) },
    ...(proposed ? [{ title: "Proposed", cell: (/** @type {string} */ label) => proposal(found.get(label)) }] : []),
    ...(model.answers ? [{ title: "Set to", cell: (/** @type {string} */ label) => html`<input class="input" type="number" min="0" max="1" step="any" aria-label="Threshold of ${label}" aria-invalid=${String(!isSound(typed.get(label) ?? ""))} placeholder="as trained" value=${typed.get(label) ?? ""} onInput=${(event) => setTyped(new Map([...typed, [label, event.target.value]]))} />` }] : []),
  ];
  return html`<form class="threshold-of-labels" onSubmit=${submits(() => sound && run(typed))}>
    <${Scroll} label="Thresholds"><${Table} label="Threshold of each label" columns=${columns} rows=${model.labels} keyOf=${(/** @type {string} */ label) => label} /><//>
    ${model.answers
      ? html`<${Input} label="Reason" maxlength="500" value=${reason} onInput=${setReason} hint="It stands in the classifier's record. Lower a threshold where you would rather have a label too often than miss it." />
          <p class="row"><${Button} type="submit" busy=${busy} disabled=${!sound}>Set the thresholds<//>
            ${proposed && proposed.length > 0 && html`<${Button} onClick=${fill}>Fill in the proposed ones<//>`}
            ${Object.keys(present).length > 0 && html`<${Button} quiet busy=${busy} onClick=${() => run(new Map())}>As trained<//>`}</p>`
      : html`<p class="muted">Another revision answers by now, so the thresholds of this one cannot be changed.</p>`}
    <${Problem} error=${error} />
  </form>`;
}

/** @param {Record<string, any> | undefined} found */
function proposal(found) {
  if (!found) return html`<span class="faint">none</span>`;
  return html`${score(found.threshold)} <span class="faint">precision ${figure(found.precision)}, recall ${figure(found.recall)}</span>`;
}

/**
 * Training again from the kept rows, to see whether the same comes out; closing it ends the training.
 * @param {{ model: Record<string, any>, onClose: () => void }} props
 */
export function Reproduce({ model, onClose }) {
  const [result, setResult] = useState(/** @type {Record<string, any> | null} */ (null));
  const [seconds, setSeconds] = useState(0);
  const abort = useRef(new AbortController());
  const { run, busy, error } = useAction(async () => {
    const began = Date.now();
    const timer = setInterval(() => setSeconds((Date.now() - began) / 1000), 500);
    try {
      const fields = { model_name: `${model.name}@${model.revision}` };
      setResult(await call("reproduce", fields, { signal: abort.current.signal }));
    } finally {
      clearInterval(timer);
    }
  });
  useEffect(() => () => abort.current.abort(), []);
  const took = model.training_time_seconds;
  return html`<${Dialog} title=${html`Reproduce <bdi>${model.name}</bdi>`} onClose=${onClose}>
    ${result
      ? html`<${Reproduced} result=${result} />`
      : html`<p>It is trained again from its kept rows and its record, compared with what is saved, and thrown away. The first training took ${duration(took)}.</p>`}
    ${busy &&
    html`<progress value=${seconds < took ? seconds : undefined} max=${took} aria-label="Training again"></progress>
      <p class="muted" role="status">Training again${seconds >= 1 && html`<span aria-hidden="true"> for ${duration(seconds)}</span>`} …</p>`}
    <${Problem} error=${error} />
    <div class="dialog-foot">
      <${Button} onClick=${onClose}>${busy ? "Cancel" : "Close"}<//>
      ${!result && html`<${Button} primary busy=${busy} onClick=${() => run()}>Train again<//>`}
    </div>
  <//>`;
}

const VERDICTS = /** @type {Record<string, string>} */ ({
  "identical weights": "The same came out, bit for bit",
  "identical predictions": "The weights differ, and all answers are the same",
  different: "Something else came out",
});

/** @param {{ result: Record<string, any> }} props */
function Reproduced({ result }) {
  const same = result.verdict !== "different";
  return html`<${Notice} kind=${same ? "good" : "bad"} role="status">
      <b>${VERDICTS[result.verdict]}.</b> Of ${counted(result.num_texts, "training text")}, ${result.num_changed_labels || "none"}
      ${" "}${result.num_changed_labels === 1 ? "gets" : "get"} another label; scores differ by ${result.largest_score_difference.toPrecision(2)} at most.
      It took ${duration(result.training_time_seconds)}.
    <//>
    ${result.notes.map((/** @type {string} */ note) => html`<p><bdi>${note}</bdi></p>`)}
    ${result.changes.length > 0 &&
    html`<h3>Different since then</h3>
      <dl class="facts">
        ${result.changes.map(
          (/** @type {Record<string, string>} */ each) => html`<dt>${each.name}</dt><dd>${each.then ?? "not recorded"} → ${each.now ?? "not there"}</dd>`,
        )}
      </dl>`}`;
}

/**
 * Take a file that is dropped anywhere on the page.
 * @param {(file: File) => void} onFile
 * @returns {boolean} Whether one is held over the page.
 */
export function usePageDrop(onFile) {
  const [over, setOver] = useState(false);
  const latest = useRef(onFile);
  latest.current = onFile;
  useEffect(() => {
    const abort = new AbortController();
    /** @param {(event: DragEvent) => void} act @returns {(event: DragEvent) => void} */
    const withFile = (act) => (event) => {
      if (!event.dataTransfer?.types.includes("Files") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      act(event);
    };
    addEventListener("dragover", withFile(() => setOver(true)), abort);
    addEventListener("dragleave", (event) => event.relatedTarget || setOver(false), abort);
    const drop = withFile((event) => {
      setOver(false);
      const [file] = event.dataTransfer?.files ?? [];
      if (file) latest.current(file);
    });
    addEventListener("drop", drop, abort);
    return () => abort.abort();
  }, []);
  return over;
}
