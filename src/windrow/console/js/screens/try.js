import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Try() {
  return html`<${Header} title="Try" />`;
}
