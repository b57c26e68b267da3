/** Compare: several classifiers on the same test rows; which answers change, and whether that shows a difference. */
import { counted, figure, givenLabels, inLine, number, percent } from "../format.js";
import { useReply } from "../load.js";
import { Button, Empty, Field, Header, Notice, Problem, Reply, Scroll, Sheet, Tabs, Text, Warnings } from "../parts/bits.js";
import { Accuracy, ConfusionMatrix } from "../parts/charts.js";
import { ClassifierChips } from "../parts/fields.js";
import { Table, TableSheet } from "../parts/table.js";
import { go, href, route, setQuery } from "../router.js";
import { aliasesOf, classifiers, refresh, useClassifiers, versionOf } from "../store.js";
import { html } from "../ui.js";
import { fineInterval } from "./evaluation.js";
import { MoreRows } from "./judge.js";
import { TestSetField, useTestSet } from "./test_set.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../parts/table.js").Columns} Columns */
/** @typedef {import("../ui.js").View} View */
/** @typedef {{ row: number, text: string, label: string | null, was: string | null, now: string | null, kind: "better" | "worse" | "other" }} Flip */

const MAX_TASKS = 12;

/** Compare classifiers on a test set; the first one is the one in use. */
export function Compare() {
  const { test = "", models = "" } = route.value.query;
  const names = models.split(",").filter(Boolean);
  const { set } = useTestSet(test);
  useClassifiers();
  const ready = names.length > 1 && set !== null;
  const found = useReply(ready ? "compare" : null, { model_names: names, test_data: set?.rows });
  const isCurrent = found.value?.models.map((/** @type {Json} */ each) => each.reference).join() === models;
  /** @param {Record<string, string>} changes */
  const ask = (changes) => go(["compare"], { models, test, ...changes });
  const rest = names.slice(1).join(" and ");
  return html`<${Header} title=${names.length > 1 ? `Compare ${names[0]} with ${rest}` : "Compare"} note="Which answers would change, and is the change for the better?">
      ${ready && found.value && isCurrent && html`<${Promote} found=${found.value} />`}
    <//>
    <${Sheet}>
      <div class="judge-form">
        <${Field} label="Classifiers" hint="The first one is the one in use, which the others must beat.">
          ${() => html`<${ClassifierChips} names=${names} label="Add a classifier" onChange=${(changed) => ask({ models: changed.join() })} />`}
        <//>
        <${TestSetField} value=${test} onChange=${(sha256) => ask({ test: sha256 })} />
        ${names.length > 1 && html`<${Button} onClick=${() => ask({ models: [...names.slice(1), names[0]].join() })} title="Take the next one as the one in use">Change places<//>`}
      </div>
    <//>
    ${names.length < 2 && html`<${Proposals} names=${names} onChoose=${(chosen) => ask({ models: chosen.join() })} />`}
    ${names.length > 1 && !set && html`<${Empty} title="On which rows?"><p>Choose a test set above: rows with their right labels that neither was trained on.</p><//>`}
    ${ready && html`<${Reply} of=${isCurrent ? found : { ...found, value: null }}>${(value) => html`<${Result} found=${value} />`}<//>`}`;
}

/**
 * Tasks of which there are several versions, to choose from.
 * @param {{ names: string[], onChoose: (names: string[]) => void }} props
 */
function Proposals({ names, onChoose }) {
  const { models, loaded, error } = classifiers.value;
  /** @type {Map<string, string[]>} */
  const tasks = new Map();
  for (const { name } of models) {
    const { task, version } = versionOf(name);
    if (version !== null) tasks.set(task, [...(tasks.get(task) ?? []), name]);
  }
  const several = [...tasks].filter(([, versions]) => versions.length > 1).slice(0, MAX_TASKS);
  if (!loaded) return html`<${Problem} error=${error} again=${refresh} />`;
  if (models.length < 2) return html`<${Empty} title="There is nothing to compare yet"><p>Two classifiers are compared on the same rows. <a href=${href(["train"])}>Train ${models.length ? "another one" : "the first one"}</a>.</p><//>`;
  return html`<${Empty} title=${names.length ? "With which other one?" : "Which classifiers?"}>
    <p>Add them above${several.length > 0 && ", or take the last versions of a task"}.</p>
    <div class="row">${several.map(([task, versions]) => html`<${Button} key=${task} onClick=${() => onChoose(lastTwo(versions))}><bdi>${task}</bdi><//>`)}</div>
  <//>`;
}

