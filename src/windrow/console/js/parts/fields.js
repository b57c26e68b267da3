/** Fields of more than one input: classifiers by name, and a place where a file is dropped or chosen. */
import { route, setQuery } from "../router.js";
import { classifiers, useClassifiers } from "../store.js";
import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { Button, Field } from "./bits.js";

/** @typedef {import("../ui.js").View} View */

const DEBOUNCE_MS = 120;

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
        <${Button} link label="Take out ${name}" onClick=${() => onChange(names.filter((each) => each !== name))}>✕<//></span
      >`,
    )}
    ${names.length < max && html`<${ClassifierField} key=${names.length} value=${typed} label=${label} onChange=${type} onPick=${add} />`}
  </div>`;
}

/**
 * A field of one line, or of several.
 * @param {{ label: View, value: string | number, onInput: (value: string) => void, hint?: View, lines?: boolean }
 *   & Record<string, any>} props What else is given stands in the input.
 */
export function Input({ label, hint, onInput, lines, ...rest }) {
  return html`<${Field} label=${label} hint=${hint}>
    ${(id) => html`<${lines ? "textarea" : "input"} id=${id} class=${lines ? "" : "input"} autocomplete="off" spellcheck="false" onInput=${(event) => onInput(event.target.value)} ...${rest} />`}
  <//>`;
}

/**
 * A choice of one.
 * @param {{ value: string, options: (string | [string, string])[], onChange: (value: string) => void }
 *   & Record<string, any>} props An option is its value, or its value and what it is called; what else is given stands in
 *   the element.
 */
export function Select({ value, options, onChange, ...rest }) {
  return html`<select ...${rest} onChange=${(event) => onChange(event.target.value)}>
    ${options.map((each) => {
      const [name, title] = typeof each === "string" ? [each, each] : each;
      return html`<option value=${name} selected=${name === value}>${title}</option>`;
    })}
  </select>`;
}

/** @param {{ checked: boolean, onChange: (checked: boolean) => void, children?: View }} props */
export function Check({ checked, onChange, children }) {
  return html`<label class="check"><input type="checkbox" checked=${checked} onChange=${(event) => onChange(event.target.checked)} /> <span>${children}</span></label>`;
}

/**
 * What is searched in a list; the address has it as `q`. It stays quick with many, since the list follows when typing
 * pauses.
 * @param {{ label: string, placeholder: string }} props
 */
export function Search({ label, placeholder }) {
  const { q = "" } = route.value.query;
  const [typed, setTyped] = useState(q);
  const sent = useRef(q);
  useEffect(() => {
    if (typed === sent.current) return undefined;
    const timer = setTimeout(() => setQuery({ q: (sent.current = typed) }), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    if (q !== sent.current) setTyped((sent.current = q)); // the address came from elsewhere, not from what is being typed
  }, [q]);
  return html`<input class="input search" type="search" aria-label=${label} placeholder=${placeholder} value=${typed} onInput=${(event) => setTyped(event.target.value)} />`;
}

/**
 * @param {{ onFile: (file: File) => void, accept?: string, children?: View, busy?: boolean,
 *   label?: string }} props
 */
export function FileDrop({ onFile, accept = ".csv,.tsv,.tab,.txt,.text,.json,.jsonl,.ndjson,.xlsx,.yml,.yaml,.md,.manifest,.parquet,.parq,.arrow,.zip,.gz", children, busy, label = "Choose a file" }) {
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
