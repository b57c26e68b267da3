/** Type a text, and see at once what classifiers say about it, and why. */
import { call, returned } from "../api.js";
import { givenLabels, inLine, milliseconds, number, score } from "../format.js";
import { asItem, corrections, isSame, itemsOf, loadCorrections, NEW_BELOW, putItems, saving } from "../kept.js";
import { useReply } from "../load.js";
import { AliasChip, Button, Header, Name, NoClassifier, Notice, Problem, Reply, Sheet, Text, Warnings } from "../parts/bits.js";
import { Bars } from "../parts/charts.js";
import { Check, ClassifierChips, Input } from "../parts/fields.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { href, route, setQuery } from "../router.js";
import { classifiers, useClassifiers } from "../store.js";
import { html, signal, submits, useEffect, useRef, useState } from "../ui.js";
import { FileRun } from "./try_file.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../ui.js").View} View */

const DEBOUNCE_MS = 150;
const REST_MS = 700;
const IN_ADDRESS_CHARS = 1_000;
const MAX_EXAMPLES = 12;
/** From that length on a text may scroll, and the keys must reach it. */
const LONG_CHARS = 500;
const STORED = { text: "windrow.try.text", models: "windrow.try.models", examples: "windrow.try.examples" };

/** The view. */
export function Try() {
  useClassifiers();
  const { query } = route.value;
  const names = query.models === undefined ? proposed() : query.models.split(",").filter(Boolean);
  const [text, type] = useText();
  const { answers, error, ms } = useAnswers(names, text);
  const [correcting, correct] = useState(/** @type {Json | null} */ (null));
  useEffect(() => void loadCorrections(), []);
  const [first] = answers;
  useKeys([
    { key: "c", does: "Correct the first answer", run: () => first && correct(first) },
    { key: "w", does: "Show why the first answer was given", run: () => first && setQuery({ why: query.why ? "" : names[0] ?? "" }) },
  ]);
  /** @param {string[]} chosen */
  function choose(chosen) {
    if (chosen.length) localStorage.setItem(STORED.models, chosen.join(","));
    setQuery({ models: chosen.join(",") || ",", why: chosen.includes(query.why ?? "") ? query.why : "" });
  }
  if (classifiers.value.loaded && !classifiers.value.models.length) {
    return html`<${Header} title="Try" /><${NoClassifier} title="There is nothing to try yet">Train a classifier first: from a spreadsheet with a text and a label in each row. Or try below what labels alone can do.<//>
      <${Sheet} class="try-text"><textarea aria-label="Text" dir="auto" value=${text} onInput=${(event) => type(event.target.value)}></textarea><//>
      <${LabelsAlone} text=${text} />`;
  }
  return html`<${Header} title="Try">
      <span class="faint" role="status" aria-label="Time">${answers.length > 0 && milliseconds(ms)}</span>
      <${Examples} onChoose=${type} />
    <//>
    <${Sheet} class="try-text">
      <${ClassifierChips} names=${names} label="Add a classifier" onChange=${choose} />
      <textarea aria-label="Text" dir="auto" value=${text} placeholder="Type a text, and see what it is." onInput=${(event) => type(event.target.value)}></textarea>
      ${!names.length && html`<p class="muted">Add a classifier or an alias above; several answer side by side.</p>`}
      <${Problem} error=${error} />
    <//>
    ${text.trim() &&
    html`<div class="halves answers">
      ${answers.map(
        (answer, at) => html`<${AnswerSheet} key=${names[at] ?? at} name=${names[at] ?? ""} answer=${answer} text=${text} first=${at === 0} onCorrect=${() => correct(answer)} />`,
      )}
    </div>`}
    ${query.why && text.trim() && names.includes(query.why) && html`<${Why} key=${query.why} name=${query.why} text=${text} />`}
    <${LabelsAlone} text=${text} />
    ${names[0] && html`<${FileRun} name=${names[0]} />`}
    ${correcting && html`<${CorrectDialog} text=${text} answer=${correcting} onClose=${() => correct(null)} />`}`;
}

/** Return the classifiers that were tried last; else the aliases; else what answered last. */
function proposed() {
  const { models, aliases } = classifiers.value;
  const known = new Set([...models.map((each) => each.name), ...aliases.map((each) => each.alias)]);
  const last = (localStorage.getItem(STORED.models) ?? "").split(",").filter((name) => known.has(name));
  if (last.length) return last;
  const answering = aliases.filter((each) => each.answers).map((each) => each.alias);
  if (answering.length) return answering.slice(0, 2);
  const [latest] = [...models].sort((one, other) => usedAt(other).localeCompare(usedAt(one)));
  return latest ? [latest.name] : [];
}

