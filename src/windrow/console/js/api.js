/**
 * Requests to the server: the same public endpoints, with the same API keys, that every client uses.
 *
 * A connection that breaks, and a key that is missing, are dealt with here, so that no view has to.
 */
import { signal } from "../vendor/signals.js";

/** Where the server stands, also under a path prefix: `http://host:14345/`. */
export const SERVER = new URL("../../../", import.meta.url);
const KEY = "windrow.key";
const MAX_RECORDED = 20;
const POLL_MS = 1_000;
/** Of a request, and then of the question whether the server is there at all. */
const HANGS_MS = 4_000;

/** Each verb's method and path; what stands in braces is taken from the fields. */
const ENDPOINTS = {
  fit: "POST /fit",
  start_fit: "POST /fit?wait=false",
  estimate_fit: "POST /fit?dry_run=true",
  predict: "POST /predict",
  classify: "POST /../classify",
  start_predict_files: "POST /predict-files",
  inspect: "POST /inspect",
  list_jobs: "GET /jobs",
  job: "GET /jobs/{job_id}",
  follow_job: "GET /jobs/{job_id}/events",
  cancel_job: "POST /jobs/{job_id}/cancel",
  evaluate: "POST /evaluate",
  report: "POST /report",
  compare: "POST /compare",
  cross_validate: "POST /cross-validate",
  suggest: "POST /suggest",
  list_classifiers: "GET /models",
  delete_all: "DELETE /models",
  import_classifier: "POST /models/import",
  export: "GET /models/{model_name}/export",
  show: "GET /models/{model_name}",
  describe: "PATCH /models/{model_name}",
  set_threshold: "PUT /models/{model_name}/threshold",
  delete: "DELETE /models/{model_name}",
  restore: "POST /models/{model_name}/restore",
  copy: "POST /models/{model_name}/copy",
  reproduce: "POST /models/{model_name}/reproduce",
  list_aliases: "GET /aliases",
  promote: "PUT /aliases/{alias}",
  remove_alias: "DELETE /aliases/{alias}",
  alias_history: "GET /aliases/{alias}/history",
  rollback: "POST /aliases/{alias}/rollback",
  bind: "PUT /bindings",
  list_bindings: "GET /bindings",
  base_models: "GET /base-models",
  remove_base_model: "DELETE /base-models/{base_model}",
  usage: "GET /usage",
  fsck: "POST /fsck",
  forget: "POST /forget",
  create_key: "POST /keys",
  list_keys: "GET /keys",
  limit_key: "PUT /keys/{name}/limits",
  revoke_key: "DELETE /keys/{name}",
  audit: "GET /audit",
};
/** What may be sent again when a connection breaks, though it is a POST. */
const IDEMPOTENT = new Set(["predict", "classify", "inspect", "estimate_fit", "compare", "suggest"]);
/** What asks for a file and is answered with one. */
const FILES = new Set(["inspect", "import_classifier"]);

/** What takes a `null`, which clears something. */
export const CLEARING = new Set(["set_threshold", "bind"]);

/** @typedef {keyof typeof ENDPOINTS} Verb */
/**
 * What is asked, by the API's names.
 * @typedef {Record<string, any>} Fields
 */
/**
 * What is answered; lists that some replies have are named, so that what is done to each entry needs no type of its own.
 * @typedef {{ [name: string]: any, base_models: any[], bins: any[], candidates: any[], columns: any[], coverage: any[],
 *   disagreements: any[], findings: any[], import_warnings: any[], misclassified: any[], models: any[], notes: any[],
 *   pairs: any[], problems: any[], questions: any[], stages: any[], tags: string[], text_columns: string[],
 *   warnings: any[] }} Json
 */

/**
 * @typedef {object} Options
 * @property {Blob} [file] The body of a verb that takes a file; the fields then stand in the query.
 * @property {boolean} [shown] Whether the request drawer shows it; true unless it is false.
 * @property {AbortSignal} [signal] Ends the request.
 * @property {boolean} [blob] Whether the reply is a file.
 */

