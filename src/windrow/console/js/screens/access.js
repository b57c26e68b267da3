import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function Keys() {
  return html`<${Header} title="Keys" />`;
}

/** Being written. */
export function Audit() {
  return html`<${Header} title="Audit" />`;
}
