/** What every module draws with: one `html` tag, hooks and signals. */
import { h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

/**
 * Functions in a template need no types of their own: what they are given depends on the part that calls them.
 * @type {(strings: TemplateStringsArray, ...values: Value[]) => View}
 */
export const html = htm.bind(h);
export { Component, render } from "../vendor/preact.js";
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
export { signal } from "../vendor/signals.js";

/**
 * Return what handles a form: it is dealt with here, and not sent by the browser.
 * @param {() => any} run
 * @returns {(event: Event) => void}
 */
export function submits(run) {
  return (event) => (event.preventDefault(), run());
}

/**
 * What a component may return.
 * @typedef {any} View
 */
/**
 * What may stand in a template.
 * @typedef {((...given: any[]) => any) | Value[] | { [name: string]: Value } | object | string | number | boolean | null | undefined} Value
 */