/**
 * Return the version that an alias points to, or the last but one, and the last one beside it.
 * @param {string[]} names
 */
function lastTwo(names) {
  const sorted = [...names].sort((one, other) => (versionOf(other).version ?? 0) - (versionOf(one).version ?? 0));
  const [last = "", before = ""] = sorted;
  const used = sorted.find((name) => name !== last && aliasesOf(name).length) ?? before;
  return [used, last];
}

/** The next step: to promote the one that is recommended, or the one that is looked at. @param {{ found: Json }} props */
function Promote({ found }) {
  const [first] = found.models;
  const best = found.recommendation.model_name;
  const rival = best === first.reference ? chosenRival(found) : find(found, best);
  return rival && html`<${Promotions} former=${first.model_name} reference=${rival.reference} test=${route.value.query.test} primary=${best === rival.reference}><bdi>${rival.reference}</bdi><//>`;
}

/**
 * Links to the promotion of a classifier: to each alias of the one that it would replace, or to another one.
 * @param {{ former: string, reference: string, test?: string, primary: boolean, children: View }} props `test` is the
 *   test set of the gate; `children` are what the classifier is called in the link.
 */
export function Promotions({ former, reference, test, primary, children }) {
  const aliases = aliasesOf(former).map((each) => each.alias);
  return (aliases.length ? aliases : [""]).map(
    (alias) => html`<a key=${alias} class="button ${primary ? "primary" : ""}" href=${href(["aliases", alias].filter(Boolean), { promote: reference, test })}
      >Promote ${children}${alias && html` to <bdi>${alias}</bdi>`}</a>`,
  );
}

/** @param {Json} found @param {string} reference @returns {Json | undefined} */
function find(found, reference) {
  return found.models.find((each) => each.reference === reference);
}

/** Return the one whose changes are looked at: that of the address, the recommended one, or the second. @param {Json} found */
function chosenRival(found) {
  const { against = "" } = route.value.query;
  const chosen = find(found, against || found.recommendation.model_name);
  return chosen && chosen !== found.models[0] ? chosen : found.models[1];
}

