/** The request drawer: what was just asked of the server, as curl, Python and JSON. */
import { apiKey, recorded, SERVER } from "../api.js";
import { asCurl, asPython, asReply } from "../code.js";
import { milliseconds } from "../format.js";
import { html, signal, useState } from "../ui.js";
import { Button, Copy, Tabs } from "./bits.js";

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
  const [at, setAt] = useState(0);
  const requests = recorded.value;
  const request = requests[Math.min(at, requests.length - 1)];
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
      ? html`<div class="drawer-body">
          <div class="drawer-tools">
            <${Tabs} label="Form of the request" tabs=${[["curl", "curl"], ["python", "Python"], ["reply", "Reply"]]} open=${tab} onOpen=${setTab} />
            ${requests.length > 1 &&
            html`<select aria-label="Which request" onChange=${(/** @type {any} */ event) => setAt(Number(event.target.value))}>
              ${requests.map((each, place) => html`<option value=${place} selected=${place === at}>${each.method} ${each.url.pathname.replace(/.*\/v1\/classifier/, "")}</option>`)}
            </select>`}
            <${Copy} text=${shown(tab, request, withKey)} />
            <${Button} quiet onClick=${toggleDrawer} title="Close the drawer">✕<//>
          </div>
          <pre tabindex="0"><code>${shown(tab, request, withKey)}</code></pre>
        </div>`
      : html`<p class="faint">Nothing has been asked of the server for this view yet.</p>`)}
  </aside>`;
}

/**
 * @param {string} tab
 * @param {import("../api.js").Recorded} request
 * @param {boolean} withKey
 */
function shown(tab, request, withKey) {
  if (tab === "curl") return asCurl(request, withKey);
  return tab === "python" ? asPython(request, SERVER, withKey) : asReply(request);
}
