/**
 * What this browser keeps for the person who uses it: test sets, and corrections that no classifier has learned yet.
 *
 * It stays in the browser's own database (IndexedDB); nothing of it is on the server. A window without one, as a
 * private one may be, keeps it as long as the page is open.
 */
import { signal } from "./ui.js";

/**
 * @typedef {object} TestSet
 * @property {string} sha256 Digest of its rows, as evaluations name it (`test_data_sha256`).
 * @property {string} name The file's name.
 * @property {import("./format.js").Row[]} rows
 * @property {number} added When it was dropped, in milliseconds.
 */

/** The test sets, the newest one first; read them with `loadTestSets`. */
export const testSets = signal(/** @type {TestSet[]} */ ([]));

/** Read this browser's test sets. */
export async function loadTestSets() {
  const all = /** @type {TestSet[]} */ (await readAll("test_sets"));
  testSets.value = all.sort((one, other) => other.added - one.added);
}

/** Keep a test set. @param {TestSet} set */
export async function keepTestSet(set) {
  testSets.value = [set, ...testSets.peek().filter((each) => each.sha256 !== set.sha256)];
  await keep("test_sets", set);
}

/** Forget a test set. @param {string} sha256 */
export async function forgetTestSet(sha256) {
  testSets.value = testSets.peek().filter((each) => each.sha256 !== sha256);
  await drop("test_sets", sha256);
}

/** @typedef {string | string[]} Given A label; or any number of labels, sorted. */

/**
 * @typedef {object} Item
 * @property {string} text
 * @property {Given | null} predicted What the classifier said; `null` where it said nothing.
 * @property {number | null} score That label's score, or the best one of all labels.
 * @property {number | null} in_scope How like the training data the text is.
 * @property {Given | null} label What a person says; `null` until then.
 * @property {"waiting" | "accepted" | "corrected" | "skipped"} state
 * @property {Given} [expected] What a file gives it.
 * @property {number} [revision] The classifier's revision that answered.
 * @property {number} [margin] By how much that label's score is above the next one's; of any number of labels, how far
 *   the nearest score is from its label's threshold.
 * @property {number} [at] When a person decided, in milliseconds; what was decided at once has the same.
 * @property {string} [job] The training that learns it.
 */

/**
 * @typedef {object} Corrections
 * @property {string} model_name The classifier that was asked.
 * @property {Item[]} items
 */

/** By classifier; read them with `loadCorrections`. */
export const corrections = signal(/** @type {Record<string, Corrections>} */ ({}));

/** How many changes the database does not have yet. */
export const saving = signal(0);

/** Read what this browser keeps. */
export async function loadCorrections() {
  const all = /** @type {Corrections[]} */ (await readAll("corrections"));
  corrections.value = { ...Object.fromEntries(all.map((each) => [each.model_name, each])), ...corrections.peek() };
}

/** Return the items of a classifier. @param {string} modelName */
export function itemsOf(modelName) {
  return corrections.value[modelName]?.items ?? [];
}

/**
 * Put the items of a classifier in place of the former ones.
 * @param {string} modelName
 * @param {Item[]} items None forgets them.
 */
export async function setItems(modelName, items) {
  const { [modelName]: _, ...others } = corrections.peek();
  const own = { model_name: modelName, items };
  corrections.value = items.length ? { ...others, [modelName]: own } : others;
  saving.value++;
  await (items.length ? keep("corrections", own) : drop("corrections", modelName)).finally(() => saving.value--);
}

/**
 * Add texts to look at before those that are there; one that is there stays as it is.
 * @param {string} modelName
 * @param {(Partial<Item> & { text: string })[]} found
 * @returns {Promise<number>} How many are new.
 */
export async function addItems(modelName, found) {
  await loadCorrections();
  const items = itemsOf(modelName);
  const known = new Set(items.map((each) => each.text));
  const fresh = found.filter((each) => !known.has(each.text) && known.add(each.text));
  const whole = fresh.map((each) => ({ ...NEW, ...each }));
  await setItems(modelName, [...whole, ...items]);
  return fresh.length;
}

/**
 * Put items in place of those of the same text; new ones come before the others.
 * @param {string} modelName
 * @param {Item[]} changed
 */
export async function putItems(modelName, changed) {
  await loadCorrections();
  const byText = new Map(changed.map((each) => [each.text, each]));
  const items = itemsOf(modelName).map((each) => {
    const found = byText.get(each.text);
    byText.delete(each.text);
    return found ?? each;
  });
  await setItems(modelName, [...byText.values(), ...items]);
}

/**
 * Return a text with what a classifier says about it.
 * @param {string} text
 * @param {Record<string, any>} answer By the API's names.
 * @param {number} [revision] That answered.
 * @param {Record<string, number>} [thresholds] Of a classifier of any number of labels, by label.
 * @returns {Item}
 */
export function asItem(text, answer, revision = answer.revision, thresholds = {}) {
  const scores = /** @type {Record<string, number>} */ (answer.scores);
  const [best = 0, next = 0] = Object.values(scores).sort((one, other) => other - one);
  const several = answer.kind === "multi_label";
  const distances = Object.entries(scores).map(([label, score]) => Math.abs(score - (thresholds[label] ?? 0.5)));
  const margin = several ? Math.min(...distances) : best - next;
  const predicted = several ? answer.labels && [...answer.labels].sort() : answer.label;
  return { text, label: null, state: "waiting", predicted, score: best, margin, in_scope: answer.in_scope, revision };
}

/** Whether two decisions are the same. @param {Given | null | undefined} one @param {Given | null | undefined} other */
export function isSame(one, other) {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** Below that share, a text is unlike the training data, as `suggest` has it. */
export const NEW_BELOW = 0.05;

/** Return how sure an answer is, from 0 to 1: what a person should look at first has the least. @param {Item} item */
export function sureness(item) {
  if (item.predicted === null || (item.expected && !isSame(item.expected, item.predicted))) return 0;
  return Math.min(item.margin ?? item.score ?? 1, (item.in_scope ?? 1) < NEW_BELOW ? (item.in_scope ?? 0) : 1);
}

/** @type {Omit<Item, "text">} */
const NEW = { predicted: null, score: null, in_scope: null, label: null, state: "waiting" };

const DATABASE = "windrow";
/** The stores, and what names a value in each. */
const KEYS = { test_sets: "sha256", corrections: "model_name" };
/** @typedef {keyof typeof KEYS} Store */

/** @type {Promise<IDBDatabase | null> | null} */
let opened = null;

/** Return all of a store. @param {Store} store @returns {Promise<any[]>} */
async function readAll(store) {
  return (await ask(store, "readonly", (each) => each.getAll())) ?? [];
}

/** Keep a value in place of that of the same key. @param {Store} store @param {object} value */
async function keep(store, value) {
  await ask(store, "readwrite", (each) => each.put(value));
}

/** Forget a value. @param {Store} store @param {string} key */
async function drop(store, key) {
  await ask(store, "readwrite", (each) => each.delete(key));
}

/**
 * A change is made when its transaction ends.
 * @template T
 * @param {Store} store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T | undefined>}
 */
async function ask(store, mode, work) {
  opened ??= open();
  const database = await opened;
  if (!database) return undefined;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @returns {Promise<IDBDatabase | null>} */
function open() {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => {
        for (const [name, keyPath] of Object.entries(KEYS)) request.result.createObjectStore(name, { keyPath });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}
