/** The console's first module: shows the page. */
import { h, render } from "../vendor/preact.js";

const app = document.getElementById("app");
if (app) {
  render(h("h1", null, "Windrow"), app);
}
