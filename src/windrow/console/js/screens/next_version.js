/** The next version of a classifier in one flow: trained with corrections, compared with the old one, offered for promotion. */
import { call, isRefused } from "../api.js";
import { counted, inLine, interval, number, percent } from "../format.js";
import { addItems, isSame, itemsOf, loadTestSets, putItems, setItems, testSets } from "../kept.js";
import { useAction, useAsync, useReply } from "../load.js";
import { Button, Chip, Header, Name, Notice, Problem, Reply, Scroll, Sheet, Text, Waiting, Warnings } from "../parts/bits.js";
import { Accuracy } from "../parts/charts.js";
import { Check, Input, Select } from "../parts/fields.js";
import { go, href, route, setQuery } from "../router.js";
import { classifiers, hasAllRows, nextName, refresh } from "../store.js";
import { html, submits, useEffect, useState } from "../ui.js";
import { Accuracies, Flips, Promotions } from "./compare.js";
import { Cancel, Progress, useJob } from "./train_job.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../kept.js").Item} Item */
/** @typedef {import("../kept.js").Given} Given */

const RECIPE = ["base_model", "num_iterations", "batch_size", "seed", "max_seconds", "cross_validate", "tags"];
const ENDED = ["failed", "cancelled", "interrupted"];
/** @param {{ name: string }} props */
export function NextVersion({ name }) {
  const { job } = route.value.query;
  return html`<${Header} title="The next version" note=${html`of <${Name} of=${name} />, with what you corrected`}>
      <a class="button" href=${href(["correct"], { model: name })}>Back to the queue</a>
    <//>
    ${job ? html`<${Training} key=${job} name=${name} jobId=${job} />` : html`<${Form} name=${name} />`}`;
}

/** @param {{ name: string }} props */
function Form({ name }) {
  const record = useReply("show", { model_name: name }, { shown: false });
  const decided = itemsOf(name).filter((each) => each.label !== null && !each.job);
  const withAccepted = route.value.query.accepted !== "no";
  const rows = decided.filter((each) => withAccepted || each.state === "corrected");
  const accepted = decided.filter((each) => each.state === "accepted").length;
  const corrected = decided.length - accepted;
  const proposed = classifiers.value.loaded ? nextName(name) : "";
  const [typed, setTyped] = useState("");
  const { run, busy, error } = useAction(start);
  const revision = Math.max(0, ...rows.map((each) => each.revision ?? 0)) || record.value?.revision;
  async function start() {
    const recipe = Object.fromEntries(RECIPE.map((each) => [each, record.value?.[each]]));
    const several = record.value?.kind === "multi_label";
    const training_data = rows.map(({ text, label }) => (several ? { text, labels: [label ?? []].flat() } : { text, label }));
    const description = `${name}@${revision} with ${counted(rows.length, "corrected or accepted row")}`;
    const job = await call("start_fit", { ...recipe, model_name: typed || proposed, extends: `${name}@${revision}`, training_data, description });
    await putItems(name, rows.map((each) => ({ ...each, job: job.id })));
    setQuery({ job: job.id });
  }
  if (!decided.length) {
    return html`<${BeingLearned} name=${name} /><${Notice}>Nothing is corrected or accepted yet. <a href=${href(["correct"], { model: name })}>Go to the queue</a>.<//>`;
  }
  return html`<${Reply} of=${record}>${(/** @type {Json} */ model) => {
    const { num_examples: kept, labels } = model, keeps = hasAllRows(model);
    const given = rows.flatMap((each) => each.label ?? []);
    const fresh = [...new Set(given)].filter((label) => !labels.includes(label));
    return html`<form class="two" onSubmit=${submits(run)}>
      <${Sheet} title="Train it">
        <${Input} label="Name" value=${typed || proposed} onInput=${(text) => setTyped(text.trim())} hint="The old version stays as it is, and answers until you promote this one." />
        ${keeps
          ? html`<p>It extends <b><bdi>${name}</bdi>@${revision}</b>: its ${counted(kept, "kept row")}, and ${counted(rows.length, "row")} of yours; one of yours replaces a kept one of the same text.</p>`
          : html`<${Notice} kind="warn">The rows of <bdi>${name}</bdi> were not kept, so they cannot be extended. <a href=${href(["train"])}>Train with all rows</a> instead.<//>`}
        ${accepted > 0 &&
        html`<${Check} checked=${withAccepted} onChange=${() => setQuery({ accepted: withAccepted ? "no" : "" })}>Also learn ${counted(accepted, "accepted row")}, beside ${counted(corrected, "corrected one")}. They confirm what it knows already.<//>`}
        ${fresh.map((label) => html`<${FewRows} label=${label} count=${given.filter((each) => each === label).length} />`)}
        <${Problem} error=${error} />
        <p class="row"><${Button} type="submit" primary busy=${busy} disabled=${!rows.length || !keeps}>Train ${typed || proposed}<//></p>
      <//>
      <${Sheet} title=${counted(rows.length, "row")}>
        <${Scroll} label="Rows to learn">${rows.map((each) => html`<${Flip} key=${each.text} text=${each.text} was=${each.predicted} now=${each.label} />`)}<//>
      <//>
    </form>`;
  }}<//>`;
}

