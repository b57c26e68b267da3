/** Aliases: where each points, its history, and promotion with a reason and a gate. */
import { call, isRefused } from "../api.js";
import { counted, date, givenLabels, inLine, percent, rowsPerLabel } from "../format.js";
import { useAction, useReply } from "../load.js";
import { Ago, AliasChip, Button, Chip, Empty, Header, Name, Notice, Problem, Reply, Sheet, Text } from "../parts/bits.js";
import { Check, ClassifierField, Input } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, Dialog, say } from "../parts/overlays.js";
import { TableSheet } from "../parts/table.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, refresh, useFresh, versionOf } from "../store.js";
import { html, submits, useEffect, useState } from "../ui.js";
import { author, keepAuthor } from "./classifier_actions.js";
import { Questions } from "./questions.js";
import { TestSetField, useTestSet } from "./test_set.js";

/** @typedef {import("../ui.js").View} View */
/** @typedef {import("../store.js").Alias} Alias */
/** @typedef {import("../format.js").Row} Row */
/** @typedef {Record<string, any>} Gate The results of a promotion's conditions. */

const EVENTS = /** @type {Record<string, string>} */ ({
  promoted: "Promoted",
  rolled_back: "Rolled back",
  removed: "Removed",
  rows_erased: "Rows of the gate were erased",
});
const CONDITIONS = /** @type {Record<string, string>} */ ({ must_pass: "Rows that must be right", not_worse: "Not worse", min_recall: "Least recall", min_f1: "Least F1" });

/** @param {{ name?: string }} props The alias; without one, all. */
export function Aliases({ name }) {
  useFresh(name === undefined ? "list_aliases" : undefined);
  const { promote } = route.value.query;
  const close = () => setQuery({ promote: "", test: "" });
  return html`${name === undefined ? html`<${List} />` : html`<${One} name=${name} />`}
    ${promote !== undefined && html`<${Promote} alias=${name ?? ""} model=${promote === "?" ? "" : promote} onClose=${close} />`}`;
}