/** @param {{ found: Json }} props */
function Result({ found }) {
  const first = found.models[0];
  const rival = chosenRival(found);
  const pair = found.pairs.find((each) => each.first === first.reference && each.second === rival.reference);
  const kind = pair.better === null ? "note" : pair.better === rival.reference ? "good" : "bad";
  const rivals = /** @type {Json[]} */ (found.models.slice(1));
  return html`
    <${Notice} kind=${kind} role="status">
      <p><b><bdi>${pair.verdict}</bdi></b>${pair.better !== null && ` ${pair.second} reads ${counted(pair.fixed, "row")} right that ${pair.first} misreads, and ${number(pair.broken)} the other way, of ${counted(pair.total, "row")} that neither was trained on.`}</p>
      <p><bdi>${found.recommendation.reason}</bdi></p>
    <//>
    <${Warnings} of=${found.warnings} />
    ${rivals.length > 1 && html`<${Tabs} label="Compared with" tabs=${rivals.map((each) => [each.reference, html`<bdi>${each.reference}</bdi>`])} open=${rival.reference} onOpen=${(name) => setQuery({ against: name })} />`}
    <div class="two">
      <${Flips} found=${found} first=${first.reference} rival=${rival.reference} />
      <div>
        ${found.kind === "multi_label"
          ? html`<${LabelDifferences} pair=${pair} />`
          : html`<${Sheet} title=${html`<bdi>${rival.reference}</bdi>, row by row`} class="matrix-sheet" tools=${html`<a href=${href(["judge"], { model: rival.reference, test: route.value.query.test })}>Judge it</a>`}>
          <${ConfusionMatrix} labels=${rival.confusion_matrix.labels} counts=${rival.confusion_matrix.counts} onOpen=${([label, read]) => go(["judge"], { model: rival.reference, test: route.value.query.test, label: rival.confusion_matrix.labels[label], read: rival.confusion_matrix.labels[read] })} />
          <p class="hint">A cell opens its rows in Judge.</p>
        <//>`}
        <${Recalls} models=${found.models} />
      </div>
    </div>
    <${Accuracies} found=${found} />
    ${found.models.map((/** @type {Json} */ each) => html`<${MoreRows} key=${each.reference} of=${each.model_name} />`)}`;
}

/** On which labels two classifiers differ. @param {{ pair: Json }} props */
function LabelDifferences({ pair }) {
  const { low, high } = pair.micro_f1_interval;
  /** @type {Columns} */
  const columns = [
    { title: "Label", cell: (each) => html`<span class="name"><bdi>${each.label}</bdi></span>` },
    { title: "F1", number: true, cell: (each) => html`${figure(each.first_f1)} → <b>${figure(each.second_f1)}</b>` },
    { title: "Got right", number: true, minor: true, cell: (each) => number(each.fixed) },
    { title: "Got wrong", number: true, minor: true, cell: (each) => number(each.broken) },
    { title: "Shown", cell: (each) => (each.better === null ? html`<span class="faint">no difference</span>` : html`<span class=${each.better === pair.second ? "good-ink" : "bad-ink"}><bdi>${each.better}</bdi> is better</span>`) },
  ];
  return html`<${TableSheet} title="Labels that differ" class="tight" label="Labels that differ" columns=${columns} rows=${pair.labels} keyOf="label" empty=${html`<p class="all-right">They decide alike on each label.</p>`}>
    <p class="hint below">Micro F1 differs by ${signed(pair.micro_f1_difference)} (${signed(low)} to ${signed(high)}).</p>
  <//>`;
}

/** @param {number} difference */
function signed(difference) {
  return `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(3)}`;
}

/** The rows whose answer changes. @param {{ found: Json, first: string, rival: string }} props */
export function Flips({ found, first, rival }) {
  const { show = "" } = route.value.query;
  const all = flipsOf(found.disagreements, first, rival);
  const worse = all.filter((each) => each.kind === "worse");
  const better = all.filter((each) => each.kind === "better");
  const rows = show === "worse" ? worse : show === "better" ? better : all;
  const tabs = [["", `All ${number(all.length)}`], ["worse", `${number(worse.length)} got worse`], ["better", `${number(better.length)} got better`]];
  /** @type {Columns} */
  const columns = [
    { title: "Text", cell: (each) => html`<${Text}>${each.text}<//>` },
    { title: found.kind === "multi_label" ? "Labels" : "Label", minor: true, cell: (each) => html`<span class="name"><bdi>${each.label}</bdi></span>` },
    { title: "Answer", cell: (each) => html`<${Answer} answer=${each.was} label=${each.label} /> <span class="faint">→</span><span class="sr-only"> became </span> <${Answer} answer=${each.now} label=${each.label} />` },
  ];
  const empty = html`<p class="all-right">${all.length ? "None of the changes is of that kind." : "Both give the same answers to all rows."}</p>`;
  return html`<${Sheet} title="Rows whose answer changes" flush tools=${html`<${Tabs} label="Which changes" tabs=${tabs} open=${show} onOpen=${(name) => setQuery({ show: name })} />`}>
    <${Scroll} label="Rows" class="rows-behind"><${Table} columns=${columns} rows=${rows} keyOf="row" label="Rows whose answer changes" empty=${empty} /><//>
  <//>`;
}

/** @param {{ answer: string | null, label: string | null }} props */
function Answer({ answer, label }) {
  const isRight = answer === label;
  return html`<span class="name ${isRight ? "good-ink" : "bad-ink"}" title=${isRight ? "right" : "wrong"}><bdi>${answer}</bdi><span class="sr-only"> (${isRight ? "right" : "wrong"})</span></span>`;
}

