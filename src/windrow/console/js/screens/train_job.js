/** A job, a training or a prediction of files: how far it is, and what came of it. */
import { call, follow } from "../api.js";
import { ago, counted, duration, number } from "../format.js";
import { useAction, useReply } from "../load.js";
import { Button, Header, Name, Notice, Problem, Reply, Sheet, Waiting } from "../parts/bits.js";
import { LineChart } from "../parts/charts.js";
import { useKeys } from "../parts/keys.js";
import { Confirm, say } from "../parts/overlays.js";
import { href } from "../router.js";
import { classifiers, refresh, useClassifiers } from "../store.js";
import { html, useEffect, useState } from "../ui.js";
import { requestOf, showRequest, startFit, takeUp } from "./train_data.js";
import { TrainReport } from "./train_report.js";

/** @typedef {import("../api.js").Json} Json */
/** @typedef {import("../ui.js").View} View */

const STAGES = /** @type {[string, string][]} */ ([
  ["encoding", "Encode the texts"],
  ["training", "Train the encoder"],
  ["validating", "Judge it on held-out rows"],
  ["finishing", "Fit the head"],
  ["saving", "Save"],
]);
const STATES = /** @type {Record<string, string>} */ ({
  queued: "waits for its turn",
  running: "runs",
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted",
});
const SECOND_MS = 1_000;
const LONG_S = 60;
/** @type {Map<string, number[]>} The losses that were seen, by job; so they stay when another view is looked at. */
const seen = new Map();

/** Follow a training. @param {string} id */
export function useJob(id) {
  const [job, setJob] = useState(/** @type {Json | null} */ (null));
  const [told, setTold] = useState(0); // when the job was last heard of
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    const losses = seen.get(id) ?? [];
    seen.set(id, losses);
    let former = "";
    const onChange = (/** @type {Json} */ next) => {
      const { stage, step, loss } = next.progress ?? {};
      if (loss != null && former !== `${stage} ${step}`) losses.push(loss);
      former = `${stage} ${step}`;
      if (next.state === "succeeded") refresh();
      setTold(Date.now());
      setJob(next);
    };
    follow(id, onChange, abort.signal).catch((problem) => abort.signal.aborted || setError(problem));
    return () => abort.abort();
  }, [id, round]);
  return { job, told, losses: seen.get(id) ?? [], error, again: () => (setError(null), setRound(round + 1)) };
}

/** @param {{ name: string }} props The job's id. */
export function TrainJob({ name: id }) {
  const { job, told, losses, error, again } = useJob(id);
  useReply(requestOf(id) ? null : "job", { job_id: id }); // for the request drawer; the job itself comes as events
  useEffect(() => showRequest(id), [id]);
  if (error) return html`<${Header} title="Job" /><${Problem} error=${error} again=${again} /><p><a href=${href(["jobs"])}>All jobs</a></p>`;
  if (!job) return html`<${Header} title="Job" /><${Waiting} />`;
  if (job.kind === "predict_files") return html`<${FilesJob} job=${job} told=${told} />`;
  const running = job.state === "queued" || job.state === "running";
  const stage = STAGES.find(([each]) => each === job.progress?.stage)?.[1];
  return html`<p class="sr-only" role="status">${job.state === "running" && stage ? stage : `The training ${STATES[job.state]}.`}</p>
    ${job.state === "succeeded" ? html`<${Done} job=${job} />` : html`<${Unfinished} job=${job} running=${running} told=${told} losses=${losses} />`}`;
}

/** @param {{ job: Json, running: boolean, told: number, losses: number[] }} props */
function Unfinished({ job, running, told, losses }) {
  return html`<${Header} title=${`Training of ${job.model_name}`} note=${describe(job)}>${running && html`<${Cancel} job=${job} />`}<//>
    ${running ? html`<${Progress} job=${job} told=${told} losses=${losses} />` : html`<${Ended} job=${job} />`}`;
}

/** @param {Json} job */
function describe(job) {
  const taken = job.extends ? `, of which ${number(job.taken_over_rows)} are taken over from ${job.extends}` : "";
  const how = job.num_iterations ? `num_iterations ${job.num_iterations}` : "the head only";
  const labels = Object.keys(job.label_descriptions ?? {}).length;
  const learned = job.num_examples ? `${counted(job.num_examples, "row")}${taken}; ${how}` : `no row, but what ${counted(labels, "label")} mean`;
  return `${learned}; ${job.base_model}; asked for ${ago(job.created_at)}${job.key_name ? ` with the key ${job.key_name}` : ""}.`;
}

