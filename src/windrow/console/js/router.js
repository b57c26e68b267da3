/**
 * Addresses: `#/classifiers/tickets_v2?tab=judge`. They stand behind the `#`, so that no proxy logs a name, and so that
 * the page works under any path.
 */
import { signal } from "../vendor/signals.js";

/**
 * @typedef {object} Route
 * @property {string[]} path What stands between the slashes, decoded: `["classifiers", "tickets_v2"]`.
 * @property {Record<string, string>} query What stands behind the `?`.
 */

/** @type {import("../vendor/signals.js").Signal<Route>} */
export const route = signal(read(location.hash));

addEventListener("hashchange", () => {
  route.value = read(location.hash);
});

/** Read an address. @param {string} hash @returns {Route} */
export function read(hash) {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/**
 * Return the address of a view.
 * @param {string[]} path
 * @param {Record<string, string | number | boolean | null | undefined>} [query] What is empty, false or missing is left
 *   out.
 */
export function href(path, query = {}) {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  const search = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search && `?${search}`}`;
}

/**
 * Show a view, as a step that the browser's back button undoes.
 * @param {string[]} path
 * @param {Parameters<typeof href>[1]} [query]
 */
export function go(path, query) {
  location.hash = href(path, query);
}

/**
 * Change the query of the present view, without a step for the back button. Where the address leads elsewhere already,
 * and only its event is still to come, nothing is changed: it would lead back.
 * @param {NonNullable<Parameters<typeof href>[1]>} changes
 */
export function setQuery(changes) {
  const { path, query } = read(location.hash);
  if (href(path) !== href(route.peek().path)) return;
  history.replaceState(null, "", href(path, { ...query, ...changes }));
  route.value = read(location.hash);
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a half-written escape is the text that it is
  }
}