/**
 * @typedef {object} Recorded
 * @property {Verb} verb
 * @property {Fields} fields
 * @property {string} method
 * @property {URL} url
 * @property {Fields | null} body
 * @property {Blob | null} file
 * @property {number} status
 * @property {unknown} reply
 * @property {number} ms How long it took.
 */

/** The requests that were made for this view, the newest one first. */
export const recorded = signal(/** @type {Recorded[]} */ ([]));
/** Whether the server answers. */
export const connected = signal(true);
/** Whether the server came back as another release, whose files are not those of this page. */
export const outdated = signal(false);
/** Counts how often the server came back after it did not answer. */
export const returned = signal(0);
/** Why an API key is asked for; empty while none is. */
export const keyWanted = signal("");
/** @type {((given: boolean) => void)[]} */
let waiting = [];
/** Whether the person who was asked for a key last gave none, and how often that was so. */
let isDeclined = false;
let refusals = 0;

/** What the server refused, or why it could not be asked. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where no reply came.
   * @param {Fields} problem
   */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? "The server did not say what went wrong.");
    this.name = "ApiError";
    this.status = status;
    /** @type {string} */
    this.code = problem.code ?? "unknown";
    this.problem = problem;
  }
}

/**
 * Whether the server refused for a reason.
 * @param {unknown} error
 * @param {...string} codes
 * @returns {error is ApiError}
 */
export function isRefused(error, ...codes) {
  return error instanceof ApiError && codes.includes(error.code);
}

/**
 * Do a verb, and return its reply.
 * @param {Verb} verb
 * @param {Fields} [fields] Of the request, by the API's names; `undefined` and `null` are left out, but for a `null` that clears.
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(verb, fields = {}, options = {}) {
  const request = prepare(verb, fields, options.file);
  const started = performance.now();
  const key = apiKey();
  const before = refusals;
  const response = await send(verb, request, options);
  const reply = await content(response, options.blob ?? false);
  if (options.shown !== false) record({ ...request, status: response.status, reply, ms: performance.now() - started });
  if (response.ok) return reply;
  if (response.status === 401) {
    // Another request may have had the person asked meanwhile. What nobody waits for asks no second time.
    const isAnswered = refusals > before || (isDeclined && options.shown === false);
    if ((apiKey() && apiKey() !== key) || (!isAnswered && (await askForKey(reply?.detail ?? "")))) return call(verb, fields, options);
  }
  throw new ApiError(response.status, reply ?? {});
}

/**
 * Follow a job until it ends; a broken connection is taken up again.
 * @param {string} jobId
 * @param {(job: Json) => void} onChange
 * @param {AbortSignal} signal Ends it.
 * @returns {Promise<void>}
 */
export async function follow(jobId, onChange, signal) {
  let last = /** @type {Json | null} */ (null);
  const finished = ["succeeded", "failed", "cancelled", "interrupted"];
  while (!signal.aborted && !finished.includes(last?.state)) {
    if (last) await pause(POLL_MS);
    const request = prepare("follow_job", { job_id: jobId });
    const response = await send("follow_job", request, { signal });
    if (response.status === 401 && (await askForKey(""))) continue;
    if (!response.ok) throw new ApiError(response.status, await content(response, false));
    try {
      for await (const data of events(response)) onChange((last = JSON.parse(data)));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SyntaxError) throw error;
      await waitForServer();
    }
  }
}

/** Return what a request is made of. @param {Verb} verb @param {Fields} fields @param {Blob} [file] */
export function prepare(verb, fields, file) {
  const [method = "", template = ""] = ENDPOINTS[verb].split(" ");
  const clears = CLEARING.has(verb);
  const rest = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null || (clears && value === null)));
  const path = template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = String(rest[name]);
    delete rest[name];
    return name === "base_model" ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });
  const url = new URL(`v1/classifier${path}`, SERVER);
  const takesJson = !FILES.has(verb) && !["GET", "DELETE"].includes(method);
  if (!takesJson) {
    for (const [name, value] of Object.entries(rest)) {
      for (const each of [value].flat()) url.searchParams.append(name, String(each));
    }
  }
  return { verb, fields, method, url, body: takesJson ? rest : null, file: file ?? null };
}

