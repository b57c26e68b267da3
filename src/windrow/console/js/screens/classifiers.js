/** The list of classifiers: grouped by task, searched, filtered, and several of them dealt with at once. */
import { ago, counted, date, interval, number, size } from "../format.js";
import { useAction, useAsync } from "../load.js";
import { Ago, AliasChip, Button, Chip, Empty, Header, Problem, Reply, Sheet } from "../parts/bits.js";
import { Accuracy } from "../parts/charts.js";
import { Search } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { say } from "../parts/overlays.js";
import { Table, TableSheet } from "../parts/table.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, listAll, refresh, useFresh, versionOf } from "../store.js";
import { html, useMemo, useRef, useState } from "../ui.js";
import { EXPORTED, ImportDialog, Purge, restore, useDelete, usePageDrop } from "./classifier_actions.js";

/** @typedef {import("../ui.js").View} View */
/** @typedef {import("../store.js").Model} Model */
/** @typedef {import("../store.js").Alias} Alias */

/**
 * @typedef {object} Row
 * @property {string} task The heading, where it is one.
 * @property {number} [count] Of its versions.
 * @property {Entry} [entry]
 */

/**
 * @typedef {object} Entry A classifier as it is searched and sorted.
 * @property {Model} model
 * @property {Alias[]} aliases
 * @property {string} task
 * @property {number | null} version
 * @property {string} text Everything that is searched, in lower case.
 */

const ROW_PX = 58;
/** @type {[string, string, (entry: Entry) => string | number][]} */
const SORTS = [
  ["name", "Name", (entry) => entry.model.name],
  ["accuracy", "Accuracy", ({ model }) => model.test_accuracy ?? model.estimated_accuracy ?? -1],
  ["rows", "Rows", (entry) => entry.model.num_examples],
  ["created", "Created", (entry) => entry.model.created_at],
  ["used", "Last used", (entry) => entry.model.last_used_at ?? ""],
  ["size", "Size", (entry) => entry.model.size_bytes],
];

/** The classifiers that answer, or the deleted ones. */
export function Classifiers() {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const over = usePageDrop((dropped) => {
    if (/\.(windrow|zip)$/i.test(dropped.name)) setFile(dropped);
    else say(`${dropped.name} is no exported classifier. Rows to train on are dropped on Train.`);
  });
  return html`${route.value.query.deleted ? html`<${Deleted} />` : html`<${Answering} onFile=${setFile} />`}
    ${over && html`<div class="over-page" aria-hidden="true">Drop an exported classifier to import it</div>`}
    ${file && html`<${ImportDialog} file=${file} key=${file.name} onClose=${() => setFile(null)} />`}`;
}

