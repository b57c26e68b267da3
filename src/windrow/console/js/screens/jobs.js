/** Jobs: trainings and predictions of files that wait, run or have ended, of every process on the data directory. */
import { call, pause } from "../api.js";
import { duration, number } from "../format.js";
import { useReply } from "../load.js";
import { Ago, Button, Chip, Empty, Header, Name, NoClassifier, Reply, Tabs } from "../parts/bits.js";
import { Search } from "../parts/fields.js";
import { TableSheet } from "../parts/table.js";
import { href, route, setQuery } from "../router.js";
import { html, useEffect, useState } from "../ui.js";
import { CancelDialog } from "./train_job.js";

/** @typedef {import("../api.js").Json} Json */

const POLL_MS = 2_000;
const NEWEST = 1_000;
const KINDS = /** @type {Record<string, "good" | "bad" | "note" | "">} */ ({ queued: "note", running: "note", succeeded: "good", failed: "bad", interrupted: "bad" });
const SHOWN = /** @type {Record<string, string[]>} */ ({
  active: ["queued", "running"],
  succeeded: ["succeeded"],
  failed: ["failed", "interrupted", "cancelled"],
});

/** The list of jobs; it follows those that run. */
export function Jobs() {
  const first = useReply("list_jobs", { limit: NEWEST });
  const [jobs, setJobs] = useState(/** @type {Json[] | null} */ (null));
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (first.value) setJobs(first.value.jobs);
  }, [first.value]);
  const seen = first.value !== null;
  useEffect(() => {
    const abort = new AbortController();
    if (!seen) return undefined; // nothing to keep fresh
    pause(POLL_MS)
      .then(() => (abort.signal.aborted ? null : call("list_jobs", { limit: NEWEST }, { shown: false, signal: abort.signal })))
      .then((reply) => reply && setJobs(reply.jobs), () => {}) // the next round asks again, and the page says that nothing answers
      .then(() => abort.signal.aborted || setRound(round + 1));
    return () => abort.abort();
  }, [round, seen]);
  return html`<${Header} title="Jobs" note="Trainings and predictions of files, the newest one first."><a class="button primary" href=${href(["train"])}>Train</a><//>
    <${Reply} of=${first}>${(reply) => html`<${List} jobs=${jobs ?? reply.jobs} />`}<//>`;
}

/** @param {{ jobs: Json[] }} props */
function List({ jobs }) {
  const { state = "all", q = "" } = route.value.query;
  const [cancelled, setCancelled] = useState(/** @type {Json | null} */ (null));
  if (!jobs.length) {
    return html`<${NoClassifier} title="No training yet">Each training is a job: it is listed here while it waits and runs, and after it has ended.<//>`;
  }
  const count = (/** @type {string} */ name) => jobs.filter((job) => SHOWN[name]?.includes(job.state)).length;
  const tabs = [
    ["all", `All ${number(jobs.length)}`],
    ["active", `Waiting and running ${number(count("active"))}`],
    ["succeeded", `Succeeded ${number(count("succeeded"))}`],
    ["failed", `Not succeeded ${number(count("failed"))}`],
  ];
  const found = jobs.filter((job) => (SHOWN[state]?.includes(job.state) ?? true) && job.model_name.toLowerCase().includes(q.toLowerCase()));
  /** @type {import("../parts/table.js").Columns} */
  const columns = [
    { title: "State", cell: (job) => html`<${State} job=${job} />` },
    { title: "Classifier", cell: (job) => html`<${Made} job=${job} />` },
    { title: "Rows", number: true, minor: true, cell: (job) => (isFit(job) ? number(job.num_examples) : rowsOf(job)) },
    { title: "Iterations", number: true, minor: true, cell: (job) => (isFit(job) ? job.num_iterations || "head only" : "–") },
    { title: "Asked for", minor: true, cell: (job) => html`<${Ago} at=${job.created_at} />${job.key_name && html` <span class="faint">with <bdi>${job.key_name}</bdi></span>`}` },
    { title: "Took", number: true, minor: true, cell: took },
    { hidden: "What to do", number: true, cell: (job) => SHOWN.active?.includes(job.state)
        ? html`<${Button} onClick=${() => setCancelled(job)}>Cancel<//>`
        : html`<a href=${href(["train", job.id])}>${job.state === "succeeded" ? "Report" : job.state === "cancelled" ? "Details" : "Why"}<span class="sr-only"> of ${job.model_name}</span></a>` },
  ];
  return html`<div class="spread jobs-tools">
      <${Tabs} label="Which jobs" tabs=${tabs} open=${state} onOpen=${(name) => setQuery({ state: name === "all" ? "" : name })} />
      <${Search} label="Search by the classifier's name" placeholder="Classifier" />
    </div>
    <${TableSheet} label="Jobs" columns=${columns} rows=${found} keyOf="id" empty=${html`<${Empty} title="None of the jobs is like that"><${Button} onClick=${() => setQuery({ state: "", q: "" })}>Show all<//><//>`} />
    ${cancelled && html`<${CancelDialog} job=${cancelled} onClose=${() => setCancelled(null)} />`}`;
}

/** @param {{ job: Json }} props */
function State({ job }) {
  const { progress } = job;
  const more =
    job.state === "queued"
      ? job.ahead > 0 && `${number(job.ahead)} before it`
      : progress && `${progress.stage}${progress.num_steps ? ` ${progress.step} of ${progress.num_steps}` : ""}${progress.seconds_left == null ? "" : `, about ${duration(Math.ceil(progress.seconds_left)).replace(".0", "")} left`}`;
  return html`<a class="state" href=${href(["train", job.id])}><${Chip} kind=${KINDS[job.state] ?? ""} title=${job.problem?.detail}>${job.state}<//></a>
    ${more && html` <span class="muted">${more}</span>`}
    ${job.problem && job.state !== "cancelled" && html`<span class="muted why minor"> <bdi>${job.problem.detail}</bdi></span>`}`;
}

/** What a job made, or was to make. @param {{ job: Json }} props */
function Made({ job }) {
  if (!isFit(job)) return html`<bdi>${job.model_name}</bdi> <${Chip} title=${job.files.input}>files<//>`;
  if (job.state !== "succeeded") return html`<bdi>${job.model_name}</bdi>`;
  return html`<${Name} of=${job.model_name} /><span class="faint">@${job.revision}</span>`;
}

/** @param {Json} job */
const isFit = (job) => job.kind === "fit";

/** The rows of files, as far as they are known. @param {Json} job */
function rowsOf(job) {
  const rows = job.files.report?.rows ?? job.progress?.num_steps;
  return rows ? number(rows) : "–";
}

/** @param {Json} job */
function took(job) {
  if (!job.started_at) return "–";
  const end = job.finished_at ? Date.parse(job.finished_at) : Date.now();
  const seconds = Math.round((end - Date.parse(job.started_at)) / 1_000); // both are whole seconds
  return seconds < 1 ? "< 1 s" : duration(seconds).replace(".0", "");
}
