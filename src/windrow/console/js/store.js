/** What several views need: the classifiers and aliases that exist, kept fresh after each change. */
import { call, returned } from "./api.js";
import { signal, useEffect } from "./ui.js";

const PAGE = 1_000;
const FIRST_PAGE = 100;

/**
 * @typedef {object} Model An entry of the list, by the API's names.
 * @property {string} name
 * @property {"single_label" | "multi_label"} kind
 * @property {string[]} labels
 * @property {string} base_model
 * @property {number} num_examples
 * @property {string} created_at
 * @property {number} revision
 * @property {string} description
 * @property {string[]} tags
 * @property {number | null} test_accuracy
 * @property {{ low: number, high: number } | null} test_interval
 * @property {number | null} estimated_accuracy
 * @property {{ low: number, high: number } | null} estimated_interval
 * @property {number} size_bytes
 * @property {string | null} last_used_at
 * @property {number} recent_predictions
 * @property {string | null} deleted_at
 */

/**
 * @typedef {object} Alias
 * @property {string} alias
 * @property {string} points_to
 * @property {string} model_name
 * @property {number | null} revision
 * @property {string} changed_at
 * @property {boolean} answers
 * @property {import("./format.js").Row[]} must_pass
 * @property {boolean} protected
 * @property {string} reason
 * @property {string} author
 * @property {string | null} key_name
 */

/**
 * @typedef {object} Classifiers
 * @property {Model[]} models Sorted by name.
 * @property {Alias[]} aliases Sorted by name.
 * @property {boolean} complete Whether these are all; the first page is shown while the others are on their way.
 * @property {boolean} loaded
 * @property {Error | null} error
 */

/** @type {import("../vendor/signals.js").Signal<Classifiers>} */
export const classifiers = signal({ models: [], aliases: [], complete: false, loaded: false, error: null });
let round = 0;
let loading = false;

/** Ask for the classifiers when a view first needs them, and when the server comes back. */
export function useClassifiers() {
  const revived = returned.value;
  useEffect(() => {
    if (!loading && (!classifiers.peek().loaded || revived)) refresh();
  }, [revived]);
}

/**
 * Ask for the classifiers and aliases each time a view is shown that lists them, and when the server comes back.
 * @param {import("./api.js").Verb} [verb] Which of the two requests the drawer shows.
 */
export function useFresh(verb) {
  const revived = returned.value;
  useEffect(() => void refresh(verb), [revived]);
}

/**
 * Ask for the classifiers and aliases again, after a change.
 * @param {import("./api.js").Verb} [verb] Which of the two requests the drawer shows.
 */
export async function refresh(verb) {
  const mine = ++round;
  loading = true;
  try {
    const [page, { aliases }] = await Promise.all([
      call("list_classifiers", { limit: FIRST_PAGE }, { shown: verb === "list_classifiers" }),
      call("list_aliases", {}, { shown: verb === "list_aliases" }),
    ]);
    if (mine !== round) return;
    const { models, next_cursor: cursor } = page;
    // What is there stays until all has come, unless there is nothing yet.
    if (!classifiers.peek().loaded || !cursor) put({ models, aliases, complete: !cursor });
    const rest = cursor ? await listAll({ cursor }, { shown: false }) : [];
    if (mine === round) put({ models: [...models, ...rest], aliases, complete: true });
  } catch (error) {
    if (mine === round) classifiers.value = { ...classifiers.peek(), error: /** @type {Error} */ (error) };
  } finally {
    if (mine === round) loading = false;
  }
}

/**
 * List classifiers, page by page.
 * @param {import("./api.js").Fields} fields
 * @param {import("./api.js").Options} options
 * @returns {Promise<Model[]>}
 */
export async function listAll(fields, options) {
  const { models, next_cursor: cursor } = await call("list_classifiers", { limit: PAGE, ...fields }, options);
  return cursor ? [...models, ...(await listAll({ ...fields, cursor }, { ...options, shown: false }))] : models;
}

/** @param {Pick<Classifiers, "models" | "aliases" | "complete">} found */
function put(found) {
  classifiers.value = { ...found, loaded: true, error: null };
}

/** Return the aliases that point to a classifier. @param {string} name */
export function aliasesOf(name) {
  return classifiers.value.aliases.filter((each) => each.model_name === name);
}

/**
 * Return the name's task and version: `tickets_v2` is version 2 of `tickets`; other names are tasks of their own.
 * @param {string} name
 * @returns {{ task: string, version: number | null }}
 */
export function versionOf(name) {
  const found = /^(.+)_v(\d+)$/.exec(name);
  return found ? { task: found[1] ?? name, version: Number(found[2]) } : { task: name, version: null };
}

/** Return a name for the next version of a classifier's task. @param {string} name */
export function nextName(name) {
  const { task } = versionOf(name);
  const versions = classifiers.peek().models.map((each) => versionOf(each.name));
  const highest = Math.max(0, ...versions.filter((each) => each.task === task).map((each) => each.version ?? 1));
  return `${task}_v${highest + 1}`;
}

/**
 * Whether the rows that a classifier learned from can be learned again: they are kept, or there were none.
 * @param {import("./api.js").Json} model
 */
export function hasAllRows({ source, keeps_training_data }) {
  return keeps_training_data || source === "zero_shot";
}
