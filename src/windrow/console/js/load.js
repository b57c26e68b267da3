/** Replies that a view needs, asked for when it is shown, and again when the server comes back. */
import { ApiError, call, returned } from "./api.js";
import { useEffect, useState } from "./ui.js";

/** @typedef {import("./api.js").Verb} Verb */

/**
 * @template T
 * @typedef {object} Loaded
 * @property {T | null} value The reply; the former one while it is asked for anew.
 * @property {Error | null} error
 * @property {boolean} busy
 * @property {() => void} again Asks once more.
 */

/**
 * Ask for a reply when the view is shown, and whenever what is asked for changes.
 * @param {Verb | null} verb `null` for nothing yet.
 * @param {Record<string, any>} [fields]
 * @param {import("./api.js").Options} [options]
 * @returns {Loaded<any>}
 */
export function useReply(verb, fields = {}, options = {}) {
  const { shown } = options;
  return useAsync(
    (signal) => (verb ? call(verb, fields, { shown, signal }) : Promise.resolve(null)),
    [verb, JSON.stringify(fields)],
  );
}

/**
 * Run something asynchronous when the view is shown, and whenever one of some values changes.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @param {unknown[]} inputs
 * @returns {Loaded<T>}
 */
export function useAsync(work, inputs) {
  const [state, setState] = useState(/** @type {Omit<Loaded<T>, "again">} */ ({ value: null, error: null, busy: true }));
  const [round, setRound] = useState(0);
  const revived = returned.value;
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    work(abort.signal).then(
      (value) => abort.signal.aborted || setState({ value, error: null, busy: false }),
      (error) => abort.signal.aborted || setState((before) => ({ ...before, error: asError(error), busy: false })),
    );
    return () => abort.abort();
  }, [...inputs, round, revived]);
  return { ...state, again: () => setRound((each) => each + 1) };
}

/**
 * A button's work: busy while it runs, and with the error that it ended with.
 * @param {(...given: any[]) => Promise<any>} work
 */
export function useAction(work) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  /** @param {any[]} given */
  async function run(...given) {
    if (busy) return undefined;
    setBusy(true);
    setError(null);
    try {
      return await work(...given);
    } catch (problem) {
      setError(asError(problem));
      return undefined;
    } finally {
      setBusy(false);
    }
  }
  return { run, busy, error, clear: () => setError(null) };
}

/** @param {unknown} error */
function asError(error) {
  if (!(error instanceof ApiError) && !(error instanceof DOMException)) console.error(error); // a fault of the page
  return error instanceof Error ? error : new Error(String(error));
}
