import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Judge() {
  return html`<${Header} title="Judge" />`;
}
