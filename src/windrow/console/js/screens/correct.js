/** A queue of texts, one card at a time: what a classifier said is accepted or corrected, and the next version learns it. */
import { counted, inLine, number, score } from "../format.js";
import { asItem, corrections, isSame, itemsOf, loadCorrections, NEW_BELOW, putItems, setItems, sureness } from "../kept.js";
import { useAsync, useReply } from "../load.js";
import { Button, Chip, Empty, Header, Name, NoClassifier, Notice, Problem, Sheet, Text } from "../parts/bits.js";
import { Bars } from "../parts/charts.js";
import { ClassifierField } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, useClassifiers } from "../store.js";
import { html, submits, useEffect, useMemo, useRef, useState } from "../ui.js";
import { BeingLearned, NextVersion } from "./next_version.js";
import { FileRun } from "./try_file.js";

/** @typedef {import("../kept.js").Item} Item */
/** @typedef {import("../kept.js").Given} Given */
/** @typedef {import("../api.js").Json} Json */

const DIGITS = 9;
const SHOWN_NEXT = 5;
/** From that length on a text may scroll, and the keys must reach it. */
const LONG_CHARS = 500;
/** Cosine of two texts' words, weighted by how rare they are, from which on they are alike. */
const ALIKE = 0.25;
const MAX_ALIKE = 100;

/** The view. */
export function Correct() {
  useClassifiers();
  const kept = useAsync(loadCorrections, []);
  const { model, step } = route.value.query;
  const { aliases, loaded, error } = classifiers.value;
  if (kept.error) return html`<${Header} title="Correct" /><${Problem} error=${kept.error} again=${kept.again} />`;
  if (kept.value === null && kept.busy) return html`<${Header} title="Correct" />`;
  if (!model) return html`<${Queues} />`;
  if (!loaded && !error) return html`<${Header} title="Correct" />`;
  const name = aliases.find((each) => each.alias === model)?.model_name ?? model.replace(/@\d+$/, "");
  return step === "train" ? html`<${NextVersion} key=${name} name=${name} />` : html`<${Queue} key=${name} name=${name} />`;
}

/** The classifiers of which texts wait. */
function Queues() {
  const [chosen, choose] = useState("");
  const { models, aliases, loaded } = classifiers.value;
  const all = Object.values(corrections.value).sort((one, other) => one.model_name.localeCompare(other.model_name));
  const known = [...models.map((each) => each.name), ...aliases.map((each) => each.alias)];
  if (loaded && !models.length && !all.length) {
    return html`<${Header} title="Correct" />
      <${NoClassifier} title="There is nothing to correct yet">Train a classifier first. What it reads wrong is corrected here, and the next version learns it.<//>`;
  }
  return html`<${Header} title="Correct" note="Look at the texts of which a classifier is least sure; its next version learns what you say." />
    ${all.length > 0 &&
    html`<${Sheet} title="Queues in this browser">
      <ul class="plain apart">
        ${all.map(({ model_name: name, items }) => {
          const waiting = items.filter((each) => each.state === "waiting").length;
          const learned = items.filter((each) => each.label !== null).length;
          return html`<li key=${name}>
            <a href=${href(["correct"], { model: name })}><bdi>${name}</bdi></a>
            <span class="muted">${counted(waiting, "text")} to look at, ${counted(learned, "row")} for the next version</span>
          </li>`;
        })}
      </ul>
    <//>`}
    <${Sheet} title="Of which classifier?">
      <form class="row" onSubmit=${submits(() => go(["correct"], { model: chosen }))}>
        <div class="search"><${ClassifierField} label="Classifier" value=${chosen} onChange=${choose} /></div>
        <${Button} type="submit" primary disabled=${!known.includes(chosen)}>Open its queue<//>
      </form>
      <p class="hint">Texts get into a queue from a file that you drop there, from <a href=${href(["try"])}>Try</a>, and from the wrong rows in <a href=${href(["judge"])}>Judge</a>.</p>
    <//>`;
}

