import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Jobs() {
  return html`<${Header} title="Jobs" />`;
}
