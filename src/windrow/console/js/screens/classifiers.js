import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Classifiers() {
  return html`<${Header} title="Classifiers" />`;
}
