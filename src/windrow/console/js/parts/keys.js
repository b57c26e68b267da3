/** Keys that do things: each view names its own, `?` shows them all. No key works while something is typed. */
import { html, signal, useLayoutEffect } from "../ui.js";
import { Dialog } from "./overlays.js";

/**
 * @typedef {object} Shortcut
 * @property {string} key As the browser names it: `a`, `Enter`, `ArrowLeft`.
 * @property {string} does What it does, for the list.
 * @property {() => void} run
 * @property {boolean} [whileTyping] Whether it also works in a field.
 * @property {boolean} [ctrl] Whether Ctrl (or Command) must be held.
 */

/** @type {import("../../vendor/signals.js").Signal<Shortcut[][]>} */
const groups = signal([]);
const listed = signal(false);
const NAMES = /** @type {Record<string, string>} */ ({ " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" });

const PRESSED = "[type=checkbox], [type=radio]";

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = Boolean(target.closest?.(`input:not(${PRESSED}), textarea, select, [contenteditable]`));
  // A button that has the focus is pressed by Space and Enter.
  const pressing = (event.key === " " || event.key === "Enter") && Boolean(target.closest?.(`button, a, summary, ${PRESSED}`));
  const command = event.ctrlKey || event.metaKey;
  for (const shortcut of groups.peek().flat().reverse()) {
    if (shortcut.key !== event.key || Boolean(shortcut.ctrl) !== command) continue;
    if ((typing && !shortcut.whileTyping) || pressing) return;
    event.preventDefault();
    shortcut.run();
    return;
  }
});

/**
 * Let keys work while a view is shown. A view's own keys go before those of the frame around it.
 * @param {Shortcut[]} shortcuts
 * @param {boolean} [frame] Whether they are the frame's.
 */
export function useKeys(shortcuts, frame = false) {
  // Before the view is seen: whoever sees its keys may press them.
  useLayoutEffect(() => {
    groups.value = frame ? [shortcuts, ...groups.peek()] : [...groups.peek(), shortcuts];
    return () => {
      groups.value = groups.peek().filter((each) => each !== shortcuts);
    };
  });
}

/** Show the list of keys. */
export function showKeys() {
  listed.value = true;
}

/** The list of keys, where it is open. */
export function KeyList() {
  if (!listed.value) return null;
  const all = groups.value.flat().filter((each, at, every) => at === every.findLastIndex((other) => isSame(each, other)));
  return html`<${Dialog} title="Keyboard keys" onClose=${() => (listed.value = false)}>
    <dl class="facts">
      ${all.map((each) => html`<dt><kbd>${each.ctrl ? "Ctrl " : ""}${NAMES[each.key] ?? each.key}</kbd></dt><dd>${each.does}</dd>`)}
      <dt><kbd>Tab</kbd></dt><dd>Go to the next thing on the page</dd>
      <dt><kbd>Esc</kbd></dt><dd>Close what is open</dd>
    </dl>
  <//>`;
}

/**
 * Whether two shortcuts have the same key, so that the later one works.
 * @param {Shortcut} one
 * @param {Shortcut} other
 */
function isSame(one, other) {
  return one.key === other.key && Boolean(one.ctrl) === Boolean(other.ctrl);
}
