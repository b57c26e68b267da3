/** The request drawer: what was just asked of the server, as curl, Python and JSON. */
import { apiKey, CLEARING, recorded, SERVER } from "../api.js";
import { milliseconds } from "../format.js";
import { html, signal, useState } from "../ui.js";
import { Button, Copy, Tabs } from "./bits.js";
import { Select } from "./fields.js";

const STORED = "windrow.drawer";
const open = signal(localStorage.getItem(STORED) === "open");

/** Open the drawer, or close it. */
export function toggleDrawer() {
  open.value = !open.peek();
  localStorage.setItem(STORED, open.peek() ? "open" : "closed");
}

/** The drawer at the foot of each view. */
export function Drawer() {
  const [tab, setTab] = useState("curl");
  const [chosen, setChosen] = useState(/** @type {Recorded | null} */ (null));
  const requests = recorded.value;
  // What was done comes before what the view reads again after it.
  const request = requests.find((each) => each === chosen) ?? requests.find((each) => each.method !== "GET") ?? requests[0];
  const names = requests.map((each, place) => [String(place), `${each.method} ${each.url.pathname.replace(/.*\/v1\/classifier/, "")}`]);
  const withKey = Boolean(apiKey());
  return html`<aside class="drawer ${open.value ? "open" : ""}" aria-label="The request behind this view">
    <div class="drawer-head">
      <button type="button" class="link" aria-expanded=${String(open.value)} aria-keyshortcuts="r" onClick=${toggleDrawer}>
        <span aria-hidden="true">${open.value ? "▾" : "▸"}</span> Request <kbd aria-hidden="true">r</kbd>
      </button>
      ${request && html`<code class="faint">${request.method} ${request.url.pathname}</code>
        <span class="faint">${request.status} · ${milliseconds(request.ms)}</span>`}
    </div>
    ${open.value &&
    (request
      ? html`<div>
          <div class="drawer-tools">
            <${Tabs} label="Form of the request" tabs=${[["curl", "curl"], ["python", "Python"], ["reply", "Reply"]]} open=${tab} onOpen=${setTab} />
            ${requests.length > 1 &&
            html`<${Select} aria-label="Which request" value=${String(requests.indexOf(request))} options=${names} onChange=${(place) => setChosen(requests[Number(place)] ?? null)} />`}
            <${Copy} text=${shown(tab, request, withKey)} />
            <${Button} quiet onClick=${toggleDrawer} title="Close the drawer">✕<//>
          </div>
          <pre tabindex="0"><code>${shown(tab, request, withKey)}</code></pre>
        </div>`
      : html`<p class="faint">Nothing has been asked of the server for this view yet.</p>`)}
  </aside>`;
}

/** @param {string} tab @param {import("../api.js").Recorded} request @param {boolean} withKey */
function shown(tab, request, withKey) {
  if (tab === "curl") return asCurl(request, withKey);
  return tab === "python" ? asPython(request, SERVER, withKey) : asReply(request);
}

/** @typedef {import("../api.js").Recorded} Recorded */

const LONGEST_LIST = 3;
const LONGEST_REPLY = 20_000;
/** What the methods of `windrow.Client` are called where they are not called like the verb. */
const PYTHON = /** @type {Record<string, string>} */ ({
  list_classifiers: "models",
  list_aliases: "aliases",
  list_bindings: "bindings",
  list_jobs: "jobs",
  list_keys: "keys",
  alias_history: "history",
  import_classifier: "import_file",
});
/** Verbs whose column of texts is an argument of another name. */
const TEXTS = new Set(["predict"]);

/**
 * Return a request as a curl command.
 * @param {Recorded} request
 * @param {boolean} withKey Whether it needs an API key, which the command takes from a variable.
 */
export function asCurl(request, withKey) {
  const parts = ["curl -sS"];
  if (request.method !== "GET" && !(request.method === "POST" && (request.body || request.file))) {
    parts[0] += ` -X ${request.method}`;
  }
  parts[0] += ` ${quoted(request.url.href)}`;
  if (withKey) parts.push('-H "Authorization: Bearer $WINDROW_API_KEY"');
  if (request.body) {
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(shortened(request.body))}`);
  }
  if (request.file) parts.push(`--data-binary @${quoted(/** @type {File} */ (request.file).name ?? "FILE")}`);
  return parts.join(" \\\n  ");
}

/** Return a request as Python. @param {Recorded} request @param {URL} server @param {boolean} withKey */
export function asPython(request, server, withKey) {
  const method = PYTHON[request.verb] ?? request.verb;
  const clears = CLEARING.has(request.verb);
  const fields = Object.fromEntries(Object.entries(request.fields).filter(([, value]) => value != null || (clears && value === null)));
  if (TEXTS.has(request.verb)) {
    fields.texts ??= fields.text;
    delete fields.text;
  }
  const given = Object.entries(fields).map(([name, value]) => `${name}=${literal(value)}`);
  if (request.file) given.unshift(literal(/** @type {File} */ (request.file).name ?? "FILE"));
  const one = `client.${method}(${given.join(", ")})`;
  const call = one.length <= 76 ? one : `client.${method}(\n${given.map((each) => `        ${each},\n`).join("")}    )`;
  const where = withKey ? `${literal(server.href)}, api_key=os.environ["WINDROW_API_KEY"]` : literal(server.href);
  return `${withKey ? "import os\n\n" : ""}import windrow\n\nwith windrow.Client(${where}) as client:\n    print(${call})`;
}

/** Return a reply as text, cut where it is very long. @param {Recorded} request */
function asReply(request) {
  const reply = request.reply instanceof Blob ? `(a file of ${request.reply.size} bytes)` : request.reply;
  const text = typeof reply === "string" ? reply : JSON.stringify(reply, null, 2);
  return text.length <= LONGEST_REPLY ? text : `${text.slice(0, LONGEST_REPLY)}\n… ${text.length} characters in all`;
}

/** @param {unknown} value @returns {string} */
function shortened(value) {
  return JSON.stringify(trimmed(value), null, 1)
    .replace(/\n\s+/g, " ")
    .replace(/\s*\n/g, " ")
    .replace(/^\{ /, "{")
    .replace(/ \}$/, "}");
}

/** Return a value in which no list is long. @param {unknown} value @returns {unknown} */
function trimmed(value) {
  if (Array.isArray(value)) {
    const few = value.slice(0, LONGEST_LIST).map(trimmed);
    return value.length > few.length ? [...few, `… ${value.length} in all`] : few;
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, trimmed(each)]));
  }
  return value;
}

/** Return a value as Python writes it. @param {unknown} value @returns {string} */
function literal(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  if (Array.isArray(value)) {
    const more = value.length > LONGEST_LIST ? [`...  # ${value.length} in all\n    `] : [];
    return `[${[...value.slice(0, LONGEST_LIST).map(literal), ...more].join(", ")}]`;
  }
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([name, each]) => `${literal(name)}: ${literal(each)}`)
      .join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** @param {string} text */
function quoted(text) {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
