/** One classifier: what it is, how good it is, what to do next, its revisions, its whole record, and how programs ask it. */
import { ApiError, apiKey, call, prepare, SERVER } from "../api.js";
import { ago, counted, date, download, interval, number, percent, size } from "../format.js";
import { useAction, useAsync, useReply } from "../load.js";
import { Ago, AliasChip, Button, Chip, Copy, Empty, Field, Header, Notice, Problem, Reply, Sheet, Tabs, Text } from "../parts/bits.js";
import { Accuracy, Meter } from "../parts/charts.js";
import { asCurl, asPython } from "../parts/drawer.js";
import { Input, Select } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { TableSheet } from "../parts/table.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, hasAllRows, nextName, refresh, useClassifiers } from "../store.js";
import { html, submits, useState } from "../ui.js";
import { author, CopyDialog, ExportDialog, LabelThresholds, Purge, Reproduce, restore, useDelete } from "./classifier_actions.js";
import { Oddity } from "./train_data.js";
import { Choice, Estimate } from "./train_report.js";

/** @typedef {import("../ui.js").View} View */
/** @typedef {import("../api.js").Json} Model A reply of `show`. */

const REVISIONS_AT_ONCE = 12;
const EXAMPLE = "A text to classify";
const FORMATS = /** @type {[string, string][]} */ ([["", "As each file is"], ["csv", "CSV"], ["tsv", "TSV"], ["jsonl", "JSON Lines"], ["parquet", "Parquet"]]);

/** @param {{ name: string }} props A name, an alias, or a revision: `tickets_v2@1`. */
export function Classifier({ name }) {
  useClassifiers();
  const reply = useReply("show", { model_name: name });
  const { error } = reply;
  const again = () => (reply.again(), void refresh());
  if (error instanceof ApiError && error.problem.deleted_at) {
    return html`<${Gone} name=${name} at=${error.problem.deleted_at} again=${again} />`;
  }
  if (error instanceof ApiError && error.status === 404 && !reply.value) {
    return html`<${Header} title="There is no ${name}" /><${Problem} error=${error} />
      <p><a href=${href(["classifiers"], { q: name })}>Search for it among the classifiers</a></p>`;
  }
  if (!reply.value) return html`<${Header} title=${name} /><${Reply} of=${reply}>${() => null}<//>`;
  return html`<${Problem} error=${error} /><${Known} model=${reply.value} again=${again} />`;
}

/** @param {{ name: string, at: string, again: () => void }} props */
function Gone({ name, at, again }) {
  const { run, busy, error } = useAction(() => restore([name]).then(again));
  return html`<${Header} title=${name} />
    <${Sheet}><${Empty} title="It was deleted ${ago(at)}">
      <p>It answers no more. Until it is purged, it comes back as it was, with its aliases.</p>
      <p class="row"><${Button} primary busy=${busy} onClick=${() => run()}>Restore it<//><a class="button" href=${href(["classifiers"], { deleted: 1 })}>All deleted ones</a></p>
      <${Problem} error=${error} />
    <//><//>`;
}