/**
 * Return the rows to which two classifiers give different answers, those first that got worse.
 * @param {Json[]} disagreements
 * @param {string} first
 * @param {string} rival
 * @returns {Flip[]}
 */
function flipsOf(disagreements, first, rival) {
  const order = ["worse", "better", "other"];
  return disagreements
    .flatMap(({ row, text, predicted, ...right }) => {
      const label = givenLabels(right);
      const [was, now] = [inLine(predicted[first]), inLine(predicted[rival])];
      const kind = /** @type {Flip["kind"]} */ (was === label ? "worse" : now === label ? "better" : "other");
      return was === now ? [] : [{ row, text, label, was, now, kind }];
    })
    .sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

/** How many rows each gets right, and by how much that differs from the first one. @param {{ found: Json }} props */
export function Accuracies({ found }) {
  const first = found.models[0];
  /** @param {Json} each */
  const against = (each) => found.pairs.find((pair) => pair.first === first.reference && pair.second === each.reference);
  /** @param {Json} each */
  function difference(each) {
    const pair = against(each);
    if (!pair) return html`<span class="faint">in use</span>`;
    const points = `${pair.difference > 0 ? "+" : ""}${(100 * pair.difference).toFixed(1)}`;
    return html`${points} <span class="faint">(${fineInterval(pair.difference_interval).replace(" %", "")})${pair.total < each.total && ` on ${counted(pair.total, "row")}`}</span>`;
  }
  /** @type {Columns} */
  const columns = [
    { title: "Classifier", cell: (each) => html`<a href=${href(["classifiers", each.model_name])}><bdi>${each.reference}</bdi></a>${each.reference !== each.model_name && html` <span class="faint"><bdi>${each.model_name}</bdi></span>`}` },
    { title: "Accuracy", cell: (each) => html`<${Accuracy} value=${each.accuracy} interval=${each.accuracy_interval} />` },
    { title: "Right", number: true, minor: true, cell: (each) => `${number(each.correct)} of ${number(each.total)}` },
    { title: "Points more", number: true, cell: difference },
    ...(found.kind === "multi_label" ? [{ title: "Micro F1", number: true, minor: true, cell: (/** @type {Json} */ each) => each.micro_f1.toFixed(2) }] : []),
    { title: "Macro F1", number: true, minor: true, cell: (each) => each.macro_f1.toFixed(2) },
  ];
  const { accuracy } = found.majority_baseline;
  return html`<${TableSheet} title="How many rows each gets ${found.kind === "multi_label" ? "exactly right" : "right"}" columns=${columns} rows=${found.models} keyOf="reference" label="Accuracy of each classifier">
    <p class="hint below">Always answering <bdi>${givenLabels(found.majority_baseline)}</bdi> would be right for ${percent(accuracy)}.</p>
  <//>`;
}

/** The recall of each label, side by side. @param {{ models: Json[] }} props */
function Recalls({ models }) {
  const labels = [...new Set(models.flatMap((each) => each.labels.map((/** @type {Json} */ row) => row.label)))];
  /** @param {Json} model @param {string} label */
  const recall = (model, label) => model.labels.find((/** @type {Json} */ each) => each.label === label);
  /** @type {Columns} */
  const columns = [
    { title: "Label", cell: (label) => html`<span class="name"><bdi>${label}</bdi></span>` },
    ...models.map((model) => ({
      title: html`<bdi>${model.reference}</bdi>`,
      number: true,
      cell: (/** @type {string} */ label) => {
        const own = recall(model, label);
        const before = recall(/** @type {Json} */ (models[0]), label);
        const change = own && before ? own.correct - before.correct : 0;
        return html`<span class=${change > 0 ? "good-ink" : change < 0 ? "bad-ink" : ""}>${own?.recall_text ?? "–"}</span>`;
      },
    })),
  ];
  return html`<${TableSheet} title="Recall of each label" class="tight" columns=${columns} rows=${labels} keyOf=${(label) => label} label="Recall of each label by classifier" />`;
}
