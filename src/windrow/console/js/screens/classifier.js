import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Classifier() {
  return html`<${Header} title="Classifier" />`;
}