/** @param {{ model: Model, again: () => void }} props */
function Known({ model, again }) {
  const { tab = "overview" } = route.value.query;
  const [dialog, setDialog] = useState("");
  const Dialog = DIALOGS[dialog];
  const remove = useDelete((names) => (names.length ? go(["classifiers"]) : again()));
  const reference = referenceOf(model);
  const ways = [
    { key: "t", does: "Try", to: href(["try"], { models: reference }) },
    { key: "j", does: "Judge", to: href(["judge"], { model: reference }) },
    { key: "c", does: "Correct", to: href(["correct"], { model: reference }) },
    { key: "p", does: "Promote", to: href(["aliases"], { promote: reference }) },
  ];
  useKeys(ways.map(({ to, ...each }) => ({ ...each, run: () => void (location.hash = to) })));
  return html`<${Header} title=${reference} note=${html`<${Summary} model=${model} />`}>
      ${ways.map((each) => html`<a class="button" href=${each.to} aria-keyshortcuts=${each.key}>${each.does} <kbd aria-hidden="true">${each.key}</kbd></a>`)}
    <//>
    <${Next} model=${model} again=${again} />
    ${remove.dialog}
    <div class="spread record-bar">
      <${Tabs} label="Parts of the record" open=${tab} onOpen=${(name) => setQuery({ tab: name === "overview" ? "" : name })}
        tabs=${[["overview", "Overview"], ["revisions", `Revisions (${model.revisions.length})`], ["record", "Record"], ["request", "Request"], ["files", "Files"]]} />
      <div class="tools">
        <${Button} quiet onClick=${() => setDialog("export")}>Export<//>
        <${Button} quiet onClick=${() => setDialog("copy")}>Copy<//>
        <${Button} quiet disabled=${!hasAllRows(model)} title=${hasAllRows(model) ? undefined : "Its training rows are not kept"} onClick=${() => setDialog("reproduce")}>Reproduce<//>
        ${model.answers && html`<${Button} quiet busy=${remove.busy} onClick=${() => remove.run([model.name])}>Delete<//>`}
      </div>
    </div>
    <${TABS[tab] ?? Overview} model=${model} again=${again} />
    ${Dialog && html`<${Dialog} model=${model} onClose=${() => setDialog("")} />`}`;
}

/** @type {Record<string, View>} */
const TABS = { revisions: Revisions, record: RecordTab, request: RequestTab, files: FilesTab };
/** @type {Record<string, View>} */
const DIALOGS = { export: ExportDialog, copy: CopyDialog, reproduce: Reproduce };

/** @param {Model} model */
function referenceOf(model) {
  return model.answers ? model.name : `${model.name}@${model.revision}`;
}

/** @param {{ model: Model }} props */
function Summary({ model }) {
  return html`<span class="chips">
    ${model.aliases.map((/** @type {string} */ name) => {
      const alias = classifiers.value.aliases.find((each) => each.alias === name);
      return html`<${AliasChip} name=${name} locked=${alias?.protected} />`;
    })}
    ${!model.answers && html`<${Chip} kind="bad">does not answer<//>`}
    ${model.kind === "multi_label" && html`<${Chip} title="It gives a text any number of labels">multi-label<//>`}
    ${model.source === "zero_shot" && html`<${Chip} kind="note" title="It has seen no labelled row: it answers from the names and descriptions of its labels alone">zero-shot<//>`}
    <span>Revision ${model.revision}, trained <${Ago} at=${model.created_at} /> from ${model.source === "zero_shot" ? "descriptions of its labels alone" : counted(model.num_examples, "row")}</span>
  </span>`;
}

/** The next best action. @param {{ model: Model, again: () => void }} props */
function Next({ model, again }) {
  const { name, test, revision } = model;
  const { complete } = classifiers.value;
  const bringBack = useAction(() => restore([`${name}@${revision}`]).then(() => (go(["classifiers", name]), again())));
  if (!model.answers) {
    return html`<${Notice} kind="warn"><div class="spread">
        <span>By the name <b>${name}</b> a later revision answers. This one answers by <code>${name}@${revision}</code>.</span>
        <span class="tools"><a class="button" href=${href(["compare"], { models: `${name}@${revision},${name}` })}>Compare the two</a>
          <${Button} primary busy=${bringBack.busy} onClick=${() => bringBack.run()}>Make this one answer<//></span>
      </div><${Problem} error=${bringBack.error} /><//>`;
  }
  const [says, action, address] = !test
    ? ["It is not measured yet. See how it does on rows that it has not learned from.", "Judge it", href(["judge"], { model: name })]
    : !model.aliases.length
      ? [`It read ${percent(test.accuracy)} of ${counted(test.total, "test row")} ${model.kind === "multi_label" && "exactly "}right. Let an alias point to it, so that programs need not know its version.`, "Promote it", href(["aliases"], { promote: name })]
      : model.kind === "multi_label"
        ? ["It is in use. Judge it on new rows from time to time, and train the next version with those that it got wrong.", "Judge it", href(["judge"], { model: name })]
        : ["It is in use. Correct what it reads wrong, and train the next version from that.", "Correct answers", href(["correct"], { model: name })];
  return html`<${Notice}><div class="spread record-next"><span>${says}</span>
    <span class="tools">
      ${hasAllRows(model) && html`<a class="button" href=${href(["train"], { extends: `${name}@${revision}` })}>Train ${complete ? nextName(name) : "the next version"}</a>`}
      <a class="button primary" href=${address}>${action}</a>
    </span></div><//>`;
}