/** @param {{ job: Json }} props */
function Done({ job }) {
  const reference = `${job.model_name}@${job.revision}`;
  const record = useReply("show", { model_name: reference }, { shown: !requestOf(job.id) });
  return html`<${Reply} of=${record}>${(value) => html`<${TrainReport} record=${value} job=${job} />`}<//>
    ${!record.value && html`<${Header} title=${`${reference} is trained`} />`}`;
}

/** A prediction of files. @param {{ job: Json, told: number }} props */
function FilesJob({ job, told }) {
  const { files, progress, problem } = job;
  const { report } = files;
  const now = useSeconds();
  const running = job.state === "queued" || job.state === "running";
  const left = progress?.seconds_left == null ? null : Math.max(0, progress.seconds_left - (now - told) / SECOND_MS);
  const again = href(["classifiers", job.model_name], { tab: "files", input: files.input, output: files.output });
  const rest = report && [[report.abstained, "without a label"], [report.truncated, "truncated"], [report.noted, "noted"]].filter(([count]) => count).map(([count, what]) => `, ${number(count)} ${what}`).join("");
  return html`<${Header} title=${`Files, by ${job.model_name}`} note=${`Asked for ${ago(job.created_at)}${job.key_name ? ` with the key ${job.key_name}` : ""}.`}>${running && html`<${Cancel} job=${job} />`}<//>
    <p class="sr-only" role="status">The prediction ${STATES[job.state]}.</p>
    ${running && html`<${Sheet}>
      <p class="clock">${job.state === "queued" ? (job.ahead ? `${counted(job.ahead, "job")} before it` : "Next in the queue") : left === null ? "Reading the files" : `About ${clock(left)} left`}</p>
      <progress aria-label="Progress of the prediction" max="1" value=${progress?.num_steps ? progress.step / progress.num_steps : undefined}></progress>
      <p class="muted">${progress ? `${number(progress.step)}${progress.num_steps ? ` of ${number(progress.num_steps)}` : ""} rows${progress.num_shards ? `; ${number(progress.shards)} of ${counted(progress.num_shards, "shard")}` : ""}. ` : ""}You may leave this page: it goes on.</p>
    <//>`}
    ${report && html`<${Notice} kind="good"><p><b>${counted(report.rows, "row")} of ${counted(report.files, "file")} are classified</b>, in ${counted(report.shards, "shard")}${rest}.</p><//>`}
    ${problem && html`<${Notice} kind=${job.state === "cancelled" ? "note" : "bad"}><p><b>The prediction ${STATES[job.state]}.</b></p><p><bdi>${problem.detail}</bdi></p><p class="faint">${problem.code}</p><//>`}
    <${Sheet} title="What it does"><dl class="facts">
      <dt>Classifier</dt><dd><${Name} of=${job.model_name} />${job.revision && html`<span class="faint">@${job.revision}</span>`}</dd>
      <dt>Reads</dt><dd><bdi class="mono">${files.input}</bdi></dd>
      <dt>Writes to</dt><dd><bdi class="mono">${files.output}</bdi></dd>
    </dl><//>
    <div class="row">${problem && html`<a class="button primary" href=${again}>Start it again</a>`}<a href=${href(["jobs"])}>All jobs</a></div>`;
}

/** A button that cancels a job, after a question. @param {{ job: Json }} props */
export function Cancel({ job }) {
  const [asked, setAsked] = useState(false);
  useKeys([{ key: "x", does: "Cancel the job", run: () => setAsked(true) }]);
  return html`<${Button} keyName="x" onClick=${() => setAsked(true)}>Cancel<//>
    ${asked && html`<${CancelDialog} job=${job} onClose=${() => setAsked(false)} />`}`;
}

/** A question before a job is cancelled. @param {{ job: Json, onClose: () => void }} props */
export function CancelDialog({ job, onClose }) {
  useClassifiers();
  const isFit = job.kind === "fit";
  async function onDo() {
    await call("cancel_job", { job_id: job.id });
    say(isFit ? `The training of ${job.model_name} was cancelled.` : "The prediction was cancelled.");
  }
  const former = classifiers.value.models.find((each) => each.name === job.model_name);
  const what = isFit ? "training" : "prediction";
  return html`<${Confirm} title=${`Cancel this ${what}?`} action=${`Cancel the ${what}`} back="Let it go on" danger onClose=${onClose} onDo=${onDo}>
    ${!isFit && html`<p>The shards that are done stay. Started again as it was, it goes on behind them.</p>`}
    ${isFit && html`<p>Nothing of it is left behind.${former && html` <bdi>${former.name}@${former.revision}</bdi> goes on answering.`}</p>`}
  <//>`;
}