function List() {
  const { aliases, loaded, error } = classifiers.value;
  const promote = () => setQuery({ promote: "?" });
  useKeys([{ key: "p", does: "Promote a classifier", run: promote }]);
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Alias", cell: (each) => html`<${AliasChip} name=${each.alias} locked=${each.protected} />` },
    { title: "Points to", cell: (each) => html`<${Target} reference=${each.points_to} />${!each.answers && html` <${Chip} kind="bad">does not answer<//>`}` },
    { title: "Since", minor: true, cell: (each) => html`<${Ago} at=${each.changed_at} />` },
    { title: "By", minor: true, cell: (each) => html`<bdi>${each.author || each.key_name || "–"}</bdi>` },
    { title: "Why", minor: true, cell: (each) => html`<${Text} max=${90}>${each.reason || "–"}<//>` },
    { hidden: "Action", number: true, cell: (each) => html`<a class="button" href=${href(["aliases", each.alias], { promote: "?" })} aria-label="Promote another classifier to ${each.alias}">Promote …</a>` },
  ];
  return html`<${Header} title="Aliases" note="Programs ask by an alias; what it points to is changed here, with a reason, and can be rolled back.">
      <${Button} primary keyName="p" onClick=${promote}>Promote …<//>
    <//>
    <${Problem} error=${error} again=${refresh} />
    ${(loaded || !error) && html`<${TableSheet} class="words" label="Aliases" rows=${aliases} columns=${columns} keyOf="alias"
        empty=${html`<${Empty} title=${loaded ? "No alias yet" : "Loading …"}>
          ${loaded && html`<p>An alias is a second name that points to a classifier. Programs that ask by it get the better version on the day you promote it, without a change of their own.</p>
            <p class="row"><${Button} primary onClick=${promote}>Make the first one<//></p>`}
        <//>`} />`}
    ${loaded && html`<${Questions} />`}`;
}

/** @param {{ reference: string | null }} props */
function Target({ reference }) {
  return reference ? html`<${Name} of=${reference} />` : html`<span class="faint">nowhere</span>`;
}

/** @param {{ name: string }} props */
function One({ name }) {
  const { aliases, loaded } = classifiers.value;
  const alias = aliases.find((each) => each.alias === name);
  const history = useReply("alias_history", { alias: name });
  const [asked, setAsked] = useState(/** @type {"rollback" | "remove" | ""} */ (""));
  const version = alias?.changed_at ?? "";
  useEffect(() => {
    if (history.value) history.again(); // it was changed meanwhile
  }, [version]);
  const changes = history.value?.changes ?? [];
  const back = former(changes);
  const promote = () => setQuery({ promote: "?" });
  useKeys([{ key: "p", does: "Promote a classifier", run: promote }]);
  return html`<${Header} title=${name} note=${alias ? html`<${Standing} alias=${alias} />` : loaded && "This alias points nowhere."}>
      ${alias && html`<${Button} quiet onClick=${() => setAsked("remove")}>Remove<//>`}
      ${alias && html`<${Button} disabled=${!back} title=${back ? `To ${back}` : "It has pointed nowhere else"} onClick=${() => setAsked("rollback")}>Roll back …<//>`}
      <${Button} primary keyName="p" onClick=${promote}>Promote …<//>
    <//>
    ${alias && !alias.answers && html`<${Notice} kind="bad" role="alert">It points to ${alias.points_to}, which is not there, so whoever asks by it gets an error. Promote another classifier, or restore that one.<//>`}
    <div class="two record">
      <${Sheet} title="History">
        <${Reply} of=${history}>
          ${({ changes: all }) => html`<ol class="timeline">${[...all].reverse().map((each) => html`<${Change} key=${each.number} change=${each} />`)}</ol>`}
        <//>
      <//>
      <div>${alias && html`<${Gates} alias=${alias} />`}</div>
    </div>
    ${asked && html`<${ChangeDialog} what=${asked} alias=${name} to=${back} onClose=${() => setAsked("")} onDone=${history.again} />`}`;
}

/** Return where a rollback would point, as far as the history tells. @param {any[]} changes @returns {string | null} */
function former(changes) {
  const trail = /** @type {string[]} */ ([]);
  for (const { event, points_to: to } of changes) {
    if (event === "promoted") trail.push(to);
    else if (event === "rolled_back") trail.pop();
    else if (event === "removed") trail.length = 0;
  }
  return trail.at(-2) ?? null;
}

/** @param {{ alias: Alias }} props */
function Standing({ alias }) {
  const follows = alias.revision === null ? "and follows its newest revision" : "and stays at this revision";
  return html`Points to <${Target} reference=${alias.points_to} /> ${follows}, since <${Ago} at=${alias.changed_at} />.`;
}

/** @param {{ change: Record<string, any> }} props */
function Change({ change }) {
  const { event, points_from: from, points_to: to, reason, author: by, key_name: key } = change;
  return html`<li>
    <b>${EVENTS[event] ?? event}</b>${event !== "rows_erased" && html`: ${from && html`<${Target} reference=${from} /> → `}<${Target} reference=${to} />`}
    <div class="faint"><${Ago} at=${change.at} />, ${date(change.at)}${by && html`, by <bdi>${by}</bdi>`}${key && html`, with the key <bdi>${key}</bdi>`}</div>
    ${reason && html`<div class="muted"><${Text}>${reason}<//></div>`}
    ${from && to && from !== to && html`<div><a href=${href(["compare"], { models: `${from},${to}` })}>Compare the two</a></div>`}
  </li>`;
}

/** @param {{ alias: Alias }} props */
function Gates({ alias }) {
  const rows = alias.must_pass;
  return html`<${Sheet} title="Gate">
    ${rows.length
      ? html`<p>It keeps ${counted(rows.length, "row")}, which whatever is promoted must read right.</p>
          <ul class="plain">${rows.slice(0, 100).map((row) => html`<li><${Text}>${row.text}<//> <${Chip}><bdi>${givenLabels(row)}</bdi><//></li>`)}</ul>
          ${rows.length > 100 && html`<p class="faint">and ${rows.length - 100} more</p>`}`
      : html`<p class="muted">${alias.protected ? "It keeps rows that must be read right; this API key may not see them." : "It keeps no rows. Those that must never go wrong again can be given when a classifier is promoted."}</p>`}
    <p><a href=${href(["try"], { models: alias.alias })}>Try it</a> · <a href=${href(["judge"], { model: alias.alias })}>Judge it</a></p>
  <//>`;
}

/** @param {{ what: "rollback" | "remove", alias: string, to: string | null, onClose: () => void, onDone: () => void }} props */
function ChangeDialog({ what, alias, to, onClose, onDone }) {
  const why = useWhy("It stays in the history.");
  const rolls = what === "rollback";
  async function change() {
    const reply = await call(rolls ? "rollback" : "remove_alias", { alias, ...why.given() });
    await refresh();
    say(rolls ? `${alias} points to ${reply.points_to} again.` : `${alias} is removed.`);
    onDone();
  }
  return html`<${Confirm} title="${rolls ? "Roll back" : "Remove"} ${alias}" action=${rolls ? "Roll back" : "Remove"} danger=${!rolls} onClose=${onClose} onDo=${change}>
    <p>${rolls ? html`It points to <b><bdi>${to}</bdi></b> again at once, for every server on the data directory. No gate is asked.` : "Whoever asks by it gets an error from then on. The classifier stays, and so does the history."}</p>
    ${why.inputs}
  <//>`;
}

/** Why a change is made, and by whom. @param {string} hint */
function useWhy(hint) {
  const [reason, setReason] = useState("");
  const [by, setBy] = useState(author());
  const inputs = html`<${Input} label="Reason" autofocus value=${reason} onInput=${setReason} hint=${hint} /><${Input} label="Author" value=${by} onInput=${setBy} />`;
  return { inputs, given: () => (keepAuthor(by), { reason, author: by }) };
}

/** @param {{ alias: string, model: string, onClose: () => void }} props */
function Promote({ alias: given, model: proposed, onClose }) {
  const { aliases, loaded } = classifiers.value;
  const base = proposed.replace(/@.*/, "");
  const [alias, setAlias] = useState(given || (versionOf(base).version === null ? "" : versionOf(base).task));
  const [model, setModel] = useState(proposed);
  const why = useWhy("Why it is better; it stays in the history.");
  const [kept, setKept] = useState(/** @type {Row[] | null} */ (null));
  const { test = "" } = route.value.query;
  const [notWorse, setNotWorse] = useState(true);
  const [recalls, setRecalls] = useState(/** @type {Record<string, string>} */ ({}));
  const [f1s, setF1s] = useState(/** @type {Record<string, string>} */ ({}));
  const [passed, setPassed] = useState(/** @type {Record<string, any> | null} */ (null));
  const { set } = useTestSet(test);
  const current = aliases.find((each) => each.alias === alias);
  const taken = !current && classifiers.value.models.some((each) => each.name === alias);
  const ready = Boolean(model && alias && !taken);
  const { run, busy, error } = useAction(async () => {
    const least = { min_recall: sharesOf(recalls), min_f1: sharesOf(f1s) };
    const asks = notWorse || Object.values(least).some((each) => Object.keys(each).length);
    const require = set && asks ? { test_data: set.rows, not_worse: notWorse, ...least } : undefined;
    const reply = await call("promote", { alias, model_name: model, ...why.given(), require, must_pass: kept ?? undefined });
    await refresh();
    if (reply.gate.checks.length) return setPassed(reply);
    say(`${alias} points to ${reply.points_to} now.`);
    return go(["aliases", alias]);
  });
  if (passed) {
    return html`<${Dialog} title=${html`<bdi>${alias}</bdi> points to <bdi>${passed.points_to}</bdi> now`} wide onClose=${() => go(["aliases", alias])}>
      <${Notice} kind="good" role="status">Every condition is met.<//><${GateResults} gate=${passed.gate} />
      <div class="dialog-foot"><${Button} primary onClick=${() => go(["aliases", alias])}>See its history<//></div>
    <//>`;
  }
  const refused = isRefused(error, "promotion_refused") ? error.problem : null;
  return html`<${Dialog} title="Promote" wide onClose=${onClose}>
    <div class="halves">
        <form onSubmit=${submits(() => ready && run())}>
          <div class="field"><label for="promoted">Classifier</label><${ClassifierField} id="promoted" value=${model} required onChange=${setModel} /></div>
          <${Input} label="Alias" value=${alias} onInput=${(text) => setAlias(text.trim())} list="aliases"
            hint=${current ? html`Points to <bdi>${current.points_to}</bdi> now.` : taken ? "A classifier has this name; choose another one." : alias && loaded ? "A new alias." : "Name of a new alias, or of one that exists."} />
          <datalist id="aliases">${aliases.map((each) => html`<option value=${each.alias}></option>`)}</datalist>
          ${current && model && current.points_to !== model && html`<p><a href=${href(["compare"], { models: `${current.points_to},${model}` })}>Compare it with ${current.points_to} first</a></p>`}
          ${why.inputs}
          <button type="submit" hidden></button>
        </form>
        <div>
          <${KeptRows} model=${classifiers.value.models.find((each) => each.name === model.replace(/@.*/, ""))} rows=${kept ?? current?.must_pass ?? []} onChange=${setKept} hidden=${Boolean(current?.protected && !current.must_pass.length)} />
          <h3>Only if it does well on a test set</h3>
          <${TestSetField} value=${test} onChange=${(sha256) => setQuery({ test: sha256 })} />
          ${set &&
          html`<${Check} checked=${notWorse} onChange=${setNotWorse}>Not worse than what ${alias || "the alias"} points to now<//>
            <${Least} of="recall" rows=${set.rows} values=${recalls} onChange=${setRecalls} />
            <${Least} of="F1" rows=${set.rows} values=${f1s} onChange=${setF1s} />`}
        </div>
      </div>
      ${refused ? html`<${Notice} kind="bad" role="alert"><b>Not promoted</b>: ${alias} stays as it is.<//><${GateResults} gate=${refused} />` : html`<${Problem} error=${error} />`}
      <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} primary busy=${busy} disabled=${!ready} onClick=${() => run()}>Promote<//></div>
  <//>`;
}

/**
 * The rows that an alias keeps: each promotion must read them right.
 * @param {{ model?: import("../store.js").Model, rows: Row[], onChange: (rows: Row[]) => void, hidden: boolean }} props
 */
function KeptRows({ model, rows, onChange, hidden }) {
  const several = model?.kind === "multi_label";
  const [text, setText] = useState("");
  const [label, setLabel] = useState("");
  const [labels, setLabels] = useState(/** @type {string[]} */ ([]));
  function add() {
    onChange([...rows.filter((row) => row.text !== text.trim()), several ? { text: text.trim(), labels } : { text: text.trim(), label: label.trim() }]);
    setText("");
    setLabels([]);
  }
  return html`<details open=${rows.length > 0}>
    <summary>Rows that must be read right, now and at each later promotion (${rows.length})</summary>
    ${hidden && html`<p class="muted">The alias keeps rows that this API key may not see. They stay, unless you give others.</p>`}
    <ul class="plain apart">
      ${rows.map(
        (row, place) => html`<li key=${place}><span><bdi>${row.text.slice(0, 120)}</bdi> <${Chip}><bdi>${givenLabels(row)?.slice(0, 60)}</bdi><//></span>
          <${Button} link label="Take out ${row.text.slice(0, 60)}" onClick=${() => onChange(rows.filter((each) => each !== row))}>✕<//></li>`,
      )}
    </ul>
    <div class="row add"><${Input} label="Text" value=${text} onInput=${setText} />${!several && html`<${Input} label="Its label" value=${label} onInput=${setLabel} />`}
      <${Button} disabled=${!text.trim() || (!several && !label.trim())} onClick=${add}>Add<//></div>
    ${several && html`<div class="chips labels" role="group" aria-label="Its labels">${model.labels.map((each) => html`<${Button} key=${each} pressed=${labels.includes(each)} onClick=${() => setLabels(labels.includes(each) ? labels.filter((other) => other !== each) : [...labels, each])}><bdi>${each}</bdi><//>`)}</div><p class="hint">Its labels; none where no label fits.</p>`}
  </details>`;
}

/** Return the shares that are typed, in percent, by label. @param {Record<string, string>} typed */
function sharesOf(typed) {
  const given = Object.entries(typed).filter(([, value]) => value !== "");
  return Object.fromEntries(given.map(([label, value]) => [label, Number(value) / 100]));
}

/**
 * What a measure must be at least, by label.
 * @param {{ of: string, rows: Row[], values: Record<string, string>, onChange: (values: Record<string, string>) => void }} props
 */
function Least({ of: measure, rows, values, onChange }) {
  const labels = [...rowsPerLabel(rows).keys()].sort();
  return html`<details>
    <summary>Least ${measure} of a label</summary>
    ${labels.slice(0, 60).map(
      (label) => html`<label class="recall"><bdi>${label.slice(0, 60)}</bdi>
        <span><input class="input" type="number" aria-label="Least ${measure} of ${label}, in percent" min="0" max="100" step="any" value=${values[label] ?? ""} onInput=${(event) => onChange({ ...values, [label]: event.target.value })} /> %</span></label>`,
    )}
  </details>`;
}

/** What a gate found, in words. @param {{ gate: Gate }} props */
function GateResults({ gate }) {
  /** @param {string} name @param {Record<string, any> | null} each */
  const measured = (name, each) => each && html`<p class="faint">${name}: ${each.correct} of ${counted(each.total, "test row")} right (${percent(each.accuracy)}).</p>`;
  return html`<ul class="plain checks">
      ${gate.checks.map(
        (/** @type {Record<string, any>} */ each) => html`<li><${Chip} kind=${each.passed ? "good" : "bad"}>${each.passed ? "met" : "not met"}<//>
          <span><b>${CONDITIONS[each.condition] ?? each.condition}.</b> <bdi>${each.detail}</bdi></span></li>`,
      )}
    </ul>
    ${gate.failed_rows.length > 0 &&
    html`<h3>Rows that went wrong</h3>
      <ul class="plain">
        ${gate.failed_rows.slice(0, 50).map(
          (/** @type {Record<string, any>} */ row) => html`<li><${Text}>${row.text || "(a row that this API key may not see)"}<//> is <b><bdi>${givenLabels(row)}</bdi></b>, and was read as <b class="bad-ink"><bdi>${inLine(row.predicted) ?? "abstained"}</bdi></b></li>`,
        )}
      </ul>`}
    ${measured("The new one", gate.candidate)} ${measured("What it points to now", gate.current)}`;
}
