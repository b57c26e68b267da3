/** Figures, times and counts as people read them; rows as CSV and JSON Lines, and files to take away. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
/** @type {[number, Intl.RelativeTimeFormatUnit][]} */
const SPANS = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Infinity, "year"],
];
const numbers = new Intl.NumberFormat("en-GB");
const relative = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });
const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** @param {number} count */
export function number(count) {
  return numbers.format(count);
}

/**
 * @param {number} count
 * @param {string} one `row`
 * @param {string} [many] `rows` where it is left out
 */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Return a share as percent, with one decimal: `95.8 %`. @param {number | null | undefined} share */
export function percent(share) {
  return share == null ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** Return an interval of shares: `70 to 96 %`. @param {{ low: number, high: number } | null | undefined} interval */
export function interval(interval) {
  return interval ? `${(100 * interval.low).toFixed(0)} to ${(100 * interval.high).toFixed(0)} %` : "";
}

/** A text with its label, or with any number of them. @typedef {{ text: string, label?: string | null, labels?: string[] | null }} Row */

/**
 * Return a label, or labels in a line; `null` where the classifier abstained.
 * @param {string | string[] | null | undefined} given
 * @returns {string | null}
 */
export function inLine(given) {
  return Array.isArray(given) ? given.join(", ") || "none of the labels" : (given ?? null);
}

/** Return the label or the labels of an answer or a row in a line. @param {Record<string, any>} answer By the API's names. */
export function givenLabels(answer) {
  return inLine(answer.labels ?? answer.label);
}

/** Return the labels of a row of either form. @param {Record<string, any>} row By the API's names. @returns {string[]} */
export function labelsOf(row) {
  return row.labels ?? (row.label == null ? [] : [row.label]);
}

/** Return how many rows have each label. @param {Record<string, any>[]} rows */
export function rowsPerLabel(rows) {
  const counts = /** @type {Map<string, number>} */ (new Map());
  for (const label of rows.flatMap(labelsOf)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** Return a figure from 0 to 1 with two decimals, and a dash where there is none. @param {number | null} figure */
export function figure(figure) {
  return figure === null ? "–" : figure.toFixed(2);
}

/** @param {number} score */
export function score(score) {
  return score.toFixed(2);
}

/** @param {number} bytes */
export function size(bytes) {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/**
 * Return how long ago a moment was, or will be: `2 minutes ago`.
 * @param {string | null | undefined} moment In ISO 8601.
 */
export function ago(moment) {
  if (!moment) return "never";
  let span = (Date.parse(moment) - Date.now()) / 1000;
  if (Math.abs(span) < 10) return "now";
  for (const [length, unit] of SPANS) {
    if (Math.abs(span) < length) return relative.format(Math.round(span), unit);
    span /= length;
  }
  return "";
}

/** @param {string | null | undefined} moment */
export function date(moment) {
  return moment ? dates.format(new Date(moment)) : "–";
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** @param {number} ms */
export function milliseconds(ms) {
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : `${number(Math.round(ms))} ms`;
}

/** Give a person a file. @param {Blob | string} content @param {string} name @param {string} [type] */
export function download(content, name, type = "text/plain;charset=utf-8") {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * @typedef {object} TextForm How a file is written, as `inspect` tells it.
 * @property {string} encoding
 * @property {string | null} delimiter
 * @property {boolean | null} has_header
 * @property {boolean} has_byte_order_mark
 * @property {string} line_end
 * @property {"minimal" | "all" | "none"} written_quoting
 * @property {string} declaration
 */

/** @type {TextForm} How spreadsheets read CSV. */
const PLAIN = { encoding: "utf-8", delimiter: ",", has_header: true, has_byte_order_mark: false, line_end: "\r\n", written_quoting: "minimal", declaration: "" };

/**
 * Return rows as CSV, in the form of a file or as spreadsheets read it.
 * @param {string[]} columns
 * @param {Record<string, unknown>[]} rows
 * @param {TextForm} [form]
 */
export function asCsv(columns, rows, form = PLAIN) {
  const lines = rows.map((row) => columns.map((column) => row[column]));
  if (form.has_header !== false) lines.unshift(columns);
  const written = lines.map((line) => line.map((cell) => asCell(cell, form)).join(form.delimiter ?? ","));
  if (form.declaration) written.unshift(form.declaration);
  return written.map((line) => line + form.line_end).join("");
}

const MARK = "\ufeff";

/**
 * Return a text in an encoding, and whether it is UTF-8 in place of that: some encodings, and characters that one does
 * not have, cannot be written here.
 * @param {string} text
 * @param {TextForm} form
 * @returns {{ content: Blob, replaced: boolean }}
 */
export function encoded(text, form) {
  const marked = form.has_byte_order_mark ? MARK + text : text;
  const name = form.encoding.replace("_", "-");
  if (/^(utf-8|ascii)$/.test(name)) return { content: new Blob([marked]), replaced: false };
  if (/^utf-16-(le|be)$/.test(name)) {
    const view = new DataView(new ArrayBuffer(2 * marked.length));
    for (let at = 0; at < marked.length; at += 1) view.setUint16(2 * at, marked.charCodeAt(at), name === "utf-16-le");
    return { content: new Blob([view]), replaced: false };
  }
  const bytes = bytesOf(text, name.replace(/^cp125/, "windows-125"));
  return bytes ? { content: new Blob([bytes]), replaced: false } : { content: new Blob([MARK + text]), replaced: true };
}

/** Return a text in an encoding with one byte for each character; `null` where it has not all of them. @param {string} text @param {string} name */
function bytesOf(text, name) {
  /** @type {Map<string, number>} */
  const places = new Map();
  try {
    const decoder = new TextDecoder(name);
    for (let byte = 0; byte < 256; byte += 1) {
      const character = decoder.decode(new Uint8Array([byte]));
      if (character.length === 1 && character !== "\ufffd") places.set(character, byte);
    }
  } catch {
    return null; // no encoding that the browser knows
  }
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const byte = places.get(/** @type {string} */ (text[at]));
    if (byte === undefined) return null;
    bytes[at] = byte;
  }
  return bytes;
}

/** Return values as JSON Lines. @param {unknown[]} rows */
export function asJsonLines(rows) {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** @param {unknown} cell @param {TextForm} form */
function asCell(cell, form) {
  const text = cell == null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  if (form.written_quoting === "none") return text;
  const needed = form.written_quoting === "all" || /["\r\n]/.test(text) || text.includes(form.delimiter ?? ",");
  return needed ? `"${text.replaceAll('"', '""')}"` : text;
}
