import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Train() {
  return html`<${Header} title="Train" />`;
}
