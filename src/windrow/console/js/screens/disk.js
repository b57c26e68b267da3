import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Disk() {
  return html`<${Header} title="Disk" />`;
}
