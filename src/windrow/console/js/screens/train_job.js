import { Header } from "../parts/bits.js";
import { html } from "../ui.js";

/** Being written. */
export function TrainJob() {
  return html`<${Header} title="TrainJob" />`;
}