/** @param {{ model: Model, again: () => void }} props */
function Overview({ model, again }) {
  return html`<div class="two record">
    <div>
      <${Quality} model=${model} />
      <${Estimate} record=${model} />
      <${Labels} model=${model} />
      <${Choice} record=${model} />
    </div>
    <div>
      <${About} model=${model} again=${again} />
      <${Threshold} model=${model} again=${again} />
      ${model.warnings.length > 0 &&
      html`<${Sheet} title=${model.source === "zero_shot" ? "Warnings" : "Warnings about its rows"}>
        ${model.warnings.map((each) => html`<${Oddity} key=${each.code} warning=${each} rows=${null} />`)}
      <//>`}
    </div>
  </div>`;
}

/** @param {{ model: Model }} props */
function Quality({ model }) {
  const { test } = model;
  const several = model.kind === "multi_label";
  return html`<${Sheet} title="How good it is" tools=${html`<a href=${href(["judge"], { model: referenceOf(model) })}>Row by row</a>`}>
    ${test
      ? html`<p><${Accuracy} value=${test.accuracy} interval=${model.test_interval} /></p>
          <p>Measured ${ago(test.measured_at)}: it read ${number(test.correct)} of ${counted(test.total, "test row")} ${several ? "exactly right: all of their labels, and no other one" : "right"}. On all texts like these, ${interval(model.test_interval)} are to be expected.
            <span class="faint"> ${several && `Micro F1 ${test.micro_f1.toFixed(2)}, `}${several ? "macro" : "Macro"} F1 ${test.macro_f1.toFixed(2)}, calibration error ${test.ece.toFixed(2)}.</span></p>`
      : html`<p class="muted">Not measured yet on rows that it has not seen.</p>`}
  <//>`;
}

/** @param {{ model: Model }} props */
function Labels({ model }) {
  const { test } = model;
  const most = Math.max(1, ...Object.values(/** @type {Record<string, number>} */ (model.rows_per_label)));
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Label", cell: (label) => html`<${Text} max=${60}>${label}<//>` },
    { title: "Training rows", cell: (label) => html`<${Meter} share=${model.rows_per_label[label] / most} text=${number(model.rows_per_label[label])} />` },
  ];
  if (Object.values(model.label_descriptions).some(Boolean)) {
    columns.splice(1, 0, { title: "What it means", cell: (label) => html`<${Text} max=${200}>${model.label_descriptions[label] ?? ""}<//>` });
  }
  if (test) {
    columns.push({ title: "Test rows read right", cell: (label) => (Object.hasOwn(test.rows_per_label, label) ? `${test.correct_per_label[label]} of ${test.rows_per_label[label]}` : html`<span class="faint">none</span>`) });
  }
  return html`<${TableSheet} title=${counted(model.labels.length, "label")} label="Labels" rows=${model.labels} keyOf=${(label) => label} columns=${columns} />`;
}

