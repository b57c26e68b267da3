/** The small parts of which views are made: headings, buttons, notices, chips, fields. */
import { ApiError, changeKey, isRefused } from "../api.js";
import { ago, date } from "../format.js";
import { href } from "../router.js";
import { html, useEffect, useId, useState } from "../ui.js";

/** @typedef {import("../ui.js").View} View */

/** The heading of a view, with its tools on the right. @param {{ title: View, children?: View, note?: View }} props */
export function Header({ title, note, children }) {
  useEffect(() => {
    if (typeof title === "string") document.title = `${title} · Windrow`;
  }, [title]);
  return html`<header class="page">
    <div>
      <h1 tabindex="-1">${title}</h1>
      ${note && html`<p class="muted">${note}</p>`}
    </div>
    <div class="tools">${children}</div>
  </header>`;
}

/**
 * A sheet with an optional heading.
 * @param {{ title?: View, tools?: View, children?: View, flush?: boolean, class?: string }} props
 */
export function Sheet({ title, tools, children, flush, class: className = "" }) {
  const id = useId();
  return html`<section class="sheet ${flush ? "flush" : ""} ${className}" aria-labelledby=${title ? id : undefined}>
    ${title && html`<div class="sheet-head"><h2 id=${id}>${title}</h2>${tools && html`<div class="tools">${tools}</div>`}</div>`}
    ${children}
  </section>`;
}

/**
 * What may be wider than its sheet; it scrolls by itself, also with the arrow keys.
 * @param {{ label: string, children?: View, class?: string }} props
 */
export function Scroll({ label, children, class: className = "" }) {
  return html`<div class="scroll ${className}" tabindex="0" role="region" aria-label="${label}, may scroll">${children}</div>`;
}

/**
 * A button; the key that does the same stands in it.
 * @param {{ children?: View, primary?: boolean, danger?: boolean, quiet?: boolean, link?: boolean, disabled?: boolean,
 *   busy?: boolean, keyName?: string, pressed?: boolean, label?: string } & Record<string, any>} props `link` makes it look
 *   like one; `label` is its name where its text is not; what else is given stands in the element.
 */
export function Button({ children, primary, danger, quiet, link, disabled, busy, keyName, pressed, label, ...rest }) {
  const kind = primary ? "primary" : danger ? "danger" : quiet ? "quiet" : "";
  return html`<button
    type="button"
    class=${link ? "link" : `button ${kind}`}
    disabled=${disabled || busy}
    aria-busy=${busy ? "true" : undefined}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)}
    aria-keyshortcuts=${keyName}
    aria-label=${label}
    ...${rest}
  >
    ${children}${keyName && html` <kbd aria-hidden="true">${keyName}</kbd>`}
  </button>`;
}

/** @param {{ children?: View, kind?: "good" | "bad" | "note" | "alias" | "", title?: string }} props */
export function Chip({ children, kind = "", title }) {
  return html`<span class="chip ${kind}" title=${title}>${children}</span>`;
}

/** An alias; with a lock where rows protect it. @param {{ name: string, locked?: boolean }} props */
export function AliasChip({ name, locked }) {
  return html`<a class="chip alias" href="#/aliases/${encodeURIComponent(name)}" title=${locked ? "A gate protects this alias" : undefined}
    ><bdi>${name}</bdi>${locked &&
    html`<svg width="9" height="11" viewBox="0 0 9 11" role="img" aria-label="protected by a gate">
      <rect x=".5" y="4.5" width="8" height="6" rx="1.2" fill="currentColor" />
      <path d="M2.3 4.5V3a2.2 2.2 0 0 1 4.4 0v1.5" fill="none" stroke="currentColor" stroke-width="1.2" />
    </svg>`}</a
  >`;
}

/**
 * A sentence that stands out: a verdict, a warning, an error.
 * @param {{ kind?: "good" | "bad" | "note" | "warn", children?: View, role?: string }} props
 */
export function Notice({ kind = "note", children, role }) {
  return html`<div class="notice ${kind}" role=${role}>${children}</div>`;
}

/** What the server warns of. @param {{ of: { message: string }[] }} props */
export function Warnings({ of }) {
  return of.map((each) => html`<${Notice} kind="warn"><bdi>${each.message}</bdi><//>`);
}

/** How long ago a moment was; the moment itself at a touch. @param {{ at: string | null }} props */
export function Ago({ at }) {
  return html`<span class="state" title=${date(at)}>${ago(at)}</span>`;
}

