/** Disk: what takes the room, what can be freed, and whether everything on it is sound. */
import { call, isRefused } from "../api.js";
import { counted, number, size } from "../format.js";
import { useAction, useReply } from "../load.js";
import { Button, Chip, Empty, Header, Name, Notice, Problem, Reply, Sheet } from "../parts/bits.js";
import { Meter } from "../parts/charts.js";
import { Search } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { TableSheet } from "../parts/table.js";
import { href, route, setQuery } from "../router.js";
import { refresh } from "../store.js";
import { html, useState } from "../ui.js";
import { Purge, restore } from "./classifier_actions.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../parts/table.js").Columns} Columns */

const MAX_FINDINGS = 500;
/** What each kind of finding means, in the order in which they matter. */
const SEVERITIES = [
  { name: "damage", title: "Damaged", kind: "bad", means: "saved data has changed or cannot be read; bring it back from a backup" },
  { name: "garbage", title: "In the way", kind: "note", means: "files that nothing reads; a repair removes them" },
  { name: "notice", title: "Worth knowing", kind: "", means: "nothing is wrong with it" },
];
const LOCATIONS = /** @type {Record<string, string>} */ ({ installed: "installed with Windrow", data_directory: "in the data directory", hub_cache: "in the Hugging Face cache, which other programs share" });

/** What the data directory holds, in bytes. */
export function Disk() {
  const usage = useReply("usage");
  const bases = useReply("base_models");
  const [purged, setPurged] = useState("");
  const [removed, setRemoved] = useState(/** @type {Json | null} */ (null));
  function again() {
    usage.again();
    bases.again();
    refresh();
  }
  return html`<${Header} title="Disk" note="What the data directory and the base models take." />
    <${Reply} of=${usage}>${(value) => html`<${Summary} usage=${value} /><${Classifiers} usage=${value} onPurge=${setPurged} onRestore=${(name) => restore([name]).then(usage.again)} />`}<//>
    <${Reply} of=${bases}>${(value) => html`<${BaseModels} bases=${value.base_models} onRemove=${setRemoved} />`}<//>
    <${Soundness} onRepaired=${again} />
    ${purged && html`<${Purge} names=${[purged]} onClose=${() => setPurged("")} onDone=${again} />`}
    ${removed && html`<${RemoveBase} base=${removed} onClose=${() => setRemoved(null)} onDone=${again} />`}`;
}

/** @param {{ usage: Json }} props */
function Summary({ usage }) {
  const isLimited = usage.free_bytes !== null; // an object store does not tell how much room it has
  const low = isLimited && usage.free_bytes < 2 * usage.min_free_bytes;
  const parts = [
    ["Classifiers", usage.classifier_bytes],
    ["Deleted classifiers", usage.deleted_bytes],
    ["Base models and their graphs, which all share", usage.shared_bytes],
    ["Aliases, keys, audit trail and the like", usage.other_bytes],
  ];
  return html`<${Sheet}>
    ${isLimited
      ? html`<p><b>${size(usage.total_bytes)} in all; ${size(usage.free_bytes)} free.</b> Trainings and imports are refused when less than ${size(usage.min_free_bytes)} is free.</p>`
      : html`<p><b>${size(usage.total_bytes)} in all.</b> The data directory is in an object store, which does not tell what is free.</p>`}
    ${low && html`<${Notice} kind="warn">The disk is nearly full. ${usage.deleted_bytes > 0 ? "Purge deleted classifiers to free room." : "Delete and purge what is not used, or give the server a larger disk."}<//>`}
    <dl class="facts">${parts.map(([name, bytes]) => html`<dt>${name}</dt><dd><${Meter} share=${bytes / Math.max(1, usage.total_bytes)} text=${size(bytes)} /></dd>`)}</dl>
  <//>`;
}

/** @param {{ usage: Json, onPurge: (name: string) => void, onRestore: (name: string) => void }} props */
function Classifiers({ usage, onPurge, onRestore }) {
  const { sort = "-size", q = "" } = route.value.query;
  const field = sort.replace("-", "") === "name" ? "name" : sort.endsWith("revisions") ? "revisions" : "size_bytes";
  const sign = sort.startsWith("-") ? -1 : 1;
  const rows = usage.classifiers
    .filter((/** @type {Json} */ each) => each.name.toLowerCase().includes(q.toLowerCase()))
    .sort((/** @type {Json} */ one, /** @type {Json} */ other) => sign * (one[field] < other[field] ? -1 : one[field] > other[field] ? 1 : 0));
  const most = Math.max(1, ...usage.classifiers.map((/** @type {Json} */ each) => each.size_bytes));
  /** @type {Columns} */
  const columns = [
    { name: "name", title: "Classifier", sortable: true, cell: (each) => (each.deleted ? html`<bdi>${each.name}</bdi> <${Chip} kind="bad">deleted<//>` : html`<${Name} of=${each.name} />`) },
    { name: "size", title: "Size", sortable: true, cell: (each) => html`<${Meter} share=${each.size_bytes / most} text=${size(each.size_bytes)} />` },
    { name: "revisions", title: "Revisions", sortable: true, number: true, minor: true, cell: (each) => number(each.revisions) },
    {
      hidden: "Actions",
      number: true,
      cell: (each) =>
        each.deleted &&
        html`<${Button} link label="Restore ${each.name}" onClick=${() => onRestore(each.name)}>Restore<//> ·${" "}
          <${Button} link label="Purge ${each.name}" onClick=${() => onPurge(each.name)}>Purge<//>`,
    },
  ];
  const empty = usage.classifiers.length
    ? html`<p class="all-right">No name has “${q}” in it.</p>`
    : html`<${Empty} title="No classifier takes any room yet"><p><a href=${href(["train"])}>Train the first one</a>: it takes some kilobytes beside its base model.</p><//>`;
  return html`<${TableSheet} title="By classifier" tools=${html`<${Search} label="Search classifiers" placeholder="Search names" />`} columns=${columns} rows=${rows} label="Classifiers by size" sort=${sort} onSort=${(name) => setQuery({ sort: name })} empty=${empty} />`;
}