/** @param {{ model: Model, again: () => void }} props */
function About({ model, again }) {
  const [draft, setDraft] = useState(/** @type {{ description: string, tags: string } | null} */ (null));
  const { run, busy, error } = useAction(async () => {
    if (!draft) return;
    const tags = draft.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    await call("describe", { model_name: model.name, description: draft.description, tags });
    setDraft(null);
    say("Saved.");
    again();
  });
  const edit = () => setDraft({ description: model.description, tags: model.tags.join(", ") });
  return html`<${Sheet} title="About it" tools=${model.answers && !draft && html`<${Button} quiet onClick=${edit}>Edit<//>`}>
    ${draft
      ? html`<form onSubmit=${submits(() => run())}>
          <${Input} label="Description" lines maxlength="2000" value=${draft.description} onInput=${(description) => setDraft({ ...draft, description })} />
          <${Input} label="Tags" hint="With commas between them, at most 20." value=${draft.tags} onInput=${(tags) => setDraft({ ...draft, tags })} />
          <${Problem} error=${error} />
          <p class="row"><${Button} type="submit" primary busy=${busy}>Save<//><${Button} onClick=${() => setDraft(null)}>Cancel<//></p>
        </form>`
      : html`<p>${model.description ? html`<${Text}>${model.description}<//>` : html`<span class="faint">No description yet.</span>`}</p>
          ${model.tags.length > 0 && html`<p class="chips">${model.tags.map((tag) => html`<a class="chip" href=${href(["classifiers"], { tag })}><bdi>${tag}</bdi></a>`)}</p>`}`}
    <dl class="facts">
      <dt>Kind</dt><dd>${model.kind === "multi_label" ? "Any number of labels a text" : "One label a text"} (<code>${model.kind}</code>)</dd>
      <dt>Learned from</dt><dd>${model.source === "zero_shot" ? "No row: names and descriptions of its labels alone" : "Labelled rows"} (<code>${model.source}</code>)</dd>
      <dt>Base model</dt><dd>${model.base_model}</dd>
      <dt>Trained</dt><dd>${date(model.created_at)}${model.key_name && html` with the key <bdi>${model.key_name}</bdi>`}</dd>
      ${model.extends && html`<dt>Extends</dt><dd><a href=${href(["classifiers", model.extends])}>${model.extends}</a>, with ${counted(model.taken_over_rows, "row")} of it</dd>`}
      ${model.origin && html`<dt>Comes from</dt><dd><bdi>${model.origin.name}@${model.origin.revision}</bdi>, ${ago(model.origin.imported_at)}</dd>`}
      <dt>Last used</dt><dd>${ago(model.last_used_at)}, ${counted(model.recent_predictions, "text")} in 30 days</dd>
      <dt>On the disk</dt><dd>${size(model.size_bytes)}, ${model.keeps_training_data ? (model.training_data_erased ? "with rows, of which some were erased" : "with its training rows") : model.source === "zero_shot" ? "without rows, since it learned from none" : "without its training rows"}</dd>
    </dl>
  <//>`;
}

/** @param {{ model: Model, again: () => void }} props */
function Threshold({ model, again }) {
  const several = model.kind === "multi_label";
  // Where labels alone have thresholds, that of them all is 0, and leaves nothing out.
  const present = several ? model.threshold?.abstain_below || null : model.threshold?.abstain_below;
  const [below, setBelow] = useState(String(present ?? ""));
  const [reason, setReason] = useState("");
  const { run, busy, error } = useAction(async (value) => {
    // `null` clears it, and has to be sent as such; the revision makes sure that it is still the one that is shown.
    // The thresholds of labels belong to the same whole, and stay as they are.
    const label_thresholds = model.threshold?.label_thresholds ?? null;
    const update = await call("set_threshold", { model_name: `${model.name}@${model.revision}`, abstain_below: value, label_thresholds, reason, author: author() });
    say(update.threshold?.abstain_below ? `${model.name} gives no label below ${update.threshold.abstain_below}.` : several ? `${model.name} gives each label that reaches its own threshold.` : `${model.name} always gives a label.`);
    setReason("");
    again();
  });
  const value = Number(below);
  const sound = below !== "" && value >= 0 && value <= 1;
  return html`<${Sheet} title="Threshold" tools=${html`<a href=${href(["judge"], { model: referenceOf(model) })}>Choose it by what it would do</a>`}>
    ${model.kind === "multi_label" && html`<p>It gives each label whose score reaches the label's own threshold.</p><${LabelThresholds} key=${JSON.stringify(model.threshold)} model=${model} again=${again} />`}
    <p>${present ? html`It gives no label where its best score is below <b>${present}</b>.` : model.kind === "single_label" && "It always gives a label, however low its score."}</p>
    ${model.answers &&
    html`<form class="threshold" onSubmit=${submits(() => sound && run(value))}>
      <label>No label below <input class="input" type="number" min="0" max="1" step="any" value=${below} onInput=${(event) => setBelow(event.target.value)} /></label>
      <label>because <input class="input" maxlength="500" value=${reason} placeholder="Reason" onInput=${(event) => setReason(event.target.value)} /></label>
      <${Button} type="submit" busy=${busy} disabled=${!sound || value === present}>Set<//>
      ${present != null && html`<${Button} quiet busy=${busy} onClick=${() => (setBelow(""), run(null))}>Clear<//>`}
    </form>`}
    <${Problem} error=${error} />
    ${model.threshold_changes.length > 0 &&
    html`<h3>Changes</h3><ol class="timeline">
      ${[...model.threshold_changes].reverse().slice(0, 20).map(
        (each) => html`<li>
          ${thresholdText(each.before)} → <b>${thresholdText(each.after)}</b> <span class="faint" title=${date(each.at)}>${ago(each.at)}${each.author && html` by <bdi>${each.author}</bdi>`}</span>
          ${each.reason && html`<div class="muted"><${Text}>${each.reason}<//></div>`}</li>`,
      )}
    </ol>`}
  <//>`;
}

/** @param {Record<string, any> | null} threshold */
function thresholdText(threshold) {
  if (!threshold) return "none";
  const labels = Object.entries(threshold.label_thresholds ?? {}).map(([label, value]) => `${label} ${value}`);
  return [...(threshold.abstain_below || !labels.length ? [threshold.abstain_below] : []), ...labels].join(", ");
}

/** @param {{ model: Model, again: () => void }} props */
function Revisions({ model, again }) {
  const [limit, setLimit] = useState(REVISIONS_AT_ONCE);
  const [purged, setPurged] = useState("");
  const [answer, setAnswer] = useState("");
  const numbers = [...model.revisions].reverse().slice(0, limit);
  const reply = useAsync(
    (signal) => Promise.all(numbers.map((each) => call("show", { model_name: `${model.name}@${each}` }, { signal, shown: false }))),
    [model.name, numbers.join(), model.revision],
  );
  const bringBack = () => restore([answer]).then(() => (again(), reply.again()));
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Revision", cell: (each) => html`<a href=${href(["classifiers", `${model.name}@${each.revision}`])}>${model.name}@${each.revision}</a> ${each.answers && html`<${Chip} kind="good">answers<//>`}` },
    { title: "Accuracy", cell: (each) => html`<${Accuracy} value=${each.test_accuracy ?? each.estimated_accuracy} interval=${each.test ? each.test_interval : each.estimated_interval} estimated=${!each.test} /> <span class="faint">${each.test ? "measured" : each.estimated_accuracy != null && "estimated"}</span>` },
    { title: "Rows", number: true, minor: true, cell: (each) => number(each.num_examples) },
    { title: "Labels", number: true, minor: true, cell: (each) => number(each.labels.length) },
    { title: "Trained", minor: true, cell: (each) => html`<${Ago} at=${each.created_at} />` },
    { title: "Size", number: true, minor: true, cell: (each) => size(each.size_bytes) },
    {
      hidden: "Actions",
      minor: true,
      cell: (each) => html`<span class="row">${!each.answers &&
      html`<a class="button quiet" href=${href(["compare"], { models: `${model.name}@${each.revision},${model.name}` })}>Compare</a>
        <${Button} onClick=${() => setAnswer(`${model.name}@${each.revision}`)}>Restore<//>
        <${Button} quiet onClick=${() => setPurged(`${model.name}@${each.revision}`)}>Purge …<//>`}</span>`,
    },
  ];
  return html`<p class="muted">Each training of the name is a revision. <code>${model.name}@${model.revisions[0]}</code> reaches one of them; the name alone means the one that answers.</p>
    <${Reply} of=${reply}>
      ${(found) => html`<${TableSheet} class="words" label="Revisions" rows=${found} keyOf="revision" columns=${columns} />`}
    <//>
    ${model.revisions.length > limit && html`<${Button} onClick=${() => setLimit(4 * limit)}>Show older ones<//>`}
    ${answer &&
    html`<${Confirm} title="Make ${answer} answer again" action="Restore" onClose=${() => setAnswer("")} onDo=${bringBack}>
      <p>By the name ${model.name}, and by aliases that point to the name, this revision answers from now on. The others stay.</p><//>`}
    ${purged && html`<${Purge} names=${[purged]} onClose=${() => setPurged("")} onDone=${again} />`}`;
}

/** @param {{ model: Model }} props */
function RecordTab({ model }) {
  const text = JSON.stringify(model, null, 2);
  const values = flatten(model, "");
  return html`<${TableSheet} title="Everything that is known about it" label="Record" rows=${values} keyOf=${([path]) => path} tools=${html`<${Copy} text=${text} label="Copy as JSON" />
      <${Button} onClick=${() => download(text, `${referenceOf(model)}.json`, "application/json")}>Download JSON<//>`}
      columns=${[
        { title: "Name", cell: ([path]) => html`<bdi class="mono text">${path}</bdi>` },
        { title: "Value", cell: ([, value = ""]) => html`<${Text}>${value}<//>` },
        { hidden: "Copy", number: true, cell: ([, value = ""]) => html`<${Copy} text=${value} />` },
      ]} />`;
}

/**
 * Return every value with its path; lists of plain values are one.
 * @param {unknown} value
 * @param {string} path
 * @returns {[string, string][]}
 */
function flatten(value, path) {
  const plain = !value || typeof value !== "object" || (Array.isArray(value) && value.every((each) => typeof each !== "object"));
  if (plain) return [[path, Array.isArray(value) ? JSON.stringify(value) : String(value)]];
  return Object.entries(/** @type {object} */ (value)).flatMap(([name, each]) => flatten(each, path ? `${path}.${name}` : name));
}

/** @param {{ model: Model }} props */
function RequestTab({ model }) {
  const [tab, setTab] = useState("curl");
  const request = { ...prepare("predict", { model_name: referenceOf(model), text: EXAMPLE }), status: 0, reply: null, ms: 0 };
  const withKey = Boolean(apiKey());
  const shown = tab === "curl" ? asCurl(request, withKey) : asPython(request, SERVER, withKey);
  return html`<${Sheet} title="How a program asks it" tools=${html`<${Copy} text=${shown} />`}>
    <p class="muted">A program that asks by an alias follows what you promote. The reply has ${model.kind === "multi_label" ? "the labels" : "the label"}, each label's score, and how like the training data the text is.</p>
    <${Tabs} label="Form of the request" tabs=${[["curl", "curl"], ["python", "Python"]]} open=${tab} onOpen=${setTab} />
    <pre class="code" tabindex="0"><code>${shown}</code></pre>
  <//>`;
}

/** A form that starts a prediction of files by a classifier. @param {{ model: Model }} props */
function FilesTab({ model }) {
  const { input: from = "", output: to = "" } = route.value.query;
  const [input, setInput] = useState(from);
  const [output, setOutput] = useState(to);
  const [column, setColumn] = useState("");
  const [format, setFormat] = useState("");
  const { run, busy, error } = useAction(async () => {
    const fields = { model_name: referenceOf(model), input, output, output_format: format || null };
    const job = await call("start_predict_files", column.trim() ? { ...fields, text_column: [column.trim()] } : fields);
    go(["train", job.id]);
  });
  return html`<${Sheet} title="Classify files on the server">
    <p class="muted">The server reads files that lie where it is, and writes each row with its label to a folder. It may touch the places alone that its setting <code>WINDROW_FILE_ROOTS</code> names.</p>
    <form onSubmit=${submits(() => run())}>
      <${Input} label="Read" hint="A file, a folder or a pattern: its whole path, or its address in an object store." placeholder="/srv/mails/*.csv" required value=${input} onInput=${setInput} />
      <${Input} label="Write to" hint="A folder; each shard of rows becomes a file in it. What an equal job has done there stays." placeholder="/srv/labelled" required value=${output} onInput=${setOutput} />
      <${Input} label="Text column" hint="If its name does not say so; several with commas between them are joined." value=${column} onInput=${setColumn} />
      <${Field} label="Format of the output">${(/** @type {string} */ id) => html`<${Select} id=${id} value=${format} options=${FORMATS} onChange=${setFormat} />`}<//>
      <${Problem} error=${error} />
      <p class="row"><${Button} type="submit" primary busy=${busy}>Start<//></p>
    </form>
  <//>`;
}