/** The name of a classifier, which leads to it. @param {{ of: string }} props */
export function Name({ of }) {
  return html`<a href=${href(["classifiers", of])}><bdi>${of}</bdi></a>`;
}

/** What stands where something is on its way. */
export function Waiting() {
  return html`<p class="faint waiting" role="status">Loading …</p>`;
}

/**
 * What went wrong, in the server's words, and what can be done.
 * @param {{ error: Error | null, again?: () => void }} props
 */
export function Problem({ error, again }) {
  if (!error) return null;
  const lacksScope = isRefused(error, "insufficient_scope");
  const lines = error instanceof ApiError ? (error.problem.problems ?? []).slice(0, 5) : [];
  return html`<${Notice} kind="bad" role="alert">
    <p><bdi>${error.message}</bdi></p>
    ${lines.length > 1 && html`<ul>${lines.map((/** @type {View} */ each) => html`<li><bdi>${each.detail ?? each}</bdi></li>`)}</ul>`}
    ${error instanceof ApiError && html`<p class="faint">${error.code}${error.problem.request_id && ` · request ${error.problem.request_id}`}</p>`}
    ${(again || lacksScope) && html`<div class="row">${again && html`<${Button} onClick=${again}>Try again<//>`}${lacksScope && html`<${Button} onClick=${changeKey}>Use another key<//>`}</div>`}
  <//>`;
}

/**
 * A reply that is waited for: a line while there is none, its error, or what it shows.
 * @param {{ of: import("../load.js").Loaded<any>, children: (value: any) => View }} props
 */
export function Reply({ of, children }) {
  if (of.error && of.value === null) return html`<${Problem} error=${of.error} again=${of.again} />`;
  if (of.value === null) return html`<p class="faint waiting" role="status">${of.busy ? "Loading …" : ""}</p>`;
  return html`<${Problem} error=${of.error} again=${of.again} />${children(of.value)}`;
}

/**
 * A field with its label, a hint, and what it describes.
 * @param {{ label: View, hint?: View, children: (id: string) => View, class?: string }} props
 */
export function Field({ label, hint, children, class: className = "" }) {
  const id = useId();
  return html`<div class="field ${className}">
    <label for=${id}>${label}</label>
    ${children(id)} ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
  </div>`;
}

/**
 * Text of a stranger: any direction, and cut where it is long, with the rest at a click.
 * @param {{ children: string, max?: number }} props
 */
export function Text({ children, max = 240 }) {
  const [open, setOpen] = useState(false);
  const long = children.length > max;
  return html`<bdi class="text">${long && !open ? `${children.slice(0, max)}…` : children}</bdi>${long &&
    html` <${Button} link aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>${open ? "less" : "more"}<//>`}`;
}

/**
 * What stands where there is nothing yet: what that means, and the next step.
 * @param {{ title: string, children?: View }} props
 */
export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

/** What stands where a classifier is needed first. @param {{ title: string, children: View }} props */
export function NoClassifier({ title, children }) {
  return html`<${Empty} title=${title}><p>${children}</p><p class="row"><a class="button primary" href=${href(["train"])}>Train a classifier</a></p><//>`;
}

/** Text to copy, with a button that does. @param {{ text: string, label?: string }} props */
export function Copy({ text, label = "Copy" }) {
  const [done, setDone] = useState(false);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return; // the browser gives no clipboard to pages without TLS; the text can be selected
    }
    setDone(true);
    setTimeout(() => setDone(false), 2_000);
  }
  return html`<${Button} quiet onClick=${copy}>${done ? "Copied" : label}<//><span class="sr-only" role="status">${done ? "Copied" : ""}</span>`;
}

/**
 * Tabs of which one is open; the arrow keys change it.
 * @param {{ label: string, tabs: [string, View][], open: string, onOpen: (name: string) => void }} props
 */
export function Tabs({ label, tabs, open, onOpen }) {
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const at = tabs.findIndex(([name]) => name === open);
    const place = (at + step + tabs.length) % tabs.length;
    if (tabs[place]) onOpen(tabs[place][0]);
    /** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("button")[place]?.focus();
  }
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
    ${tabs.map(
      ([name, title]) =>
        html`<button type="button" role="tab" aria-selected=${String(name === open)} tabindex=${name === open ? 0 : -1} onClick=${() => onOpen(name)}>
          ${title}
        </button>`,
    )}
  </div>`;
}
