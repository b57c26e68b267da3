/** Begin: draw the console into the page. */
import { App } from "./app.js";
import { html, render } from "./ui.js";

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
