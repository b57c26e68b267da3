/** What stands over a view: dialogs (the browser's own, which keep the focus and close with Esc), and short messages. */
import { useAction } from "../load.js";
import { html, signal, useEffect, useId, useRef } from "../ui.js";
import { Button, Problem } from "./bits.js";

/** @typedef {import("../ui.js").View} View */

/** Whether nothing has the focus, so that a person at the keyboard would begin anew. */
export function isFocusLost() {
  return document.activeElement === null || document.activeElement === document.body;
}

/**
 * Give the focus to the view's heading, where a screen reader reads on, unless somebody types in the view by now.
 * Returns whether there is one.
 */
export function focusHeading() {
  if (document.activeElement?.matches("main :is(input, textarea, select)")) return true;
  const heading = /** @type {HTMLElement | null} */ (document.querySelector("main h1"));
  heading?.focus({ preventScroll: true });
  return heading !== null;
}

addEventListener("focusout", ({ target }) => {
  // What had the focus may have gone, as a row does that was deleted; a dialog gives it back by itself.
  setTimeout(() => isFocusLost() && target instanceof Element && !target.isConnected && !target.closest("dialog") && focusHeading());
});

/**
 * A dialog that is open as long as it is drawn.
 * @param {{ title: View, onClose: () => void, children?: View, wide?: boolean }} props
 */
export function Dialog({ title, onClose, children, wide }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    ref.current?.showModal();
    return () => {
      // The browser gives the focus back where a dialog is closed, and not where it is taken out of the page, as here.
      if (isFocusLost() && opener instanceof HTMLElement && opener.isConnected) opener.focus();
      if (isFocusLost()) focusHeading();
    };
  }, []);
  /** @param {Event} event */
  function onCancel(event) {
    event.preventDefault();
    onClose();
  }
  return html`<dialog ref=${ref} class=${wide ? "wide" : ""} aria-labelledby=${id} onCancel=${onCancel}>
    <div class="dialog-head">
      <h2 id=${id}>${title}</h2>
      <button type="button" class="button quiet" aria-label="Close" onClick=${onClose}>✕</button>
    </div>
    ${children}
  </dialog>`;
}

/**
 * A question before something is done; an error keeps it open.
 * @param {{ title: View, action: string, danger?: boolean, disabled?: boolean, onClose: () => void,
 *   onDo: () => Promise<any>, children?: View, back?: string }} props `back` is what the other button says.
 */
export function Confirm({ title, action, danger, disabled, onClose, onDo, children, back = "Cancel" }) {
  const { run, busy, error } = useAction(async () => {
    await onDo();
    onClose();
  });
  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    run();
  }
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${onSubmit}>
      ${children}
      <${Problem} error=${error} />
      <div class="dialog-foot">
        <${Button} onClick=${onClose}>${back}<//>
        <${Button} type="submit" primary=${!danger} danger=${danger} busy=${busy} disabled=${disabled}>${action}<//>
      </div>
    </form>
  <//>`;
}

/** @typedef {{ id: number, text: string, undo: (() => void) | null, about: string[] }} Toast */

const SHOWN_MS = 8_000;
const toasts = signal(/** @type {Toast[]} */ ([]));
let count = 0;

/**
 * Say what was done.
 * @param {string} text @param {(() => void) | null} [undo]
 * @param {string[]} [about] Names that it is about: what was said of them before is said no more, as an Undo that came too late.
 */
export function say(text, undo = null, about = []) {
  const toast = { id: ++count, text, undo, about };
  const others = toasts.peek().filter((each) => !each.about.some((name) => about.includes(name)));
  toasts.value = [...others.slice(-2), toast];
  setTimeout(() => drop(toast), undo ? 2 * SHOWN_MS : SHOWN_MS);
}

/** The messages, at the foot of the page. */
export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      (each) => html`<div class="toast" key=${each.id}>
        <bdi>${each.text}</bdi>
        ${each.undo && html`<${Button} quiet onClick=${() => (drop(each), each.undo?.())}>Undo<//>`}
        <${Button} link label="Dismiss" onClick=${() => drop(each)}>✕<//>
      </div>`,
    )}
  </div>`;
}

/** @param {Toast} toast */
function drop(toast) {
  toasts.value = toasts.peek().filter((each) => each.id !== toast.id);
}
