/** Fields of more than one input: classifiers by name, and a place where a file is dropped or chosen. */
import { classifiers, useClassifiers } from "../store.js";
import { html, useId, useState } from "../ui.js";

/**
 * A field for one classifier or alias.
 * @param {{ value: string, onChange: (name: string) => void, onPick?: (name: string) => void, label?: string, id?: string,
 *   required?: boolean }} props `onPick` is told a name when it is whole: taken from the list, or left with Enter or Tab.
 */
export function ClassifierField({ value, onChange, onPick, label, id, required }) {
  const list = useId();
  useClassifiers();
  const { models, aliases } = classifiers.value;
  /** @param {any} event */
  function onInput(event) {
    const name = event.target.value.trim();
    onChange(name);
    // Of what is typed, one name may be the beginning of another.
    if (!/^(insertText|insertComp|delete)/.test(event.inputType ?? "")) onPick?.(name);
  }
  return html`<input
      id=${id}
      class="input"
      list=${list}
      value=${value}
      required=${required}
      aria-label=${label}
      autocomplete="off"
      spellcheck="false"
      placeholder="Name or alias"
      onInput=${onInput}
      onChange=${(event) => onPick?.(event.target.value.trim())}
    />
    <datalist id=${list}>
      ${aliases.map((each) => html`<option value=${each.alias}>alias of ${each.points_to}</option>`)}
      ${models.slice(0, 500).map((each) => html`<option value=${each.name}>${each.labels.slice(0, 4).join(", ")}</option>`)}
    </datalist>`;
}

/**
 * A list of classifiers, in which one is added by its name and taken out by a click.
 * @param {{ names: string[], onChange: (names: string[]) => void, label: string, max?: number }} props
 */
export function ClassifierChips({ names, onChange, label, max = 20 }) {
  const { models, aliases, complete } = classifiers.value;
  const known = new Set([...models.map((each) => each.name), ...aliases.map((each) => each.alias)]);
  const [typed, type] = useState("");
  /** @param {string} name */
  function add(name) {
    // An API key that may not see the list may ask a classifier whose name is known.
    if (!name || (complete && !known.has(name.replace(/@\d+$/, ""))) || names.includes(name)) return;
    type("");
    onChange([...names, name]);
  }
  return html`<div class="chips">
    ${names.map(
      (name) => html`<span class="chip" key=${name}
        ><bdi>${name}</bdi>
        <button type="button" class="link" aria-label="Take out ${name}" onClick=${() => onChange(names.filter((each) => each !== name))}>✕</button></span
      >`,
    )}
    ${names.length < max && html`<${ClassifierField} key=${names.length} value=${typed} label=${label} onChange=${type} onPick=${add} />`}
  </div>`;
}

/**
 * @param {{ onFile: (file: File) => void, accept?: string, children?: import("../ui.js").View, busy?: boolean,
 *   label?: string }} props
 */
export function FileDrop({ onFile, accept = ".csv,.tsv,.tab,.txt,.text,.json,.jsonl,.ndjson", children, busy, label = "Choose a file" }) {
  const id = useId();
  const [over, setOver] = useState(false);
  /** @param {DragEvent} event */
  function onDrop(event) {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file && !busy) onFile(file);
  }
  /** @param {any} event */
  function onChange(event) {
    const [file] = event.target.files;
    event.target.value = ""; // so that the same file can be chosen again after it was corrected
    if (file) onFile(file);
  }
  return html`<div
    class="drop ${over ? "over" : ""}"
    onDragOver=${(event) => (event.preventDefault(), setOver(true))}
    onDragLeave=${() => setOver(false)}
    onDrop=${onDrop}
  >
    <input id=${id} type="file" class="sr-only" accept=${accept} disabled=${busy} onChange=${onChange} />
    <label for=${id} class="button">${busy ? "Reading …" : label}</label>
    <span class="muted">or drop it here</span>
    ${children}
  </div>`;
}
