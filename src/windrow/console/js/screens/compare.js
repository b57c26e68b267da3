import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Compare() {
  return html`<${Header} title="Compare" />`;
}
