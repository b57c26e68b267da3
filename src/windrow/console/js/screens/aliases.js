import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Aliases() {
  return html`<${Header} title="Aliases" />`;
}