/** @param {{ name: string }} props */
function Queue({ name }) {
  const items = itemsOf(name);
  const record = useReply("show", { model_name: name }, { shown: false });
  const [shown, show] = useState("");
  const [forgetting, forget] = useState(false);
  const waiting = useMemo(() => items.filter((each) => each.state === "waiting").sort((one, other) => sureness(one) - sureness(other)), [items]);
  const current = waiting.find((each) => each.text === shown) ?? waiting[0];
  const learned = items.filter((each) => each.label !== null && !each.job).length;
  const skipped = items.filter((each) => each.state === "skipped");
  const last = Math.max(0, ...items.map((each) => (each.job ? 0 : (each.at ?? 0))));
  function undo() {
    const undone = items.filter((each) => last && each.at === last);
    if (!undone.length) return;
    show(undone[0]?.text ?? "");
    putItems(name, undone.map((each) => ({ ...each, label: null, state: /** @type {const} */ ("waiting"), at: undefined })));
  }
  function train() {
    if (learned) setQuery({ step: "train" });
  }
  useKeys([
    { key: "u", does: "Undo the last decision", run: undo },
    { key: "Backspace", does: "Undo the last decision", run: undo },
    { key: "t", does: "Train the next version", run: train },
  ]);
  const labels = labelsOf(record.value?.labels ?? [], items);
  return html`<${Header} title="Correct" note=${html`The queue of <${Name} of=${name} />, kept in this browser: first where a file says another label, then the least certain.`}>
      ${items.length > 0 && html`<${Button} quiet onClick=${() => forget(true)}>Empty the queue<//>`}
      <${Button} onClick=${undo} disabled=${!last} keyName="u">Undo<//>
      <${Button} primary=${!waiting.length} onClick=${train} disabled=${!learned} keyName="t">Train the next version${learned > 0 && ` with ${counted(learned, "row")}`}<//>
    <//>
    ${record.error && html`<${Problem} error=${record.error} again=${record.again} />`}
    <${BeingLearned} name=${name} />
    ${items.length > 0 && html`<${Progress} items=${items} waiting=${waiting.length} />`}
    ${current
      ? html`<${Card} key=${current.text} name=${name} item=${current} record=${record.value} labels=${labels} waiting=${waiting} onShow=${show} />`
      : html`<${Done} name=${name} learned=${learned} skipped=${skipped} onTrain=${train} />`}
    <${FileRun} name=${name} />
    ${forgetting &&
    html`<${Confirm} title="Empty this queue?" action="Empty it" danger onClose=${() => forget(false)} onDo=${() => setItems(name, [])}>
      <p>${counted(items.length, "text")} in it, ${number(learned)} of which you have decided, will be forgotten. No classifier changes.</p>
    <//>`}`;
}

/** Return the labels to choose from: the classifier's, then new ones. @param {string[]} known @param {Item[]} items */
function labelsOf(known, items) {
  return [...new Set([...known, ...items.flatMap((each) => [each.label, each.expected].flat().filter((label) => typeof label === "string"))])];
}

/** @param {{ items: Item[], waiting: number }} props */
function Progress({ items, waiting }) {
  const corrected = items.filter((each) => each.state === "corrected").length;
  const done = items.length - waiting;
  return html`<div class="queue-progress">
    <progress max=${items.length} value=${done} aria-label="Texts that are looked at"></progress>
    <span role="status" class="muted">${number(done)} of ${number(items.length)}, ${number(corrected)} corrected</span>
  </div>`;
}

/** @param {{ name: string, learned: number, skipped: Item[], onTrain: () => void }} props */
function Done({ name, learned, skipped, onTrain }) {
  function again() {
    putItems(name, skipped.map((each) => ({ ...each, state: /** @type {const} */ ("waiting"), at: undefined })));
  }
  return html`<${Sheet}><${Empty} title=${learned ? "You have looked at all of it" : "No text waits here"}>
    ${learned
      ? html`<p>${counted(learned, "row")} can be learned by the next version.</p>`
      : html`<p>Drop a file below, and review what <bdi>${name}</bdi> is least sure of; or correct what you <a href=${href(["try"], { models: name })}>try</a>.</p>`}
    <p class="row">
      ${learned > 0 && html`<${Button} primary onClick=${onTrain} keyName="t">Train the next version<//>`}
      ${skipped.length > 0 && html`<${Button} onClick=${again}>Look at ${counted(skipped.length, "skipped text")} again<//>`}
    </p>
  <//><//>`;
}