/** @param {{ bases: Json[], onRemove: (base: Json) => void }} props */
function BaseModels({ bases, onRemove }) {
  /** @type {Columns} */
  const columns = [
    {
      name: "id",
      title: "Base model",
      cell: (each) => html`<bdi>${each.id}</bdi> ${each.is_default && html`<${Chip} kind="note" title="A training that names none takes it">default<//>`}
        <div class="faint">${LOCATIONS[each.location] ?? each.location}</div>${each.problem && html`<div class="bad-ink"><bdi>${each.problem}</bdi></div>`}`,
    },
    { title: "Used by", cell: (each) => html`<span class="name">${each.classifiers ? counted(each.classifiers, "classifier") : "nothing"}</span>` },
    { title: "Files", number: true, cell: (each) => size(each.size_bytes) },
    { title: "Graphs", number: true, minor: true, cell: (each) => size(each.graph_bytes) },
    {
      hidden: "Actions",
      number: true,
      cell: (each) =>
        each.classifiers === 0 &&
        each.location !== "installed" && // which goes with Windrow
        html`<${Button} link label="Remove ${each.id}" onClick=${() => onRemove(each)}>Remove<//>`,
    },
  ];
  return html`<${TableSheet} title="Base models, shared by all classifiers" columns=${columns} rows=${bases} keyOf="id" label="Base models" empty=${html`<p class="all-right">There is no base model on this machine.</p>`} />`;
}

/** The question before a base model is removed. @param {{ base: Json, onClose: () => void, onDone: () => void }} props */
function RemoveBase({ base, onClose, onDone }) {
  async function remove() {
    const reply = await call("remove_base_model", { base_model: base.id });
    say(`${base.id} is gone; that freed ${size(reply.freed_bytes)}.`);
    onDone();
  }
  return html`<${Confirm} title=${`Remove ${base.id}?`} action="Remove it" danger onClose=${onClose} onDo=${remove}>
    <p>No classifier uses it. That frees ${size(base.size_bytes + base.graph_bytes)}; a training that names it downloads it again, if the server may.</p><//>`;
}

/** Whether every byte is as it was written. @param {{ onRepaired: () => void }} props */
function Soundness({ onRepaired }) {
  const [found, setFound] = useState(/** @type {Json | null} */ (null));
  const { run, busy, error } = useAction(async (repair) => {
    setFound(await call("fsck", { repair }));
    if (repair) onRepaired();
  });
  useKeys([{ key: "f", does: "Check the data directory", run: () => run(false) }]);
  const denied = isRefused(error, "insufficient_scope");
  const left = found?.findings.some((each) => each.severity === "garbage" && !each.repaired);
  return html`<${Sheet} title="Is everything sound?" tools=${html`${left && html`<${Button} busy=${busy} onClick=${() => run(true)}>Remove what is in the way<//>`}<${Button} busy=${busy} keyName="f" onClick=${() => run(false)}>Check the data directory<//>`}>
    ${denied ? html`<${Notice} role="status">The check is for API keys with the scope admin: it reads everything.<//>` : html`<${Problem} error=${error} />`}
    ${found ? html`<${Findings} found=${found} />` : html`<p class="muted">The check reads every byte and compares its digests. It changes nothing, and the server goes on meanwhile.</p>`}
  <//>`;
}

/** @param {{ found: Json }} props */
function Findings({ found }) {
  const read = `${counted(found.classifiers, "classifier")}, ${counted(found.records, "record")} and ${counted(found.blobs, "blob")} were read, ${size(found.size_bytes)} in all.`;
  return html`<${Notice} kind=${found.sound ? "good" : "bad"} role="status">
      <p><b>${found.sound ? (found.findings.length ? "Nothing is damaged." : "Everything is sound.") : "Something is damaged."}</b> ${read}</p>
    <//>
    ${SEVERITIES.map(({ name, title, kind, means }) => {
      const own = found.findings.filter((each) => each.severity === name);
      return (
        own.length > 0 &&
        html`<h3>${title}: ${number(own.length)} <span class="faint">(${means})</span></h3>
          <ul class="plain">
            ${own.slice(0, MAX_FINDINGS).map((each) => html`<li><${Chip} kind=${each.repaired ? "good" : kind}>${each.repaired ? "repaired" : each.code}<//> <bdi>${each.detail}</bdi> <code class="faint"><bdi>${each.path}</bdi></code></li>`)}
          </ul>`
      );
    })}`;
}
