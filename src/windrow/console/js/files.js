/** Files that go out of the page: rows as CSV or JSON Lines, and downloads. */

/**
 * Give a person a file.
 * @param {Blob | string} content
 * @param {string} name
 * @param {string} [type]
 */
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
 * Return rows as CSV, with a header, as spreadsheets read it.
 * @param {string[]} columns
 * @param {Record<string, unknown>[]} rows
 * @param {string} [delimiter]
 */
export function asCsv(columns, rows, delimiter = ",") {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => line.map((cell) => asCell(cell, delimiter)).join(delimiter)).join("\r\n") + "\r\n";
}

/**
 * Return values as JSON Lines.
 * @param {unknown[]} rows
 */
export function asJsonLines(rows) {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/**
 * @param {unknown} cell
 * @param {string} delimiter
 */
function asCell(cell, delimiter) {
  const text = cell == null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
}
