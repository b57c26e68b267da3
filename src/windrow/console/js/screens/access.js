/** Keys: who may do what. Audit: who did what, and which requests were refused. */
import { apiKey, call, changeKey, giveKey, isRefused } from "../api.js";
import { ago, counted, date, number, size } from "../format.js";
import { useReply } from "../load.js";
import { Ago, Button, Chip, Copy, Empty, Header, Notice, Reply, Sheet } from "../parts/bits.js";
import { Check, Input } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, Dialog, say } from "../parts/overlays.js";
import { TableSheet } from "../parts/table.js";
import { go, href, route, setQuery } from "../router.js";
import { html, submits, useState } from "../ui.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../ui.js").View} View */
/** @typedef {import("../parts/table.js").Columns} Columns */

/** What each scope allows. None contains another one. */
const SCOPES = /** @type {Record<string, string>} */ ({
  predict: "Ask classifiers for labels.",
  read: "See classifiers, aliases, jobs and sizes; evaluate and compare without keeping anything.",
  rows: "See training rows that are kept: near rows, exports with their rows, rows of a gate.",
  train: "Train, evaluate and keep the score, set thresholds, describe, copy, import, delete and restore.",
  promote: "Point aliases elsewhere, roll them back, remove them.",
  admin: "Create and revoke keys, read the audit trail, purge, forget texts, check the disk.",
});
/** What each limit counts. */
const LIMITS = {
  requests_per_second: "requests a second",
  requests_per_day: "requests a day",
  texts_per_day: "texts a day",
  max_queued_fits: "trainings that wait",
  max_stored_bytes: "bytes on the disk",
  max_revisions: "revisions on the disk",
};

/** Every API key, and what it may do. */
export function Keys() {
  const list = useReply("list_keys");
  const [asked, setAsked] = useState(/** @type {{ what: "create" | "limit" | "revoke", key: any } | null} */ (null));
  const [created, setCreated] = useState(/** @type {Json | null} */ (null));
  const keys = list.value?.keys ?? [];
  const open = (/** @type {"create" | "limit" | "revoke"} */ what, key = {}) => setAsked({ what, key });
  const close = () => setAsked(null);
  useKeys([{ key: "n", does: "Create a key", run: () => list.value && open("create") }]);
  if (isDenied(list.error)) return html`<${Header} title="API keys" /><${Denied} error=${list.error} what="Keys are shown and created" />`;
  return html`<${Header} title="API keys" note="Who may do what on this server.">
      ${list.value && html`<${Button} primary keyName="n" onClick=${() => open("create")}>Create a key<//>`}
    <//>
    <${Reply} of=${list}>${() => (keys.length ? html`<${KeyTable} keys=${keys} onAsk=${open} />` : html`<${NoKeys} onCreate=${() => open("create")} />`)}<//>
    <${Sheet} title="What each scope allows"><dl class="facts">${Object.entries(SCOPES).map(([name, means]) => html`<dt><code>${name}</code></dt><dd>${means}</dd>`)}</dl><p class="hint">No scope contains another one: a key has each that it needs.</p><//>
    ${asked?.what === "create" && html`<${Create} isFirst=${!keys.length} onClose=${close} onCreated=${(reply) => (setCreated(reply), list.again())} />`}
    ${asked?.what === "limit" && html`<${Limit} entry=${asked.key} onClose=${close} onDone=${list.again} />`}
    ${asked?.what === "revoke" && html`<${Revoke} entry=${asked.key} onClose=${close} onDone=${list.again} />`}
    ${created && html`<${Created} created=${created} onClose=${() => setCreated(null)} />`}`;
}

/** @param {Error | null} error */
function isDenied(error) {
  return isRefused(error, "insufficient_scope");
}

/** @param {{ error: Error | null, what: string }} props */
function Denied({ error, what }) {
  return html`<${Empty} title="This is for keys with the scope admin">
    <p>${what} with an API key that has the scope <code>admin</code>. The one of this tab has other scopes; with them, the rest of the console works as before.</p>
    <p class="faint"><bdi>${error?.message}</bdi></p>
    <div class="row"><${Button} onClick=${changeKey}>Use another key<//></div>
  <//>`;
}

/** @param {{ onCreate: () => void }} props */
function NoKeys({ onCreate }) {
  return html`<${Empty} title="This server has no keys: whoever reaches it may do everything">
    <p>From the first key on, every request needs one, also those of programs that ask without one today. This tab takes the first key into use, so that you stay inside.</p>
    <div class="row"><${Button} primary onClick=${onCreate}>Create the first key<//></div>
  <//>`;
}

/** @param {Json} key */
function stateOf(key) {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= Date.now() ? "expired" : "active";
}

/** Whether this tab uses a key. @param {Json} key */
const isOwn = (key) => Boolean(apiKey()) && apiKey().startsWith(key.hint.replace(/[.…*]+$/, ""));

