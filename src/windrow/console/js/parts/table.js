/** Tables: sorted by a click, and quick with any number of rows, since only those in view are drawn. */
import { html, useEffect, useRef, useState } from "../ui.js";
import { Button, Scroll, Sheet } from "./bits.js";

/** @typedef {import("../ui.js").View} View */

/**
 * @template T
 * @typedef {object} Column
 * @property {string} [name] Of what it is sorted by.
 * @property {View} [title]
 * @property {string} [hidden] The title where it goes without saying, for screen readers alone.
 * @property {(row: T, place: number) => View} cell
 * @property {boolean} [number] Whether it is set to the right.
 * @property {boolean} [minor] Whether a narrow page leaves it out.
 * @property {boolean} [sortable]
 */
/** @typedef {Column<any>[]} Columns */

const ROW_PX = 41;
const MARGIN_ROWS = 12;
const WHOLE_BELOW = 120;

/**
 * A table; above some rows only those in view are drawn, all of one height.
 * @template T
 * @param {{ columns: Column<T>[], rows: T[], keyOf?: string | ((row: T) => string | number), label: string, sort?: string,
 *   onSort?: (sort: string) => void, rowClass?: (row: T) => string, headingOf?: (row: T) => View | null,
 *   empty?: View, rowPx?: number }} props `keyOf` is a property, or what
 *   gives the key; `sort` has `-` before it for the reverse; `headingOf` draws a row across all
 *   columns; `rowPx` is what the stylesheet has as `--row`.
 */
export function Table({ columns, rows, keyOf = "name", label, sort, onSort, rowClass, headingOf, empty, rowPx = ROW_PX }) {
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
  /** @param {any} row */
  const key = (row) => (typeof keyOf === "string" ? row[keyOf] : keyOf(row));
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
        if (heading) return html`<tr class="task" key=${key(row)}><th scope="rowgroup" colspan=${columns.length}>${heading}</th></tr>`;
        return html`<tr key=${key(row)} class=${rowClass?.(row)} aria-rowindex=${first + place + 1}>
          ${columns.map((column) => html`<td class=${classes(column)}>${column.cell(row, first + place)}</td>`)}
        </tr>`;
      })}
      ${after > 0 && html`<tr aria-hidden="true" key="after"><td class="space" colspan=${columns.length} style=${{ height: `${after * rowPx}px` }}></td></tr>`}
    </tbody>
  </table>`;
}

/**
 * A table in a sheet of its own, which scrolls where it is too wide.
 * @param {{ title?: View, tools?: View, children?: View, class?: string, label: string, columns: Columns, rows: any[] }
 *   & Record<string, any>} props What else is given is the table's; `children` stand below it.
 */
export function TableSheet({ title, tools, children, class: className, ...table }) {
  return html`<${Sheet} title=${title} tools=${tools} class=${className} flush><${Scroll} label=${table.label}><${Table} ...${table} /><//>${children}<//>`;
}

/** @param {{ column: Column<any>, sort?: string, onSort?: (sort: string) => void }} props */
function Heading({ column, sort, onSort }) {
  const direction = sort === column.name ? "ascending" : sort === `-${column.name}` ? "descending" : undefined;
  const next = direction === "ascending" ? `-${column.name}` : column.name;
  return html`<th scope="col" class=${classes(column)} aria-sort=${column.sortable ? (direction ?? "none") : undefined}>
    ${column.sortable && onSort
      ? html`<${Button} link onClick=${() => onSort(next ?? "")}>
          ${column.title}<span aria-hidden="true">${direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : ""}</span>
        <//>`
      : (column.title ?? html`<span class="sr-only">${column.hidden}</span>`)}
  </th>`;
}

/** @param {Column<any>} column */
function classes(column) {
  return `${column.number ? "n" : ""} ${column.minor ? "minor" : ""}`;
}
