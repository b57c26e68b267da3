/** The first module: navigation, the view of the address, the request drawer, and what concerns every view. */
import { clearRecorded, connected, giveKey, keyWanted, outdated } from "./api.js";
import { Button, Header, Notice, Waiting } from "./parts/bits.js";
import { Drawer, toggleDrawer } from "./parts/drawer.js";
import { Input } from "./parts/fields.js";
import { KeyList, showKeys, useKeys } from "./parts/keys.js";
import { Dialog, focusHeading, Toasts } from "./parts/overlays.js";
import { go, href, route } from "./router.js";
import { Classifiers } from "./screens/classifiers.js";
import { Component, html, render, useEffect, useRef, useState } from "./ui.js";

/** @typedef {import("./ui.js").View} View */

/**
 * A module of views. The first view needs none but its own; the others are loaded as soon as it stands there.
 * @typedef {() => Promise<View>} Load
 */
/** @type {Load} */
const loadFirst = async () => ({ Classifiers });
/** @type {Load} */
const loadAliases = () => import("./screens/aliases.js");
/** @type {Load} */
const loadAccess = () => import("./screens/access.js");

/** @type {{ name: string, title: string, key?: string, load: Load, view: string, loadDetail?: Load, detail?: string }[]} */
const PLACES = [
  { name: "classifiers", title: "Classifiers", key: "1", load: loadFirst, view: "Classifiers", loadDetail: () => import("./screens/classifier.js"), detail: "Classifier" },
  { name: "train", title: "Train", key: "2", load: () => import("./screens/train.js"), view: "Train", loadDetail: () => import("./screens/train_job.js"), detail: "TrainJob" },
  { name: "try", title: "Try", key: "3", load: () => import("./screens/try.js"), view: "Try" },
  { name: "correct", title: "Correct", key: "4", load: () => import("./screens/correct.js"), view: "Correct" },
  { name: "judge", title: "Judge", key: "5", load: () => import("./screens/judge.js"), view: "Judge" },
  { name: "compare", title: "Compare", key: "6", load: () => import("./screens/compare.js"), view: "Compare" },
  { name: "aliases", title: "Aliases", key: "7", load: loadAliases, view: "Aliases", loadDetail: loadAliases, detail: "Aliases" },
  { name: "jobs", title: "Jobs", load: () => import("./screens/jobs.js"), view: "Jobs" },
  { name: "disk", title: "Disk", load: () => import("./screens/disk.js"), view: "Disk" },
  { name: "keys", title: "API keys", load: loadAccess, view: "Keys" },
  { name: "audit", title: "Audit", load: loadAccess, view: "Audit" },
];
const FIRST_OF_THE_REST = "jobs";
/** When the first view stands there, mostly. */
const SETTLED_MS = 400;

/** The whole page. */
function App() {
  const { path } = route.value;
  const [place = "classifiers", detail] = path;
  const found = PLACES.find((each) => each.name === place);
  const address = path.join("/");
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    clearRecorded();
    if (first.current) first.current = false;
    else isHeadingAwaited = !focusHeading(); // a screen reader says where it is now
    document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    scrollTo(0, 0);
  }, [address]);
  useKeys([
    ...PLACES.flatMap((each) => (each.key ? [{ key: each.key, does: each.title, run: () => go([each.name]) }] : [])),
    { key: "/", does: "Search", run: () => /** @type {HTMLElement | null} */ (document.querySelector("input[type=search]"))?.focus() },
    { key: "r", does: "Show the request behind the view", run: toggleDrawer },
    { key: "?", does: "Show the keys", run: showKeys },
  ], true);
  const load = detail === undefined ? found?.load : found?.loadDetail;
  const view = (detail === undefined ? found?.view : found?.detail) ?? "";
  return html`<div class="app">
    <a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), main.current?.focus())}>Skip to the content</a>
    <${Navigation} place=${place} />
    <main id="main" ref=${main} tabindex="-1">
      ${!connected.value && html`<${Notice} kind="warn" role="status">The server does not answer. This page goes on as soon as it does.<//>`}
      ${outdated.value && html`<${OutOfDate} />`}
      <${Fence} key=${address}>${load ? html`<${LoadedView} load=${load} view=${view} name=${detail} key=${address} />` : html`<${NotFound} />`}<//>
      <${Drawer} />
    </main>
    <${Toasts} />
    <${KeyList} />
    ${keyWanted.value && html`<${KeyDialog} why=${keyWanted.value} />`}
  </div>`;
}

/** Views by name, once their modules have been loaded. @type {Record<string, View>} */
const loaded = { Classifiers };

/**
 * A view whose module may still have to be loaded.
 * @param {{ load: Load, view: string, name: string | undefined }} props
 */
function LoadedView({ load, view, name }) {
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [done, setDone] = useState(0);
  const Found = loaded[view];
  useEffect(() => {
    if (Found) return; // and not where it has come since this was drawn: then it is to be drawn again
    load().then((found) => (Object.assign(loaded, found), setDone(1)), setError);
  }, [view]);
  useEffect(() => {
    if (done && isHeadingAwaited) isHeadingAwaited = !focusHeading();
  }, [done]);
  useEffect(loadTheRest, []);
  if (Found) return html`<${Found} name=${name} />`;
  if (!error) return html`<${Waiting} />`;
  return html`<${Header} title="This page is out of date" />${!outdated.value && html`<${OutOfDate} />`}`;
}

function OutOfDate() {
  return html`<${Notice} kind="warn" role="alert"><p>The server has another release than this page${!outdated.value && ", or it did not answer"}. Load the page again.</p>
    <${Button} primary onClick=${() => location.reload()}>Load it again<//><//>`;
}

/** Whether the view that was gone to is still to come, and then to have the focus. */
let isHeadingAwaited = false;
let isAskedFor = false;

/** Load the modules of all other views, so that each of them comes at once, also while the server restarts. */
function loadTheRest() {
  if (isAskedFor) return;
  isAskedFor = true;
  setTimeout(async () => {
    for (const each of PLACES) {
      for (const load of [each.load, each.loadDetail]) {
        try {
          Object.assign(loaded, await load?.());
        } catch {
          return; // whoever opens that view is told
        }
      }
    }
  }, SETTLED_MS);
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
    <button type="button" aria-keyshortcuts="?" onClick=${showKeys}><span>Keyboard keys</span><kbd aria-hidden="true">?</kbd></button>
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
      <${Input} label="API key" type="password" value=${key} autofocus onInput=${setKey} hint="It is kept in this tab alone, until you close it. Whoever runs the server creates keys: windrow keys create NAME." />
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

  /** @param {{ children: View }} props @param {{ error: Error | null }} state */
  render({ children }, { error }) {
    if (!error) return children;
    return html`<${Header} title="This view has a fault" />
      <${Notice} kind="bad" role="alert"><p>${error.message}</p><p>Nothing on the server was changed by it. Load the page again, or go on elsewhere.</p><//>`;
  }
}

/** Let no file that misses its place open in that of this page, which holds what was typed. @param {Event} event */
function refuseFile(event) {
  const held = /** @type {DragEvent} */ (event).dataTransfer;
  if (event.defaultPrevented || !held?.types.includes("Files")) return;
  event.preventDefault();
  held.dropEffect = "none";
}

for (const kind of ["dragover", "drop"]) addEventListener(kind, refuseFile);
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
