/** Questions: which classifier or alias answers each, and which of its labels stand for what is asked. */
import { call, SERVER } from "../api.js";
import { useReply } from "../load.js";
import { Ago, AliasChip, Button, Chip, Empty, Field, Name, Problem, Reply, Text } from "../parts/bits.js";
import { ClassifierField, Input, Select } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { TableSheet } from "../parts/table.js";
import { classifiers } from "../store.js";
import { html, useState } from "../ui.js";

const MAX_CHIPS = 60;

/**
 * @typedef {object} Binding
 * @property {string} question
 * @property {string} model_name A classifier, an alias, a revision or `task@latest`.
 * @property {string | null} positive_label
 * @property {string[]} levels The lowest first.
 * @property {string} bound_at
 * @property {string | null} key_name
 */

/** The questions that are bound, with what answers them. */
export function Questions() {
  const list = useReply("list_bindings");
  const [asked, setAsked] = useState(/** @type {Binding | "new" | null} */ (null));
  const bindings = /** @type {Binding[]} */ (list.value?.bindings ?? []);
  const bind = () => setAsked("new");
  useKeys([{ key: "b", does: "Bind a question", run: () => list.value && bind() }]);
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "Question", cell: ({ question }) => html`<b><${Text} max=${120}>${question}<//></b>` },
    { title: "Answered by", cell: ({ model_name: name }) => html`<${Answerer} name=${name} />` },
    { title: "By its labels", cell: (each) => html`<${Labels} of=${each} />` },
    { title: "Since", minor: true, cell: (each) => html`<${Ago} at=${each.bound_at} />${each.key_name && html` with the key <bdi>${each.key_name}</bdi>`}` },
    {
      hidden: "Actions",
      number: true,
      cell: (each) => html`<${Button} link label="Change what answers ${each.question}" onClick=${() => setAsked(each)}>Change<//> · <${Button} link label="Remove ${each.question}" onClick=${() => remove(each, list.again)}>Remove<//>`,
    },
  ];
  return html`<${Reply} of=${list}>
      ${() => html`<${TableSheet} title="Questions" tools=${html`<${Button} keyName="b" onClick=${bind}>Bind a question …<//>`} class="words" label="Questions" rows=${bindings} columns=${columns} keyOf="question"
          empty=${html`<${Empty} title="No question is bound yet"><p>Programs that ask closed questions (<code>POST /v1/decisions</code>, <code>POST /v1/systemone</code>) get the answer of the classifier or alias that a question's name is bound to here: <a href="${SERVER.href}docs#/aliases/bind">how a program binds one</a>.</p><//>`} />`}
    <//>
    ${asked && html`<${Bind} of=${asked === "new" ? null : asked} bindings=${bindings} onClose=${() => setAsked(null)} onDone=${list.again} />`}`;
}

/** @param {{ name: string }} props */
function Answerer({ name }) {
  const { models, aliases, complete } = classifiers.value;
  if (aliases.some((each) => each.alias === name)) return html`<${AliasChip} name=${name} />`;
  const isThere = !complete || name.endsWith("@latest") || models.some((each) => each.name === name.replace(/@\d+$/, ""));
  return html`<${Name} of=${name} />${!isThere && html` <${Chip} kind="bad">not found<//>`}`;
}

/** What stands for true, and for the levels of a score. @param {{ of: Binding }} props */
function Labels({ of: { positive_label: positive, levels } }) {
  if (positive === null && !levels.length) return html`<span class="faint">as they say</span>`;
  return html`${positive !== null && html`<div>true: <bdi>${positive}</bdi></div>`}${levels.length > 0 && html`<div>levels: <bdi>${levels.join(" < ")}</bdi></div>`}`;
}

/** Take a binding away; it can be undone. @param {Binding} binding @param {() => void} onDone */
async function remove({ question, model_name, positive_label, levels }, onDone) {
  const again = () => call("bind", { question, model_name, positive_label, levels }).then(() => say(`${question} is bound again.`, null, [question]));
  const failed = (/** @type {Error} */ problem) => say(problem.message);
  await call("bind", { question, model_name: null }).then(() => say(`${question} is bound no more.`, () => again().catch(failed).then(onDone), [question]), failed);
  onDone();
}

/**
 * @param {{ of: Binding | null, bindings: Binding[], onClose: () => void, onDone: () => void }} props `of` is the binding
 *   to change; without one, a new one is made.
 */
function Bind({ of, bindings, onClose, onDone }) {
  const [question, setQuestion] = useState(of?.question ?? "");
  const [model, setModel] = useState(of?.model_name ?? "");
  const [whole, setWhole] = useState(model);
  const [positive, setPositive] = useState(of?.positive_label ?? "");
  const [levels, setLevels] = useState(of?.levels ?? []);
  const found = useReply(whole ? "show" : null, { model_name: whole }, { shown: false });
  const isKnown = Boolean(whole) && whole === model && !found.busy && !found.error;
  const labels = /** @type {string[]} */ (isKnown ? (found.value?.labels ?? []) : []);
  // Until its labels have come, the server says what the classifier has no label for.
  const has = (/** @type {string} */ label) => !isKnown || labels.includes(label);
  const chosen = levels.filter(has);
  const bound = bindings.find((each) => each.question === question);
  async function bind() {
    await call("bind", { question, model_name: model, positive_label: positive && has(positive) ? positive : undefined, levels: chosen });
    say(`${question} is answered by ${model} now.`, null, [question]);
    onDone();
  }
  /** @param {string} label */
  const toggle = (label) => setLevels(chosen.includes(label) ? chosen.filter((each) => each !== label) : [...chosen, label]);
  return html`<${Confirm} title=${of ? "Change what answers a question" : "Bind a question"} action="Bind" disabled=${!question.trim() || !model} onClose=${onClose} onDo=${bind}>
    <${Input} label="Question" required autofocus=${!of} readonly=${Boolean(of)} maxlength="256" value=${question} onInput=${setQuestion}
      hint=${bound && !of ? html`It is answered by <bdi>${bound.model_name}</bdi> now, which this replaces.` : "The name or id that requests give it."} />
    <${Field} label="Classifier or alias">${(id) => html`<${ClassifierField} id=${id} required value=${model} onChange=${setModel} onPick=${setWhole} />`}<//>
    <${Problem} error=${whole === model && whole ? found.error : null} />
    <${Field} label="Label that stands for true" hint="Of a question whether something is true. Labels such as yes and no say it themselves.">
      ${(id) => html`<${Select} id=${id} value=${positive} options=${[["", "As the labels say"], ...labels]} onChange=${setPositive} />`}
    <//>
    <details open=${levels.length > 0}>
      <summary>Levels of a score</summary>
      <p class="hint">Press labels in their order, the lowest first. Labels that are whole numbers, or are called like the levels, say it themselves.</p>
      <div class="chips labels" role="group" aria-label="Levels, the lowest first">
        ${[...chosen, ...labels.filter((each) => !chosen.includes(each))].slice(0, MAX_CHIPS).map((label, place) => html`<${Button} key=${label} pressed=${place < chosen.length} onClick=${() => toggle(label)}>${place < chosen.length && `${place + 1}. `}<bdi>${label}</bdi><//>`)}
      </div>
      ${labels.length > MAX_CHIPS && html`<p class="hint">These are the first ${MAX_CHIPS} labels; the others are named by <code>windrow bind --level</code>.</p>`}
    </details>
  <//>`;
}