/** @param {{ onFile: (file: File) => void }} props */
function Answering({ onFile }) {
  useFresh("list_classifiers");
  const { models, aliases, complete, loaded, error } = classifiers.value;
  const { q = "", sort = "name", tag = "", unused = "" } = route.value.query;
  const entries = useMemo(() => asEntries(models, aliases), [models, aliases]);
  const found = useMemo(() => select(entries, q, tag, Boolean(unused)), [entries, q, tag, unused]);
  const rows = useMemo(() => arrange(found, sort), [found, sort]);
  const picks = usePicks(rows.flatMap((row) => row.entry?.model.name ?? []));
  if (error && !loaded) return html`<${Header} title="Classifiers" /><${Problem} error=${error} again=${refresh} />`;
  if (loaded && complete && !models.length) return html`<${Beginning} onFile=${onFile} />`;
  const filtered = q || tag || unused;
  const all = complete ? counted(models.length, "classifier") : `${number(models.length)} classifiers, more are on their way`;
  const note = html`<span role="status">${!loaded ? "Loading …" : filtered ? `${number(found.length)} of ${all}` : all}</span>`;
  return html`<${Header} title="Classifiers" note=${note}>
      <${Search} label="Search" placeholder="Names, labels, tags, aliases   /" />
      <${FileButton} onFile=${onFile} />
      <a class="button primary" href=${href(["train"])}>Train</a>
    <//>
    <${Problem} error=${error} again=${refresh} />
    <div class="filters">
      ${tag &&
      html`<span class="chip">tag <b><bdi>${tag}</bdi></b>
        <${Button} link label="Show all tags" onClick=${() => setQuery({ tag: "" })}>✕<//></span>`}
      <${Button} quiet pressed=${Boolean(unused)} onClick=${() => setQuery({ unused: unused ? "" : "30" })}>Unused for 30 days<//>
      <a class="button quiet" href=${href(["classifiers"], { deleted: 1 })}>Deleted ones</a>
      <label class="sort">Sort
        <select value=${sort} onChange=${(event) => setQuery({ sort: event.target.value === "name" ? "" : event.target.value })}>
          ${SORTS.map(([name, title]) => html`<option value=${name}>${title}</option><option value="-${name}">${title}, reversed</option>`)}
        </select>
      </label>
    </div>
    <${Chosen} picks=${picks} />
    <${Sheet} flush class="models">
      <${Table}
        label="Classifiers"
        rowPx=${ROW_PX}
        columns=${columns(picks)}
        rows=${rows}
        keyOf=${(row) => row.entry?.model.name ?? `${row.task} `}
        sort=${sort}
        onSort=${(next) => setQuery({ sort: next === "name" ? "" : next })}
        rowClass=${({ entry }) => `${entry && picks.names.has(entry.model.name) ? "picked" : ""} ${entry?.version === null ? "alone" : ""}`}
        headingOf=${(row) => !row.entry && html`<bdi>${row.task}</bdi> <span class="faint">${counted(row.count ?? 0, "version")}</span>`}
        empty=${html`<${Empty} title=${loaded ? "Nothing is like that" : "Loading …"}>
          ${loaded && html`<p>No classifier has that in its name, labels, tags, description or aliases.</p>
            <${Button} onClick=${() => setQuery({ q: "", tag: "", unused: "" })}>Show all<//>`}
        <//>`}
      />
    <//>`;
}

/**
 * Which classifiers are chosen; Shift chooses all from the last one to this one.
 * @param {string[]} shown In their order.
 */
function usePicks(shown) {
  const [names, setNames] = useState(/** @type {Set<string>} */ (new Set()));
  const last = useRef("");
  const all = shown.length > 0 && shown.every((name) => names.has(name));
  /** @param {string} name @param {boolean} range */
  function toggle(name, range) {
    const [from, to] = [shown.indexOf(last.current), shown.indexOf(name)].sort((one, other) => one - other);
    const touched = range && from !== undefined && from >= 0 && to !== undefined ? shown.slice(from, to + 1) : [name];
    const next = new Set(names);
    const on = !names.has(name);
    for (const each of touched) on ? next.add(each) : next.delete(each);
    last.current = name;
    setNames(next);
  }
  const hidden = names.size && names.size - shown.filter((name) => names.has(name)).length;
  return { names, all, hidden, toggle, toggleAll: () => setNames(new Set(all ? [] : shown)), clear: () => setNames(new Set()) };
}

/** @param {{ picks: ReturnType<typeof usePicks> }} props */
function Chosen({ picks }) {
  const { run, busy, progress, dialog } = useDelete(picks.clear);
  const names = [...picks.names];
  const some = names.length > 0;
  const compare = () => go(["compare"], { models: names.join(",") });
  const evaluate = () => go(["judge"], { model: names[0] });
  useKeys([
    { key: "a", does: "Choose all that are shown", run: picks.toggleAll },
    ...(some ? [{ key: "Delete", does: "Delete the chosen ones", run: () => void run(names) }] : []),
    ...(names.length > 1 ? [{ key: "c", does: "Compare the chosen ones", run: compare }] : []),
    ...(names.length === 1 ? [{ key: "e", does: "Evaluate the chosen one", run: evaluate }] : []),
  ]);
  return html`${some &&
  html`<div class="chosen" role="region" aria-label="Chosen classifiers">
      <span role="status">${counted(names.length, "classifier")} chosen${picks.hidden > 0 && `, ${number(picks.hidden)} of them not shown`}</span>
      <span class="tools">
        <${Button} keyName="c" disabled=${names.length < 2} title=${names.length < 2 ? "Choose two or more" : "Evaluates them on the same test set"} onClick=${compare}>Compare<//>
        <${Button} keyName="e" disabled=${names.length > 1} title=${names.length > 1 ? "Compare evaluates several on the same rows" : undefined} onClick=${evaluate}>Evaluate<//>
        <${Button} danger keyName="Delete" busy=${busy} onClick=${() => run(names)}>${progress || "Delete"}<//>
        <${Button} quiet onClick=${picks.clear}>Choose none<//>
      </span>
    </div>`}
  ${dialog}`;
}

/** @param {ReturnType<typeof usePicks>} picks @returns {import("../parts/table.js").Column<Row>[]} */
function columns(picks) {
  /** @param {(entry: Entry) => View} draw @returns {(row: Row) => View} */
  const cell = (draw) => (row) => row.entry && draw(row.entry);
  return [
    { title: html`<input type="checkbox" aria-label="Choose all that are shown" checked=${picks.all} onChange=${picks.toggleAll} />`, cell: cell((each) => pick(each.model.name, picks)) },
    { name: "name", title: "Name", sortable: true, cell: cell(nameAndWords) },
    { title: "Labels, tags", minor: true, cell: cell(({ model }) => labelsAndTags(model)) },
    { name: "accuracy", title: "Accuracy", sortable: true, cell: cell(({ model }) => accuracy(model)) },
    { name: "rows", title: "Rows", sortable: true, number: true, minor: true, cell: cell(({ model }) => number(model.num_examples)) },
    { name: "size", title: "Size", sortable: true, minor: true, cell: cell(({ model }) => two(size(model.size_bytes), model.base_model.split("/").pop() ?? "", model.base_model)) },
    { name: "created", title: "Created", sortable: true, minor: true, cell: cell(({ model }) => two(ago(model.created_at), date(model.created_at).split(",")[0], date(model.created_at))) },
    { name: "used", title: "Last used", sortable: true, minor: true, cell: cell(({ model }) => used(model)) },
  ];
}

/** @param {string} name @param {ReturnType<typeof usePicks>} picks */
function pick(name, picks) {
  return html`<input
    type="checkbox"
    aria-label="Choose ${name}"
    checked=${picks.names.has(name)}
    onClick=${(event) => picks.toggle(name, event.shiftKey)}
  />`;
}

/** @param {View} first @param {View} second @param {string} [title] */
function two(first, second, title) {
  return html`<div class="line">${first}</div><div class="line faint" title=${title}>${second}</div>`;
}

/** @param {Entry} entry */
function nameAndWords({ model, aliases }) {
  const chips = aliases.map((each) => html`<${AliasChip} name=${each.alias} locked=${each.protected} /> `);
  const name = html`<a href=${href(["classifiers", model.name])} title=${model.name}><bdi>${model.name}</bdi></a>`;
  return two(name, html`${chips}<bdi>${model.description.slice(0, 200)}</bdi>`, model.description.slice(0, 500));
}

/** @param {Model} model */
function labelsAndTags(model) {
  const labels = model.labels.slice(0, 6).map((label) => label.slice(0, 60)).join(", ");
  const tags = model.tags.slice(0, 6).map((tag) => html`<button type="button" class="chip" title="Show only this tag" onClick=${() => setQuery({ tag })}><bdi>${tag}</bdi></button> `);
  return html`<div class="line" title="${model.labels.length} labels: ${model.labels.slice(0, 40).join(", ")}"><bdi>${labels}</bdi>${model.labels.length > 6 && html` <span class="faint">and ${model.labels.length - 6} more</span>`}${model.kind === "multi_label" && html` <${Chip} title="It gives a text any number of labels">multi-label<//>`}</div>
    ${tags.length > 0 && html`<div class="line">${tags}</div>`}`;
}

/** @param {Model} model */
function accuracy(model) {
  const measured = model.test_accuracy !== null;
  const value = measured ? model.test_accuracy : model.estimated_accuracy;
  const range = measured ? model.test_interval : model.estimated_interval;
  const how = value == null ? "" : measured ? "measured" : "estimated";
  return two(html`<${Accuracy} value=${value} interval=${range} estimated=${!measured} />`, `${how}${range ? `, ${interval(range)}` : ""}`);
}

/** @param {Model} model */
function used(model) {
  const moment = html`<${Ago} at=${model.last_used_at} />`;
  return two(moment, model.recent_predictions ? html`${counted(model.recent_predictions, "text")} <span class="sr-only">in 30 days</span>` : "", "in 30 days");
}

/** @param {{ onFile: (file: File) => void }} props */
function FileButton({ onFile }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  return html`<input ref=${input} type="file" hidden accept=${EXPORTED} aria-label="Exported classifier"
      onChange=${(event) => {
        const [file] = event.target.files;
        event.target.value = "";
        if (file) onFile(file);
      }}
    /><${Button} onClick=${() => input.current?.click()} title="Or drop an exported classifier anywhere on this page">Import<//>`;
}

/** @param {{ onFile: (file: File) => void }} props */
function Beginning({ onFile }) {
  return html`<${Header} title="Classifiers" />
    <${Sheet}>
      <${Empty} title="Train the first classifier">
        <p>A classifier reads a text and says which of your labels it belongs to. Give it four to eight examples of each label, from a spreadsheet or pasted: no code is needed.</p>
        <p class="row">
          <a class="button primary" href=${href(["train"])}>Train on my rows</a>
          <a class="button" href=${href(["train"], { demo: 1 })}>Try it with sample tickets</a>
          <${FileButton} onFile=${onFile} />
        </p>
        <p class="faint">Import takes a classifier that another server exported; it can be dropped here, too. <a href=${href(["classifiers"], { deleted: 1 })}>Deleted ones</a> can be restored.</p>
      <//>
    <//>`;
}

/** The deleted classifiers, which can be restored until they are purged. */
function Deleted() {
  const reply = useAsync((signal) => listAll({ deleted: true }, { signal }), []);
  const [purged, setPurged] = useState(/** @type {string[] | null} */ (null));
  const models = reply.value ?? [];
  const picks = usePicks(models.map((each) => each.name));
  const names = [...picks.names];
  const { run, busy, error } = useAction(async () => {
    await restore(names).finally(reply.again);
    picks.clear();
  });
  return html`<${Header} title="Deleted classifiers" note="They answer no more, and can be restored until they are purged.">
      <a class="button" href=${href(["classifiers"])}>All classifiers</a>
      <${Button} primary busy=${busy} disabled=${!names.length} onClick=${() => run()}>Restore${names.length > 0 && ` ${names.length}`}<//>
      <${Button} danger disabled=${!names.length} onClick=${() => setPurged(names)}>Purge …<//>
    <//>
    <${Problem} error=${error} />
    <${Reply} of=${reply}>
      ${(found) =>
        html`<${TableSheet}
            label="Deleted classifiers"
            rows=${found}
            rowClass=${(each) => (picks.names.has(each.name) ? "picked" : "")}
            columns=${[
              { title: html`<input type="checkbox" aria-label="Choose all" checked=${picks.all} onChange=${picks.toggleAll} />`, cell: (each) => pick(each.name, picks) },
              { title: "Name", cell: (each) => html`<bdi>${each.name}</bdi>` },
              { title: "Labels", minor: true, cell: (each) => html`<bdi>${each.labels.slice(0, 6).join(", ").slice(0, 200)}</bdi>` },
              { title: "Deleted", cell: (each) => html`<${Ago} at=${each.deleted_at} />` },
              { title: "Size", number: true, minor: true, cell: (each) => size(each.size_bytes) },
            ]}
            empty=${html`<${Empty} title="Nothing is deleted"><p>What you delete comes here, so that it can be restored.</p><//>`}
          />`}
    <//>
    ${purged && html`<${Purge} names=${purged} onClose=${() => setPurged(null)} onDone=${() => (picks.clear(), reply.again())} />`}`;
}

/** @param {Model[]} models @param {Alias[]} aliases @returns {Entry[]} */
function asEntries(models, aliases) {
  const pointing = grouped(aliases, (each) => each.model_name);
  return models.map((model) => {
    const own = pointing.get(model.name) ?? [];
    const words = [model.name, model.kind.replace("_", "-"), model.description, model.base_model, ...model.labels, ...model.tags, ...own.map((each) => each.alias)];
    return { model, aliases: own, ...versionOf(model.name), text: words.join("\n").toLowerCase() };
  });
}

/**
 * Return the entries that have every word that is searched.
 * @param {Entry[]} entries
 * @param {string} search
 * @param {string} tag
 * @param {boolean} unused
 */
function select(entries, search, tag, unused) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(
    ({ model, text }) => (!unused || !model.recent_predictions) && (!tag || model.tags.includes(tag)) && words.every((word) => text.includes(word)),
  );
}

