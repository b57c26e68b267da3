/** The frame around each view: navigation, the view of the address, the request drawer, and what concerns them all. */
import { clearRecorded, connected, giveKey, keyWanted } from "./api.js";
import { Button, Field, Header, Notice } from "./parts/bits.js";
import { Drawer, toggleDrawer } from "./parts/drawer.js";
import { KeyList, showKeys, useKeys } from "./parts/keys.js";
import { Dialog, Toasts } from "./parts/overlays.js";
import { go, href, route } from "./router.js";
import { Audit, Keys } from "./screens/access.js";
import { Aliases } from "./screens/aliases.js";
import { Classifier } from "./screens/classifier.js";
import { Classifiers } from "./screens/classifiers.js";
import { Compare } from "./screens/compare.js";
import { Correct } from "./screens/correct.js";
import { Disk } from "./screens/disk.js";
import { Jobs } from "./screens/jobs.js";
import { Judge } from "./screens/judge.js";
import { Train } from "./screens/train.js";
import { TrainJob } from "./screens/train_job.js";
import { Try } from "./screens/try.js";
import { Component, html, useEffect, useRef, useState } from "./ui.js";

/** @typedef {import("./ui.js").View} View */

/** @type {{ name: string, title: string, key?: string, view: View, detail?: View }[]} */
const PLACES = [
  { name: "classifiers", title: "Classifiers", key: "1", view: Classifiers, detail: Classifier },
  { name: "train", title: "Train", key: "2", view: Train, detail: TrainJob },
  { name: "try", title: "Try", key: "3", view: Try },
  { name: "correct", title: "Correct", key: "4", view: Correct },
  { name: "judge", title: "Judge", key: "5", view: Judge },
  { name: "compare", title: "Compare", key: "6", view: Compare },
  { name: "aliases", title: "Aliases", key: "7", view: Aliases, detail: Aliases },
  { name: "jobs", title: "Jobs", view: Jobs },
  { name: "disk", title: "Disk", view: Disk },
  { name: "keys", title: "Keys", view: Keys },
  { name: "audit", title: "Audit", view: Audit },
];
const FIRST_OF_THE_REST = "jobs";

/** The whole page. */
export function App() {
  const { path } = route.value;
  const [place = "classifiers", detail] = path;
  const found = PLACES.find((each) => each.name === place);
  const address = path.join("/");
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    clearRecorded();
    if (first.current) first.current = false;
    else main.current?.querySelector("h1")?.focus({ preventScroll: true }); // a screen reader says where it is now
    scrollTo(0, 0);
  }, [address]);
  useKeys([
    ...PLACES.flatMap((each) => (each.key ? [{ key: each.key, does: each.title, run: () => go([each.name]) }] : [])),
    { key: "/", does: "Search", run: () => /** @type {HTMLElement | null} */ (document.querySelector("input[type=search]"))?.focus() },
    { key: "r", does: "Show the request behind the view", run: toggleDrawer },
    { key: "?", does: "Show the keys", run: showKeys },
  ], true);
  const View = detail === undefined ? found?.view : found?.detail;
  return html`<div class="app">
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => (event.preventDefault(), main.current?.focus())}>Skip to the content</a>
    <${Navigation} place=${place} />
    <main id="main" ref=${main} tabindex="-1">
      ${!connected.value && html`<${Notice} kind="warn" role="status">The server does not answer. This page goes on as soon as it does.<//>`}
      <${Fence} key=${address}>${View ? html`<${View} name=${detail} key=${address} />` : html`<${NotFound} />`}<//>
      <${Drawer} />
    </main>
    <${Toasts} />
    <${KeyList} />
    ${keyWanted.value && html`<${KeyDialog} why=${keyWanted.value} />`}
  </div>`;
}

/** @param {{ place: string }} props */
function Navigation({ place }) {
  return html`<nav aria-label="Main">
    <a class="brand" href=${href(["classifiers"])}>
      <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
        <path d="M2 6c4-3 6 3 10 0s6 0 8-1M2 12c4-3 6 3 10 0s6 0 8-1M2 18c4-3 6 3 10 0s6 0 8-1" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />
      </svg>
      Windrow
    </a>
    ${PLACES.map(
      (each) => html`${each.name === FIRST_OF_THE_REST && html`<div class="rule"></div>`}
        <a key=${each.name} href=${href([each.name])} aria-current=${each.name === place ? "page" : undefined} aria-keyshortcuts=${each.key}>
          <span>${each.title}</span>${each.key && html`<kbd aria-hidden="true">${each.key}</kbd>`}
        </a>`,
    )}
    <div class="rule"></div>
    <button type="button" class="link" aria-keyshortcuts="?" onClick=${showKeys}><span>All keys</span><kbd aria-hidden="true">?</kbd></button>
  </nav>`;
}

function NotFound() {
  return html`<${Header} title="There is no such view" />
    <p>The address names nothing that the console shows. <a href=${href(["classifiers"])}>Go to the classifiers</a>.</p>`;
}

/** @param {{ why: string }} props */
function KeyDialog({ why }) {
  const [key, setKey] = useState("");
  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    giveKey(key.trim() || null);
  }
  return html`<${Dialog} title="An API key is needed" onClose=${() => giveKey(null)}>
    <form onSubmit=${onSubmit}>
      <p>${why}</p>
      <${Field} label="API key" hint="It is kept in this tab alone, until you close it. Whoever runs the server creates keys: windrow keys create NAME.">
        ${(/** @type {string} */ id) => html`<input id=${id} class="input" type="password" autocomplete="off" value=${key} autofocus onInput=${(/** @type {any} */ event) => setKey(event.target.value)} />`}
      <//>
      <div class="dialog-foot"><${Button} type="submit" primary disabled=${!key.trim()}>Use this key<//></div>
    </form>
  <//>`;
}

/** What stands in place of a view that has a fault, so that the others go on. */
class Fence extends Component {
  constructor() {
    super();
    /** @type {{ error: Error | null }} */
    this.state = { error: null };
  }

  /** @param {Error} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  /**
   * @param {{ children: View }} props
   * @param {{ error: Error | null }} state
   */
  render({ children }, { error }) {
    if (!error) return children;
    return html`<${Header} title="This view has a fault" />
      <${Notice} kind="bad" role="alert"><p>${error.message}</p><p>Nothing on the server was changed by it. Load the page again, or go on elsewhere.</p><//>`;
  }
}