/** Return the API key of this browser tab; empty where there is none. */
export function apiKey() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** Ask for another API key than this tab has; it stays where none is given. */
export function changeKey() {
  keyWanted.value = "This tab goes on with another API key.";
}

/**
 * Keep an API key until this browser tab is closed, or give none.
 * @param {string | null} key `null` where the person has none.
 */
export function giveKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else if (waiting.length) sessionStorage.removeItem(KEY); // the server has refused it
  isDeclined = !key;
  if (!key) refusals += 1;
  keyWanted.value = "";
  const callers = waiting;
  waiting = [];
  for (const answer of callers) answer(Boolean(key));
  if (key) returned.value += 1; // every view asks again, for what this key may see
}

/** Forget which requests were made: a new view begins. */
export function clearRecorded() {
  recorded.value = [];
}

/** @param {string} why @returns {Promise<boolean>} */
function askForKey(why) {
  keyWanted.value = why || "This server needs an API key.";
  return new Promise((answer) => waiting.push(answer));
}

/**
 * @param {Verb} verb
 * @param {ReturnType<typeof prepare>} request
 * @param {Options} options
 * @returns {Promise<Response>}
 */
async function send(verb, request, options) {
  const key = apiKey();
  /** @type {Record<string, string>} */
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (request.body) headers["Content-Type"] = "application/json";
  else if (request.file) headers["Content-Type"] = "application/octet-stream";
  const body = request.body ? JSON.stringify(request.body) : request.file;
  const again = request.method === "GET" || IDEMPOTENT.has(verb);
  for (;;) {
    const timer = setTimeout(lookForServer, HANGS_MS);
    try {
      const init = { method: request.method, headers, body, signal: options.signal ?? null };
      const response = await fetch(request.url, init);
      connected.value = true;
      return response;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const wait = waitForServer();
      if (!again) throw new ApiError(0, { code: "connection_lost", detail: LOST });
      await wait;
    } finally {
      clearTimeout(timer);
    }
  }
}

const LOST =
  "The connection broke before the server answered, so it is not known whether it was done. Look whether it was before you do it again.";
/** @type {Promise<void> | null} */
let revival = null;

/** Wait until the server answers. */
function waitForServer() {
  revival ??= revive();
  return revival;
}

/** Say that the server does not answer where it hangs; an answer that merely takes long is waited for in silence. */
async function lookForServer() {
  const answers = fetch(new URL("health/ready", SERVER), { cache: "no-store" }).then(() => true);
  if (await Promise.race([answers, pause(HANGS_MS).then(() => false)]).catch(() => false)) return;
  connected.value = false;
  waitForServer();
}

async function revive() {
  for (;;) {
    try {
      const response = await fetch(new URL("health/ready", SERVER), { cache: "no-store" });
      if (response.ok) {
        // The address of a file holds the digest of them all.
        outdated.value = (await fetch(import.meta.url, { method: "HEAD", cache: "no-store" })).status === 404;
        break;
      }
    } catch {
      connected.value = false; // it is asked again
    }
    await pause(POLL_MS);
  }
  if (!connected.peek()) returned.value += 1;
  connected.value = true;
  revival = null;
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @param {Response} response @param {boolean} blob @returns {Promise<any>} */
async function content(response, blob) {
  if (response.ok && blob) return response.blob();
  const text = await response.text();
  if (/json/.test(response.headers.get("Content-Type") ?? "")) return JSON.parse(text);
  return response.ok ? text : { code: "no_problem", detail: `The server answered with status ${response.status}.` };
}

/** @param {Recorded} request */
function record(request) {
  const reply = /** @type {Json | null} */ (request.reply);
  // A new key is shown once, by its view alone: not to whoever looks over a shoulder at the drawer later on.
  const shown = request.verb === "create_key" && reply?.key ? { ...request, reply: { ...reply, key: `${reply.hint}…` } } : request;
  recorded.value = [shown, ...recorded.peek()].slice(0, MAX_RECORDED);
}

/** Yield the data of each event of a stream. @param {Response} response @returns {AsyncGenerator<string>} */
async function* events(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
      if (data.length) yield data.join("\n");
    }
  }
}