/**
 * Return the rows in their order: by name with a heading for each task, the highest version first; else as sorted.
 * @param {Entry[]} entries
 * @param {string} sort
 * @returns {Row[]}
 */
function arrange(entries, sort) {
  const reverse = sort.startsWith("-") ? -1 : 1;
  const [name = "name", , key] = SORTS.find(([each]) => each === sort.replace(/^-/, "")) ?? [];
  if (name !== "name" && key) {
    const keyed = entries.map((entry) => ({ entry, task: entry.task, value: key(entry) }));
    return keyed.sort((one, other) => reverse * (one.value < other.value ? -1 : one.value > other.value ? 1 : 0));
  }
  const tasks = grouped(entries, (each) => each.task);
  const sorted = [...tasks].sort(([one], [other]) => reverse * (one < other ? -1 : 1));
  return sorted.flatMap(([task, members]) => {
    const versions = members.sort((one, other) => (other.version ?? 0) - (one.version ?? 0)).map((entry) => ({ task, entry }));
    return members.some((each) => each.version !== null) ? [{ task, count: members.length }, ...versions] : versions;
  });
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @returns {Map<string, T[]>}
 */
function grouped(items, keyOf) {
  const groups = /** @type {Map<string, T[]>} */ (new Map());
  for (const item of items) {
    const group = groups.get(keyOf(item));
    group ? group.push(item) : groups.set(keyOf(item), [item]);
  }
  return groups;
}