/** @param {import("../store.js").Model} model */
function usedAt(model) {
  return `${model.last_used_at ?? ""} ${model.created_at}`;
}

/**
 * Return the text, which the address and this tab keep, and how to change it.
 * @returns {[string, (text: string) => void]}
 */
function useText() {
  const { text: inAddress, why } = route.value.query;
  const [text, setText] = useState(inAddress ?? sessionStorage.getItem(STORED.text) ?? "");
  const written = useRef(/** @type {string | undefined} */ (inAddress));
  useEffect(() => {
    if (inAddress !== undefined && inAddress !== written.current) setText(inAddress);
    written.current = inAddress;
  }, [inAddress]);
  useEffect(() => {
    const timer = setTimeout(() => {
      sessionStorage.setItem(STORED.text, text);
      if (text.trim()) remember("tried", text);
      written.current = text && text.length <= IN_ADDRESS_CHARS ? text : undefined;
      if (route.peek().path[0] === "try") setQuery({ text: written.current });
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  /** @param {string} typed */
  function type(typed) {
    if (why) setQuery({ why: "" }); // it explained another text
    setText(typed);
  }
  return [text, type];
}

/** @typedef {{ answers: Json[], error: Error | null, ms: number }} Answers */

/**
 * Return what classifiers say about a text, soon after it was typed; the newest text wins.
 * @param {string[]} names
 * @param {string} text
 * @returns {Answers}
 */
function useAnswers(names, text) {
  const [state, setState] = useState(/** @type {Answers} */ ({ answers: [], error: null, ms: 0 }));
  const revived = returned.value;
  useEffect(() => {
    const abort = new AbortController();
    async function ask() {
      if (!names.length || !text.trim()) return setState({ answers: [], error: null, ms: 0 });
      const started = performance.now();
      const asked = names.length === 1 ? { model_name: names[0], text } : { model_names: names, text };
      try {
        const reply = await call("predict", asked, { signal: abort.signal });
        if (abort.signal.aborted) return undefined;
        setState({ answers: reply.predictions ?? [reply], error: null, ms: performance.now() - started });
      } catch (error) {
        if (!abort.signal.aborted) setState({ answers: [], error: /** @type {Error} */ (error), ms: 0 });
      }
      return undefined;
    }
    const timer = setTimeout(ask, DEBOUNCE_MS);
    return () => (clearTimeout(timer), abort.abort());
  }, [names.join(), text, revived]);
  return state;
}

/** @param {{ name: string, answer: Json, text: string, first: boolean, onCorrect: () => void }} props */
function AnswerSheet({ name, answer, text, first, onCorrect }) {
  const record = useReply("show", { model_name: name }, { shown: false });
  const threshold = record.value?.threshold?.abstain_below;
  const best = Math.max(...Object.values(/** @type {Record<string, number>} */ (answer.scores)));
  const kept = !saving.value && corrections.value[answer.model_name]?.items.find((each) => each.text === text && each.label !== null);
  const isOpen = route.value.query.why === name;
  return html`<${Sheet}
    title=${html`<${Name} of=${answer.model_name} />`}
    tools=${html`${answer.alias && html`<${AliasChip} name=${answer.alias} />`}<span class="faint">revision ${answer.revision}</span>`}
  >
    ${answer.abstained && html`<${Notice} kind="warn"><b>Abstained</b>: the best score, ${score(best)}, is below the threshold${threshold != null && ` of ${score(threshold)}`}.<//>`}
    <div role="status" class="sr-only">${givenLabels(answer) ?? "abstained"}, ${score(best)}</div>
    ${answer.labels && html`<p class="chips">${answer.labels.length ? answer.labels.map((/** @type {string} */ each) => html`<span class="chip good"><bdi>${each}</bdi></span>`) : "None of the labels fits."}</p>`}
    <${Bars} scores=${Object.entries(answer.scores)} best=${answer.abstained ? null : undefined} threshold=${threshold} />
    <p class="scope ${answer.in_scope !== null && answer.in_scope < NEW_BELOW ? "new" : "muted"}">${scopeInWords(answer.in_scope)}</p>
    ${answer.truncated && html`<p class="scope new">Only its beginning was read: the text is longer than the base model reads.</p>`}
    ${kept && html`<${Notice} kind="good">Kept for the next version: this is <b><bdi>${inLine(kept.label)}</bdi></b>. <a href=${href(["correct"], { model: answer.model_name, step: "train" })}>Train it</a> when there are enough.<//>`}
    <p class="row">
      <${Button} onClick=${onCorrect} keyName=${first ? "c" : undefined}>Wrong? Correct it<//>
      <${Button} onClick=${() => setQuery({ why: isOpen ? "" : name })} pressed=${isOpen} keyName=${first ? "w" : undefined}>Why?<//>
    </p>
  <//>`;
}

/** What a text is by what labels are called, without a classifier. @param {{ text: string }} props */
function LabelsAlone({ text }) {
  const { labels = "", several = "" } = route.value.query;
  const [typed, type] = useState(labels);
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text.trim()), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const names = [...new Set(labels.split(",").map((each) => each.trim()))].filter(Boolean);
  const enough = names.length > (several ? 0 : 1);
  const found = useReply(settled && enough ? "classify" : null, { text: settled, labels: names, multi_label: several !== "" });
  return html`<details class="sheet" open=${labels !== ""}>
    <summary>Without a classifier: by labels that you type</summary>
    <form class="row" onSubmit=${submits(() => setQuery({ labels: typed }))}>
      <${Input} label="Labels, apart by commas" value=${typed} onInput=${type} hint="Plain words for what texts are about. No row is learned, and nothing is kept." />
      <${Button} type="submit" busy=${found.busy && enough && settled !== ""}>Classify<//>
    </form>
    <${Check} checked=${several !== ""} onChange=${(/** @type {boolean} */ on) => setQuery({ several: on ? "yes" : "" })}>A text may have several of them, or none<//>
    ${labels && !enough && html`<p class="muted">Type at least two labels, or one of which a text may have several.</p>`}
    <${Problem} error=${found.error} again=${found.again} />
    ${found.value && html`<div role="region" aria-label="By labels alone">
      <p class="chips">${(found.value.labels ?? [found.value.label]).map((/** @type {string} */ each) => html`<span class="chip good"><bdi>${each}</bdi></span>`)}${found.value.labels?.length === 0 && "None of the labels fits."}</p>
      <${Bars} scores=${Object.entries(found.value.scores)} />
      <${Warnings} of=${found.value.warnings} />
    </div>`}
  </details>`;
}

/** @param {number | null} share */
function scopeInWords(share) {
  if (share === null) return "Whether it is like the training data cannot be told: there were too few rows.";
  const percent = `${Math.floor(100 * share)} %`;
  if (share < NEW_BELOW) return `Unlike the training data: only ${percent} of its own texts are further off. It may fit none of the labels.`;
  if (share < 0.25) return `Somewhat like the training data: more than ${percent} of its own texts are.`;
  return `Like the training data: more than ${percent} of its own texts are.`;
}

/** @param {{ name: string, text: string }} props */
function Why({ name, text }) {
  const reply = useReply("predict", { model_name: name, text, explain: true });
  useEffect(() => {
    for (const row of reply.value?.explanation.nearest_rows ?? []) remember("rows", row.text);
  }, [reply.value]);
  return html`<${Sheet} title=${html`Why <bdi>${name}</bdi> says so`}>
    <${Reply} of=${reply}>${({ explanation }) => html`<div class="two">
      <div>${[explanation, ...explanation.further_labels].map((each) => html`<${Words} text=${text} words=${each.words} label=${each.label} />`)}</div>
      <${NearestRows} rows=${explanation.nearest_rows} />
    </div>`}<//>
  <//>`;
}

/** @param {{ text: string, words: Json[], label: string }} props */
function Words({ text, words, label }) {
  const points = Array.from(text); // places are counted in code points
  const most = Math.max(0.001, ...words.map((each) => Math.abs(each.effect)));
  /** @type {View[]} */
  const parts = [];
  let at = 0;
  for (const { word, start, effect } of words) {
    const level = Math.round((3 * Math.abs(effect)) / most);
    parts.push(points.slice(at, start).join(""));
    at = start + Array.from(word).length;
    parts.push(level ? html`<mark class="${effect > 0 ? "for" : "against"}${level}" title=${signed(effect)}>${word}</mark>` : word);
  }
  const [strongest] = [...words].sort((one, other) => Math.abs(other.effect) - Math.abs(one.effect));
  return html`<div>
    <h3>Words that count</h3>
    <p class="explained" dir="auto" tabindex=${points.length > LONG_CHARS ? 0 : undefined}>${parts}${points.slice(at).join("")}</p>
    ${strongest
      ? html`<p class="muted">Without “<bdi>${strongest.word}</bdi>” the score of <bdi>${label}</bdi> would ${strongest.effect >= 0 ? "fall" : "rise"} by
          ${` ${Math.abs(strongest.effect).toFixed(2)}`}. <mark class="for2">Marked so</mark>, a word speaks for it; <mark class="against2">so</mark>, against it.</p>`
      : html`<p class="muted">A single word is not weighed against others.</p>`}
  </div>`;
}

/** @param {number} effect */
function signed(effect) {
  return `${effect < 0 ? "−" : "+"}${Math.abs(effect).toFixed(3)}`;
}

/** @param {{ rows: Json[] | null }} props */
function NearestRows({ rows }) {
  return html`<div>
    <h3>Training rows most like it</h3>
    ${rows
      ? html`<ul class="plain apart">${rows.map(
          (row) => html`<li><span><${Text}>${row.text}<//> <span class="chip"><bdi>${givenLabels(row)}</bdi></span></span><span class="faint" title="Similarity, from −1 to 1">${score(row.similarity)}</span></li>`,
        )}</ul>`
      : html`<p class="muted">They cannot be shown: they were not kept, or your API key lacks the scope rows.</p>`}
  </div>`;
}

/** @param {{ text: string, answer: Json, onClose: () => void }} props */
function CorrectDialog({ text, answer, onClose }) {
  const record = useReply("show", { model_name: answer.model_name }, { shown: false });
  const labels = /** @type {string[]} */ (record.value?.labels ?? Object.keys(answer.scores));
  const several = answer.kind === "multi_label";
  const [label, setLabel] = useState("");
  const [marked, mark] = useState(/** @type {string[]} */ (answer.labels ?? []));
  const model = answer.model_name;
  async function keep() {
    const item = asItem(text, answer, undefined, record.value?.label_thresholds);
    const own = several ? [...new Set([...marked, label.trim()])].filter(Boolean).sort() : label.trim();
    await putItems(model, [{ ...item, label: own, state: isSame(own, item.predicted) ? "accepted" : "corrected", at: Date.now() }]);
    const learned = itemsOf(model).filter((each) => each.label !== null).length;
    say(`Kept. ${number(learned)} ${learned === 1 ? "row waits" : "rows wait"} for the next version of ${model}.`);
  }
  return html`<${Confirm} title=${several ? "Which labels fit?" : "What is it?"} action="Keep it for the next version" disabled=${!several && !label.trim()} onClose=${onClose} onDo=${keep}>
    <p class="explained"><${Text}>${text}<//></p>
    <div class="chips labels" role="group" aria-label="Labels">
      ${labels.map((each) => html`<${Button} key=${each} pressed=${several ? marked.includes(each) : each === label} onClick=${() => (several ? mark(marked.includes(each) ? marked.filter((other) => other !== each) : [...marked, each]) : setLabel(each))}><bdi>${each}</bdi><//>`)}
    </div>
    ${several && html`<p class="hint">Press those that fit; none where no label does.</p>`}
    <${Input} label="or a new label" maxlength="256" value=${labels.includes(label) ? "" : label} onInput=${setLabel} />
    <p class="hint">It stays in this browser until a version is trained with it.</p>
  <//>`;
}

/** @typedef {{ tried: string[], rows: string[] }} Remembered */

/** @returns {Remembered} */
function remembered() {
  try {
    return { tried: [], rows: [], ...JSON.parse(sessionStorage.getItem(STORED.examples) ?? "{}") };
  } catch {
    return { tried: [], rows: [] };
  }
}

const examples = signal(remembered());

/** Keep a text for the menu of examples. @param {keyof Remembered} kind @param {string} text */
function remember(kind, text) {
  const all = examples.peek();
  // Typing on replaces what it was so far.
  const others = all[kind].filter((each) => each !== text && !(kind === "tried" && text.startsWith(each)));
  const kept = { ...all, [kind]: [text, ...others].slice(0, MAX_EXAMPLES) };
  if (text.length > IN_ADDRESS_CHARS) return;
  examples.value = kept;
  sessionStorage.setItem(STORED.examples, JSON.stringify(kept));
}

/** @param {{ onChoose: (text: string) => void }} props */
function Examples({ onChoose }) {
  const all = examples.value;
  const wrong = Object.values(corrections.value).flatMap((each) => each.items.filter((item) => item.state === "corrected" || item.expected));
  /** @type {[string, string[]][]} */
  const groups = [
    ["Tried before", all.tried],
    ["Read wrong before", wrong.slice(0, MAX_EXAMPLES).map((each) => each.text)],
    ["Training rows", all.rows],
  ];
  const some = groups.filter(([, texts]) => texts.length);
  /** @param {any} event */
  function onChange(event) {
    onChoose(event.target.value);
    event.target.value = "";
  }
  return html`<select class="examples" aria-label="Examples" disabled=${!some.length} onChange=${onChange}>
    <option value="">${some.length ? "Examples" : "No examples yet"}</option>
    ${some.map(([title, texts]) => html`<optgroup label=${title}>${texts.map((text) => html`<option value=${text}>${text.slice(0, 90)}</option>`)}</optgroup>`)}
  </select>`;
}