/** @param {{ keys: Json[], onAsk: (what: "limit" | "revoke", key: Json) => void }} props */
function KeyTable({ keys, onAsk }) {
  const { old } = route.value.query;
  const active = keys.filter((each) => stateOf(each) === "active");
  /** @type {Columns} */
  const columns = [
    {
      name: "name",
      title: "Name",
      cell: (each) => html`<b><bdi>${each.name}</bdi></b> ${isOwn(each) && html`<${Chip} kind="good">this tab<//>`} ${stateOf(each) !== "active" && html`<${Chip} kind="bad">${stateOf(each)}<//>`}
        <div class="faint">${each.hint}…</div>`,
    },
    { title: "May", cell: (each) => html`<span class="chips">${each.scopes.map((/** @type {string} */ scope) => html`<${Chip} title=${SCOPES[scope]}>${scope}<//>`)}</span>` },
    { title: "Knows", cell: (each) => (each.only.length ? html`<bdi>${each.only.join(", ")}</bdi>` : html`<span class="faint">every name</span>`) },
    { title: "Created", minor: true, cell: (each) => html`<${Ago} at=${each.created_at} />${each.created_by && html` <span class="faint">by <bdi>${each.created_by}</bdi></span>`}` },
    { title: "Expires", minor: true, cell: (each) => (each.revoked_at ? `revoked ${ago(each.revoked_at)}` : each.expires_at ? html`<${Ago} at=${each.expires_at} />` : "never") },
    { title: "Limits", minor: true, cell: (each) => limitsOf(each) || html`<span class="faint">the server's</span>` },
    {
      hidden: "Actions",
      number: true,
      cell: (each) => html`<a href=${href(["audit"], { key: each.name })} aria-label="Audit of ${each.name}">Audit</a>${stateOf(each) === "active" &&
      html` · <${Button} link label="Limit ${each.name}" onClick=${() => onAsk("limit", each)}>Limit<//> · <${Button} link label="Revoke ${each.name}" onClick=${() => onAsk("revoke", each)}>Revoke<//>`}`,
    },
  ];
  const toggle = active.length < keys.length && html`<${Button} quiet pressed=${Boolean(old)} onClick=${() => setQuery({ old: old ? "" : "1" })}>Also those no longer valid (${number(keys.length - active.length)})<//>`;
  return html`<${TableSheet} title=${`${counted(active.length, "key")} valid`} tools=${toggle} class="keys-table" columns=${columns} rows=${old ? keys : active} label="API keys" empty=${html`<p class="all-right">No key is valid: only whoever has the data directory can create one, with windrow keys create.</p>`} />`;
}

/** @param {Json} key */
function limitsOf(key) {
  const shown = Object.entries(LIMITS).flatMap(([name, what]) => {
    const limit = key[name];
    if (limit == null) return [];
    if (limit === 0) return [`no limit of ${what}`];
    return [name === "max_stored_bytes" ? `${size(limit)} on the disk` : `${number(limit)} ${what}`];
  });
  return shown.join(", ");
}

/** @param {{ isFirst: boolean, onClose: () => void, onCreated: (reply: Json) => void }} props */
function Create({ isFirst, onClose, onCreated }) {
  const [name, setName] = useState(isFirst ? "admin" : "");
  const [scopes, setScopes] = useState(isFirst ? Object.keys(SCOPES) : ["predict", "read"]);
  const [only, setOnly] = useState("");
  const [days, setDays] = useState("");
  const [limits, setLimits] = useState(/** @type {Json} */ ({}));
  async function create() {
    const fields = { name, scopes, only: only.split(/[\s,]+/).filter(Boolean), expires_in_days: days ? Number(days) : null, ...limits };
    const reply = await call("create_key", fields);
    if (isFirst && !apiKey()) giveKey(reply.key); // before anything else is asked of the server, which is closed now
    onCreated(reply);
  }
  /** @param {string} scope */
  const toggle = (scope) => setScopes(scopes.includes(scope) ? scopes.filter((each) => each !== scope) : [...scopes, scope]);
  return html`<${Confirm} title=${isFirst ? "Create the first key" : "Create a key"} action="Create it" disabled=${!name || !scopes.length} onClose=${onClose} onDo=${create}>
    ${isFirst && html`<${Notice} kind="warn"><p><b>From now on, every request to this server needs a key</b>, also those of programs that ask without one today. This tab takes the new key into use; keep it where you keep passwords.</p><//>`}
    ${isFirst && !scopes.includes("admin") && html`<${Notice} kind="bad" role="alert">Without the scope admin, this key can create no other one: only <code>windrow keys create</code> on the server's machine can then.<//>`}
    <${Input} label="Name" required autofocus value=${name} onInput=${(text) => setName(text.trim())} hint="Of the program or the person that uses it; it stands in the audit trail." />
    <fieldset class="scopes"><legend>May</legend>
      ${Object.entries(SCOPES).map(([scope, means]) => html`<${Check} checked=${scopes.includes(scope)} onChange=${() => toggle(scope)}><code>${scope}</code> <span class="muted">${means}</span><//>`)}
    </fieldset>
    <${Input} label="Only these names" value=${only} onInput=${setOnly} hint="Classifiers and aliases, with * for any characters: tickets_* live. Empty for every name." />
    <${Input} label="Valid for, in days" type="number" min="1" max="36500" value=${days} onInput=${setDays} hint="Empty for as long as it is not revoked." />
    <details><summary>Limits</summary><${LimitFields} limits=${limits} onChange=${setLimits} /></details>
  <//>`;
}

/** @param {{ limits: Json, onChange: (limits: Json) => void }} props */
function LimitFields({ limits, onChange }) {
  return html`<p class="hint">Empty is what the server's setting says, 0 is no limit.</p>
    <div class="halves">
      ${Object.entries(LIMITS).map(
        ([name, what]) => html`<${Input} key=${name} label=${`Most ${what}`} type="number" min="0" value=${limits[name] ?? ""} onInput=${(text) => onChange({ ...limits, [name]: text === "" ? null : Number(text) })} />`,
      )}
    </div>`;
}

/** The key itself, this once. @param {{ created: Json, onClose: () => void }} props */
function Created({ created, onClose }) {
  return html`<${Dialog} title=${`The key ${created.name}`} onClose=${onClose}>
    <p>This is shown once: nothing gives it a second time. Copy it to where it is used.</p>
    <div class="secret"><code tabindex="0" aria-label="The key">${created.key}</code> <${Copy} text=${created.key} /></div>
    ${isOwn(created) && html`<${Notice} kind="good" role="status">This tab uses it from now on, until you close it.<//>`}
    <p class="hint">A program sends it as <code>Authorization: Bearer …</code>, or has it in <code>WINDROW_API_KEY</code>.</p>
    <div class="dialog-foot"><${Button} primary onClick=${onClose}>I have it<//></div>
  <//>`;
}

/** @param {{ entry: Json, onClose: () => void, onDone: () => void }} props */
function Limit({ entry, onClose, onDone }) {
  const [limits, setLimits] = useState(Object.fromEntries(Object.keys(LIMITS).map((name) => [name, entry[name]])));
  async function change() {
    await call("limit_key", { name: entry.name, ...limits });
    say(`The limits of ${entry.name} hold within a second.`);
    onDone();
  }
  return html`<${Confirm} title=${`Limits of ${entry.name}`} action="Set these limits" onClose=${onClose} onDo=${change}><${LimitFields} limits=${limits} onChange=${setLimits} /><//>`;
}

/** @param {{ entry: Json, onClose: () => void, onDone: () => void }} props */
function Revoke({ entry, onClose, onDone }) {
  async function revoke() {
    await call("revoke_key", { name: entry.name });
    say(`${entry.name} is valid no more.`);
    onDone();
  }
  return html`<${Confirm} title=${`Revoke ${entry.name}?`} action="Revoke it" danger onClose=${onClose} onDo=${revoke}>
    <p>Within a second, every server of this data directory refuses it. It cannot be made valid again; what it has done stays.</p>
    ${isOwn(entry) && html`<${Notice} kind="bad"><b>This tab uses it.</b> You need another key to go on.<//>`}
  <//>`;
}

/** What each verb does: that it did, and that it was tried. */
const VERBS = /** @type {Record<string, [string, string]>} */ ({
  start_fit: ["asked for a training of", "ask for a training of"],
  fit: ["trained", "train"],
  cancel_job: ["cancelled the training of", "cancel the training of"],
  evaluate: ["kept a score of", "keep a score of"],
  describe: ["described", "describe"],
  set_threshold: ["changed the threshold of", "change the threshold of"],
  delete: ["deleted", "delete"],
  delete_all: ["deleted", "delete classifiers"],
  purge_expired: ["purged, since nobody restored it,", "purge"],
  restore: ["restored", "restore"],
  copy: ["made a copy named", "make a copy named"],
  import_classifier: ["imported", "import"],
  promote: ["pointed the alias", "point the alias"],
  rollback: ["rolled back the alias", "roll back the alias"],
  remove_alias: ["removed the alias", "remove the alias"],
  remove_base_model: ["removed the base model", "remove the base model"],
  fsck: ["repaired the data directory", "repair the data directory"],
  forget: ["erased rows of", "erase rows of"],
  create_key: ["created the API key", "create the API key"],
  limit_key: ["limited the API key", "limit the API key"],
  revoke_key: ["revoked the API key", "revoke the API key"],
});
const ON_ALIASES = new Set(["promote", "rollback", "remove_alias"]);
const ON_NO_CLASSIFIER = new Set(["create_key", "limit_key", "revoke_key", "remove_base_model"]);

/** Who changed what, and which API keys were refused. */
export function Audit() {
  const { key = "", target = "", since = "", cursor = "" } = route.value.query;
  const trail = useReply("audit", { key_name: key || null, target: target || null, since: since || null, cursor: cursor || null });
  const [form, setForm] = useState({ key, target, since });
  /** @param {"key" | "target" | "since"} name @param {string} label @param {string} type */
  const field = (name, label, type) => html`<${Input} label=${label} type=${type} value=${form[name]} onInput=${(text) => setForm({ ...form, [name]: text.trim() })} />`;
  if (isDenied(trail.error)) return html`<${Header} title="Audit" /><${Denied} error=${trail.error} what="The audit trail is shown" />`;
  const filtered = Boolean(key || target || since);
  return html`<${Header} title="Audit" note="Who changed what, and which requests were refused." />
    <form class="audit-form" onSubmit=${submits(() => go(["audit"], form))}>
      ${field("target", "Done to", "search")} ${field("key", "By the API key", "text")} ${field("since", "Since the day (UTC)", "date")}
      <div class="row"><${Button} type="submit" primary>Show<//>${filtered && html`<${Button} quiet onClick=${() => (setForm({ key: "", target: "", since: "" }), go(["audit"]))}>Show everything<//>`}</div>
    </form>
    <${Reply} of=${trail}>${(value) => html`<${Trail} trail=${value} filtered=${filtered} cursor=${cursor} busy=${trail.busy} />`}<//>`;
}

/** @param {{ trail: Json, filtered: boolean, cursor: string, busy: boolean }} props */
function Trail({ trail, filtered, cursor, busy }) {
  const { query } = route.value;
  /** @type {Columns} */
  const columns = [
    { title: "When", cell: (line) => html`<time datetime=${line.at} title=${date(line.at)}>${ago(line.at)}</time>` },
    { title: "What", cell: (line) => html`<${Line} line=${line} />` },
    { title: "From", minor: true, cell: (line) => html`<span class="faint">${line.address}</span>` },
  ];
  const empty = html`<${Empty} title=${filtered || cursor ? "No such line" : "Nothing has been changed yet"}><p>${filtered || cursor ? "Ask for less, or show everything." : "Each training, promotion and other change leaves a line here."}</p><//>`;
  return html`${trail.unreadable_files > 0 && html`<${Notice} kind="warn">${counted(trail.unreadable_files, "file")} of these days cannot be read, so lines are missing. <a href=${href(["disk"])}>A check of the disk</a> names them.<//>`}
    <${TableSheet} columns=${columns} rows=${trail.lines} keyOf="id" label="Audit trail, the newest line first" empty=${empty} />
    <div class="row">
      ${cursor && html`<a class="button" href=${href(["audit"], { ...query, cursor: "" })}>Newest lines</a>`}
      ${trail.next_cursor && html`<a class="button" href=${href(["audit"], { ...query, cursor: trail.next_cursor })}>Older lines</a>`}
      ${busy && html`<span class="faint waiting" role="status">Loading …</span>`}
    </div>`;
}

/** One line, in words. @param {{ line: Json }} props */
function Line({ line }) {
  const failed = line.outcome !== "ok";
  const who = line.key_name ?? line.user;
  const [did, tried] = VERBS[line.verb] ?? [`asked for ${line.verb}`, line.verb ? `ask for ${line.verb}` : "ask something"];
  const points = line.points_to || line.points_from ? html`${line.points_from && html` from <bdi>${line.points_from}</bdi>`}${line.points_to && html` to <bdi>${line.points_to}</bdi>`}` : "";
  const grew = line.revision_after && line.revision_after !== line.revision_before;
  return html`${who ? html`<b><bdi>${who}</bdi></b>` : html`<span class="faint">Somebody without a key</span>`} ${failed ? `tried to ${tried}` : did}${line.target && html` <${Target} line=${line} />`}${points}${grew && `, revision ${line.revision_after}${line.revision_before ? ` after ${line.revision_before}` : ""}`}${line.count > 1 && `, ${number(line.count)} times within a minute`}${failed && html` <${Chip} kind="bad">${line.outcome}<//>`}`;
}

/** @param {{ line: Json }} props */
function Target({ line: { verb, target } }) {
  const name = html`<bdi>${target}</bdi>`;
  if (ON_NO_CLASSIFIER.has(verb)) return name;
  return html`<a href=${ON_ALIASES.has(verb) ? href(["aliases", target]) : href(["classifiers", target.split("@")[0]])}>${name}</a>`;
}