/** @param {{ label: string | null, count: number }} props */
function FewRows({ label, count }) {
  return html`<${Notice} kind=${count < 4 ? "warn" : "note"}><b><bdi>${label}</bdi></b> is a new label, with ${counted(count, "row")}.${count < 4 && " From fewer than 4 it can hardly be learned: about 8 work well."}<//>`;
}

/** @param {{ text: string, was: Given | null, now: Given | null }} props */
function Flip({ text, was, now }) {
  return html`<div class="flip"><span><${Text}>${text}<//></span>${isSame(was, now) ? html`<span class="faint">accepted</span>` : html`<span class="was"><bdi>${inLine(was) ?? "abstained"}</bdi></span>`}<span class="now"><bdi>${inLine(now)}</bdi></span></div>`;
}

/** @param {{ name: string, jobId: string }} props */
function Training({ name, jobId }) {
  const { job, told, losses, error, again } = useJob(jobId);
  const state = job?.state;
  const isLost = isRefused(error, "job_not_found");
  const hasFailed = ENDED.includes(state);
  useEffect(() => {
    if (state === "succeeded") learned(name, jobId);
    else if (hasFailed || isLost) putItems(name, learning(name, jobId).map((each) => ({ ...each, job: undefined })));
  }, [state, isLost]);
  if (isLost || hasFailed) {
    return html`<${Notice} kind=${isLost ? "warn" : "bad"} role="alert">
      <p>${isLost ? "The server no longer knows this training. If it did not make the version, train it again." : html`<b>${job?.model_name} was not trained.</b> <bdi>${job?.problem?.detail}</bdi>`}</p>
      <p>Your corrections are still there.</p><p><${Button} onClick=${() => setQuery({ job: "" })}>Back to the form<//></p><//>`;
  }
  if (error) return html`<${Problem} error=${error} again=${again} />`;
  if (!job) return html`<${Waiting} />`;
  if (state === "succeeded") return html`<${Trained} name=${name} job=${job} />`;
  return html`<${Progress} job=${job} told=${told} losses=${losses} title=${html`Training <bdi>${job.model_name}</bdi>`} tools=${html`<${Cancel} job=${job} />`} />`;
}

/** Leads to a training that has not told yet how it ended, since its page was left. @param {{ name: string }} props */
export function BeingLearned({ name }) {
  const rows = itemsOf(name).filter((each) => each.job);
  const job = rows[0]?.job;
  if (!job) return null;
  return html`<${Notice}>A training learns ${counted(rows.length, "row")} of yours. <a href=${href(["correct"], { model: name, step: "train", job })}>See how it goes</a>.<//>`;
}

/** Return what a training learns. @param {string} name @param {string} jobId */
function learning(name, jobId) {
  return itemsOf(name).filter((each) => each.job === jobId);
}

/** Take what was learned out of the queue. @param {string} name @param {string} jobId */
async function learned(name, jobId) {
  await setItems(name, itemsOf(name).filter((each) => each.job !== jobId));
  await refresh();
}