/** Draw again each second. */
function useSeconds() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** How far a training is. @param {{ job: Json, told: number, losses: number[], title?: View, tools?: View }} props */
export function Progress({ job, told, losses, title, tools }) {
  const now = useSeconds();
  const elapsed = Math.max(0, (now - Date.parse(job.started_at ?? job.created_at)) / SECOND_MS);
  const progress = job.progress;
  if (job.state === "queued") {
    return html`<${Sheet} title=${title} tools=${tools}>
      <p class="clock">${job.ahead ? `${counted(job.ahead, "training")} before it` : "Next in the queue"}</p>
      <p>It waits for its turn.</p>
      <p class="muted">For ${clock(elapsed)} so far. You may leave this page: it goes on.</p>
    <//>`;
  }
  const at = STAGES.findIndex(([stage]) => stage === progress?.stage);
  const stages = STAGES.filter(([stage]) => job.num_iterations || (stage !== "training" && stage !== "validating"));
  const left = progress?.seconds_left == null ? null : Math.max(0, progress.seconds_left - (now - told) / SECOND_MS);
  const share = left === null ? undefined : Math.min(0.99, elapsed / (elapsed + left || 1));
  return html`<${Sheet} title=${title} tools=${tools}>
    <p class="clock">${left === null ? clock(elapsed) : left < 1 ? "Done in a moment" : `About ${clock(left)} left`}</p>
    <progress aria-label="Progress of the training" max="1" value=${share}></progress>
    <p class="muted">${clock(elapsed)} so far${progress?.num_steps ? `; step ${number(progress.step)} of ${number(progress.num_steps)}` : ""}. You may leave this page: it goes on.</p>
    <ol class="stages" aria-label="Stages">
      ${stages.map(([stage, title]) => {
        const place = STAGES.findIndex(([each]) => each === stage);
        return html`<li key=${stage} class=${place < at ? "done" : ""} aria-current=${place === at ? "step" : undefined}>${place < at ? "✓ " : ""}${title}</li>`;
      })}
    </ol>
    ${!progress && html`<p class="muted">Another process runs it, so how far it is cannot be seen from here.</p>`}
    ${losses.length > 1 && html`<${Losses} losses=${losses} />`}
  <//>`;
}

/** @param {{ losses: number[] }} props */
function Losses({ losses }) {
  const top = Math.max(...losses);
  const points = losses.map((y, x) => ({ x, y }));
  return html`<h3>Loss of the contrastive steps</h3>
    <${LineChart} label=${`The loss after ${counted(losses.length, "step")}: ${losses[0]?.toFixed(2)} at first, ${losses[losses.length - 1]?.toFixed(2)} now`} height=${170}
      x=${[0, Math.max(1, losses.length - 1)]} y=${[0, top]} xTicks=${[]} yTicks=${[[0, "0"], [top, top.toFixed(1)]]} xName="steps, also those of the trainings on parts of the rows" lines=${[{ points, dots: losses.length < 40 }]} />`;
}

/** @param {number} seconds */
function clock(seconds) {
  return seconds < LONG_S ? `${Math.round(seconds)} s` : `${Math.floor(seconds / LONG_S)} min ${Math.round(seconds % LONG_S)} s`;
}

const NEXT = /** @type {Record<string, string>} */ ({
  cancelled: "Nothing of it was saved.",
  interrupted: "The server that ran it ended first. Nothing of it was saved; what answered before answers still.",
  failed: "Nothing of it was saved; what answered before answers still.",
});

/** A training that made nothing: why, and what to do. @param {{ job: Json }} props */
function Ended({ job }) {
  const request = requestOf(job.id);
  const { run, busy, error } = useAction(() => (takeUp(job.id), startFit(/** @type {Json} */ (request))));
  const settings = {
    name: job.model_name,
    num_iterations: String(job.num_iterations),
    base_model: job.base_model,
    cross_validate: job.cross_validate ? "" : "no",
    extends: job.extends,
  };
  return html`<${Notice} kind=${job.state === "cancelled" ? "note" : "bad"}>
      <p><b>The training ${job.state === "failed" ? "failed" : job.state === "cancelled" ? "was cancelled" : "was interrupted"}.</b> ${NEXT[job.state]}</p>
      ${job.problem && html`<p><bdi>${job.problem.detail}</bdi></p><p class="faint">${job.problem.code}${job.started_at && job.finished_at && ` · after ${duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / SECOND_MS)}`}</p>`}
    <//>
    <${Problem} error=${error} />
    <div class="row">
      ${request && html`<${Button} primary busy=${busy} onClick=${run}>Train again<//>`}
      <a class="button ${request ? "" : "primary"}" href=${href(["train"], settings)} onClick=${() => takeUp(job.id)}>${request ? "Change the rows or settings" : "Train with the same settings"}</a>
      <a href=${href(["jobs"])}>All jobs</a>
    </div>
    ${!request && html`<p class="hint">The rows are not in this tab any more; choose their file again.</p>`}`;
}