/** @param {{ name: string, item: Item, record: Json | null, labels: string[], waiting: Item[], onShow: (text: string) => void }} props */
function Card({ name, item, record, labels: known, waiting, onShow }) {
  const several = record?.kind === "multi_label";
  const answer = useReply("predict", { model_name: name, text: item.text });
  const [typing, type] = useState(/** @type {string | null} */ (null));
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const said = answer.value ? { ...item, ...asItem(item.text, answer.value, undefined, record?.label_thresholds), expected: item.expected } : item;
  const proposed = item.expected ?? said.predicted;
  const [picked, pick] = useState(/** @type {string[] | null} */ (null));
  const marked = picked ?? (Array.isArray(proposed) ? proposed : []);
  const scores = /** @type {Record<string, number>} */ (answer.value?.scores ?? {});
  const labels = known.length ? known : Object.keys(scores);
  // Few labels keep their places, and their keys; of many, the likeliest come first.
  const ordered = labels.length <= DIGITS ? labels : [...labels].sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0));
  const bulk = route.value.query.step === "bulk";
  const predicted = said.predicted;
  useEffect(() => {
    if (typing !== null) field.current?.focus();
  }, [typing === null]);
  /** @param {Given} label */
  function decide(label) {
    putItems(name, [{ ...said, label, state: isSame(label, predicted) ? "accepted" : "corrected", at: Date.now() }]);
  }
  /** @param {string} typed */
  function choose(typed) {
    const label = typed.trim();
    if (!label) return;
    if (!several) return decide(label);
    pick((marked.includes(label) ? marked.filter((each) => each !== label) : [...marked, label]).sort());
    type(null);
  }
  function skip() {
    putItems(name, [{ ...said, state: "skipped", at: Date.now() }]);
  }
  const accept = () => predicted !== null && decide(predicted);
  const confirm = () => several && decide(marked);
  useKeys([
    { key: "a", does: "Accept what the classifier says", run: accept },
    ...ordered.slice(0, DIGITS).map((label, at) => ({ key: `${at + 1}`, does: several ? `Mark ${label}, or not` : `It is ${label}`, run: () => choose(label) })),
    ...(several ? [{ key: "d", does: "Decide on the marked labels", run: confirm }] : []),
    { key: "n", does: "Type another label", run: () => type("") },
    { key: "s", does: "Skip", run: skip },
    { key: "b", does: "Decide on texts that are alike at once", run: () => setQuery({ step: bulk ? "" : "bulk" }) },
  ]);
  const isNew = said.in_scope !== null && said.in_scope < NEW_BELOW;
  const list = `labels-of-${name}`;
  return html`<div class="two">
      <${Sheet} class="card">
        <p class="said" dir="auto" aria-live="polite" tabindex=${item.text.length > LONG_CHARS ? 0 : undefined}><${Text} max=${1_500}>${item.text}<//></p>
        <p>${predicted === null ? "It abstained." : html`It says <b><bdi>${inLine(predicted)}</bdi></b>${said.score !== null && `, with a score of ${score(said.score)}`}.`}
          ${item.expected && html` The file says <b class=${isSame(item.expected, predicted) ? "" : "bad-ink"}><bdi>${inLine(item.expected)}</bdi></b>.`}
          ${isNew && html` <${Chip} kind="note">unlike the training data<//>`}</p>
        <p class="row">
          <${Button} primary onClick=${accept} disabled=${predicted === null} keyName="a">Accept${predicted !== null && html` <bdi>${inLine(predicted)}</bdi>`}<//>
          <${Button} onClick=${skip} keyName="s">Skip<//>
          <${Button} onClick=${() => setQuery({ step: bulk ? "" : "bulk" })} pressed=${bulk} keyName="b">Alike<//>
        </p>
        <h3>${several ? "or mark its labels" : "or choose another label"}</h3>
        <div class="chips labels" role="group" aria-label="Labels">
          ${ordered.slice(0, 2 * DIGITS).map((label, at) => html`<${Button} key=${label} pressed=${several ? marked.includes(label) : undefined} onClick=${() => choose(label)} keyName=${at < DIGITS ? `${at + 1}` : undefined}><bdi>${label}</bdi><//>`)}
          ${typing === null && html`<${Button} quiet onClick=${() => type("")} keyName="n">${labels.length > 2 * DIGITS ? "Another or a new label" : "A new label"}<//>`}
        </div>
        ${several && html`<p class="row"><${Button} onClick=${confirm} keyName="d">Decide: <bdi>${inLine(marked)}</bdi><//></p>`}
        ${typing !== null &&
        html`<form class="row" onSubmit=${submits(() => choose(typing))} onKeyDown=${(event) => event.key === "Escape" && type(null)}>
          <div class="search"><input ref=${field} class="input" aria-label="Label" maxlength="256" list=${list} autocomplete="off" value=${typing} onInput=${(event) => type(event.target.value)} /></div>
          <datalist id=${list}>${labels.map((label) => html`<option value=${label}></option>`)}</datalist>
          <${Button} type="submit" disabled=${!typing.trim()} keyName="Enter">Choose it<//>
        </form>`}
      <//>
      <div>
        ${answer.value && html`<${Sheet} title="What it weighs"><${Bars} scores=${Object.entries(scores)} best=${Array.isArray(predicted) ? undefined : predicted} /><//>`}
        <${Problem} error=${answer.error} again=${answer.again} />
        ${waiting.length > 1 &&
        html`<${Sheet} title="Next">
          <ul class="plain apart">${waiting
            .filter((each) => each !== item)
            .slice(0, SHOWN_NEXT)
            .map((each) => html`<li key=${each.text}><button type="button" class="link next-text" onClick=${() => onShow(each.text)}><bdi>${each.text.slice(0, 70)}</bdi></button><span class="faint"><bdi>${inLine(each.predicted) ?? ""}</bdi></span></li>`)}</ul>
        <//>`}
      </div>
    </div>
    ${bulk && html`<${Alike} name=${name} item=${said} labels=${labels} marked=${several ? marked : null} waiting=${waiting} />`}`;
}

/**
 * Return the texts that are like one: not said to be something else, with rare words in common; the most alike first.
 * @param {Item} item
 * @param {Item[]} others
 */
function alike(item, others) {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
  /** @param {string} text */
  const wordsOf = (text) => new Set([...segmenter.segment(text.toLowerCase())].flatMap((each) => (each.isWordLike ? [each.segment] : [])));
  const all = others.map((each) => ({ item: each, words: wordsOf(each.text) }));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { words } of all) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  /** @param {Iterable<string>} words */
  const weight = (words) => [...words].reduce((sum, word) => sum + Math.log(1 + all.length / (counts.get(word) ?? 1)) ** 2, 0);
  const own = wordsOf(item.text);
  const ownWeight = weight(own);
  return all
    .filter((each) => each.item.text !== item.text && (each.item.predicted === null || isSame(each.item.predicted, item.predicted)))
    .map((each) => ({ item: each.item, likeness: weight([...own].filter((word) => each.words.has(word))) / Math.sqrt(ownWeight * weight(each.words) || 1) }))
    .filter((each) => each.likeness >= ALIKE)
    .sort((one, other) => other.likeness - one.likeness)
    .slice(0, MAX_ALIKE)
    .map((each) => each.item);
}

/** @param {{ name: string, item: Item, labels: string[], marked: string[] | null, waiting: Item[] }} props `marked` are the labels that a text of any number of them is to have. */
function Alike({ name, item, labels, marked, waiting }) {
  const found = useMemo(() => alike(item, waiting), [item.text, JSON.stringify(item.predicted), waiting]);
  const [left, leave] = useState(/** @type {Set<string>} */ (new Set()));
  const [chosen, choose] = useState(String(item.expected ?? item.predicted ?? ""));
  const label = marked ?? (chosen || labels[0] || "");
  const taken = found.filter((each) => !left.has(each.text));
  /** @param {string} text */
  function toggle(text) {
    const next = new Set(left);
    if (!next.delete(text)) next.add(text);
    leave(next);
  }
  async function apply() {
    const at = Date.now();
    const state = (/** @type {Item} */ each) => (isSame(each.predicted, label) ? /** @type {const} */ ("accepted") : /** @type {const} */ ("corrected"));
    await putItems(name, [item, ...taken].map((each) => ({ ...each, label, state: state(each), at })));
    setQuery({ step: "" });
    say(`${counted(taken.length + 1, "text is", "texts are")} ${inLine(label)} now. Undo takes them back at once.`);
  }
  if (!found.length) return html`<${Notice}>No other text in the queue is like this one.<//>`;
  return html`<${Sheet} title="${counted(found.length, "text")} in the queue ${found.length === 1 ? "is" : "are"} like this one">
    <ul class="plain alike" tabindex=${found.length > 6 ? 0 : undefined}>
      ${found.map((each) => html`<li key=${each.text}><label class="check"><input type="checkbox" checked=${!left.has(each.text)} onChange=${() => toggle(each.text)} /> <${Text}>${each.text}<//></label></li>`)}
    </ul>
    <div class="row">
      ${marked
        ? html`<span>This text and those ticked are <b><bdi>${inLine(marked)}</bdi></b></span>`
        : html`<label class="row">This text and those ticked are <select value=${label} onChange=${(event) => choose(event.target.value)}>${labels.map((each) => html`<option value=${each}>${each}</option>`)}</select></label>`}
      <${Button} primary onClick=${apply}>Decide on ${counted(taken.length + 1, "text")}<//>
    </div>
  <//>`;
}