/** @param {{ name: string, job: Json }} props */
function Trained({ name, job }) {
  const loaded = useAsync(loadTestSets, []);
  const before = job.extends ?? name;
  const after = `${job.model_name}@${job.revision}`;
  const waiting = itemsOf(name).filter((each) => each.state === "waiting");
  const sets = testSets.value;
  const set = sets.find((each) => each.sha256 === route.value.query.test) ?? sets[0];
  const compared = useReply(set ? "compare" : null, { model_names: [before, after], test_data: set?.rows });
  const isBetter = !set || compared.value?.recommendation.model_name === after;
  async function goOn() {
    await addItems(job.model_name, waiting.map(({ text, expected }) => (expected ? { text, expected } : { text })));
    await setItems(name, itemsOf(name).filter((each) => each.state !== "waiting"));
    go(["correct"], { model: job.model_name });
  }
  return html`<${Notice} kind="good" role="status"><b><bdi>${job.model_name}</bdi> is trained</b>, on ${counted(job.num_examples, "row")}: ${number(job.taken_over_rows)} kept ones and ${number(job.num_examples - job.taken_over_rows)} of yours${job.replaced_rows > 0 && `, which replaced ${number(job.replaced_rows)}`}.<//>
    ${loaded.busy && !sets.length ? null : set ? html`<${Compared} reply=${compared} before=${before} after=${after} set=${set} />` : html`<${Estimates} before=${before} after=${after} />`}
    <p class="row">
      <${Promotions} former=${name} reference=${job.model_name} test=${set?.sha256} primary=${isBetter}>it<//>
      <a class="button" href=${href(["try"], { models: `${name},${job.model_name}` })}>Try both</a>
      ${waiting.length > 0 && html`<${Button} onClick=${goOn}>Go on with ${counted(waiting.length, "text")}, read by the new version<//>`}
    </p>`;
}

/** @param {{ reply: import("../load.js").Loaded<any>, before: string, after: string, set: import("../kept.js").TestSet }} props */
function Compared({ reply, before, after, set }) {
  const sets = testSets.value.map((each) => [each.sha256, `${each.name}, ${counted(each.rows.length, "row")}`]);
  return html`<${Sheet} title="Old and new on a test set" tools=${html`<${Select} aria-label="Test set" value=${set.sha256} options=${sets} onChange=${(test) => setQuery({ test })} />`}>
      <${Reply} of=${reply}>${({ recommendation, warnings }) => html`
        <${Notice} kind=${recommendation.model_name === after ? "good" : "note"}><bdi>${recommendation.reason}</bdi><//>
        <${Warnings} of=${warnings} />
        <p><a href=${href(["compare"], { models: `${before},${after}`, test: set.sha256 })}>The whole comparison</a></p>`}<//>
    <//>
    ${reply.value && html`<${Accuracies} found=${reply.value} />${reply.value.disagreements.length > 0 && html`<${Flips} found=${reply.value} first=${before} rival=${after} />`}`}`;
}

/** @param {{ before: string, after: string }} props */
function Estimates({ before, after }) {
  const old = useReply("show", { model_name: before }, { shown: false });
  const fresh = useReply("show", { model_name: after }, { shown: false });
  const [was, is] = [old.value?.report.estimate, fresh.value?.report.estimate];
  return html`<${Sheet} title="Old and new, as estimated" tools=${html`<${Chip}>cross-validated<//>`}>
    <dl class="facts">${[[before, was], [after, is]].map(([name, each]) => html`<dt><bdi>${name}</bdi></dt><dd><${Accuracy} estimated value=${each?.accuracy} interval=${each?.interval} /></dd>`)}</dl>
    <${Problem} error=${old.error ?? fresh.error} />
    ${was && is && html`<p>${verdict(was, is)}</p>`}
    <p class="muted">A test set would tell more: rows with labels that no version was trained on. None is remembered in this browser, and on the corrected rows a comparison
      would not be honest, since the new version has learned them. <a href=${href(["judge"], { model: after.replace(/@\d+$/, "") })}>Drop a test set in Judge</a>.</p>
  <//>`;
}

/** @param {Json} was @param {Json} is */
function verdict(was, is) {
  const facts = `${percent(was.accuracy)} before (${interval(was.interval)}), ${percent(is.accuracy)} now (${interval(is.interval)})`;
  if (is.interval.low > was.interval.high) return `The new version is estimated to be better: ${facts}.`;
  if (is.interval.high < was.interval.low) return `The new version is estimated to be worse: ${facts}. Look at its corrected rows before you promote it.`;
  return `The estimates do not tell them apart: ${facts}. Each is of its own rows, and hard rows that were added lower it.`;
}
