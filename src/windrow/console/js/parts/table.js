/** Tables: sorted by a click, and quick with any number of rows, since only those in view are drawn. */
import { html, useEffect, useRef, useState } from "../ui.js";

/** @typedef {import("../ui.js").View} View */

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {View} title
 * @property {(row: T, place: number) => View} cell
 * @property {boolean} [number] Whether it is set to the right.
 * @property {boolean} [minor] Whether a narrow page leaves it out.
 * @property {boolean} [sortable]
 */

const ROW_PX = 41;
const MARGIN_ROWS = 12;
const WHOLE_BELOW = 120;

/**
 * A table; above some rows only those in view are drawn, all of one height.
 * @template T
 * @param {{ columns: Column<T>[], rows: T[], keyOf: (row: T) => string | number, label: string, sort?: string,
 *   onSort?: (sort: string) => void, rowClass?: (row: T) => string, headingOf?: (row: T) => View | null,
 *   empty?: View, rowPx?: number }} props `sort` has `-` before it for the reverse; `headingOf` draws a row across all
 *   columns; `rowPx` is what the stylesheet has as `--row`.
 */
export function Table({ columns, rows, keyOf, label, sort, onSort, rowClass, headingOf, empty, rowPx = ROW_PX }) {
  const ref = useRef(/** @type {HTMLTableElement | null} */ (null));
  const [view, setView] = useState({ first: 0, count: 40 });
  const windowed = rows.length > WHOLE_BELOW;
  useEffect(() => {
    if (!windowed) return undefined;
    function measure() {
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowPx) - MARGIN_ROWS);
      const count = Math.ceil(innerHeight / rowPx) + 2 * MARGIN_ROWS;
      setView((before) => (before.first === first && before.count === count ? before : { first, count }));
    }
    measure();
    addEventListener("scroll", measure, { passive: true, capture: true }); // also that of a sheet that scrolls by itself
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure, { capture: true });
      removeEventListener("resize", measure);
    };
  }, [windowed, rows.length, rowPx]);
  if (!rows.length && empty) return empty;
  const first = windowed ? Math.min(view.first, Math.max(0, rows.length - 1)) : 0;
  const shown = windowed ? rows.slice(first, first + view.count) : rows;
  const after = rows.length - first - shown.length;
  return html`<table ref=${ref} class=${windowed ? "windowed" : ""} aria-rowcount=${rows.length}>
    <caption class="sr-only">${label}</caption>
    <thead>
      <tr>${columns.map((column) => html`<${Heading} column=${column} sort=${sort} onSort=${onSort} />`)}</tr>
    </thead>
    <tbody>
      ${first > 0 && html`<tr aria-hidden="true" key="before"><td class="space" colspan=${columns.length} style=${{ height: `${first * rowPx}px` }}></td></tr>`}
      ${shown.map((row, place) => {
        const heading = headingOf?.(row);
        if (heading) return html`<tr class="task" key=${keyOf(row)}><th scope="rowgroup" colspan=${columns.length}>${heading}</th></tr>`;
        return html`<tr key=${keyOf(row)} class=${rowClass?.(row)} aria-rowindex=${first + place + 1}>
          ${columns.map((column) => html`<td class=${classes(column)}>${column.cell(row, first + place)}</td>`)}
        </tr>`;
      })}
      ${after > 0 && html`<tr aria-hidden="true" key="after"><td class="space" colspan=${columns.length} style=${{ height: `${after * rowPx}px` }}></td></tr>`}
    </tbody>
  </table>`;
}

/** @param {{ column: Column<any>, sort?: string, onSort?: (sort: string) => void }} props */
function Heading({ column, sort, onSort }) {
  const direction = sort === column.name ? "ascending" : sort === `-${column.name}` ? "descending" : undefined;
  const next = direction === "ascending" ? `-${column.name}` : column.name;
  return html`<th scope="col" class=${classes(column)} aria-sort=${column.sortable ? (direction ?? "none") : undefined}>
    ${column.sortable && onSort
      ? html`<button type="button" class="link" onClick=${() => onSort(next)}>
          ${column.title}<span aria-hidden="true">${direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : ""}</span>
        </button>`
      : column.title}
  </th>`;
}

/** @param {Column<any>} column */
function classes(column) {
  return `${column.number ? "n" : ""} ${column.minor ? "minor" : ""}`;
}
