import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Correct() {
  return html`<${Header} title="Correct" />`;
}
