"""How the page looks: light and dark, on a screen, on a phone and on paper. All of it stands in the page."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #faf9f6; --sheet: #fff; --sunk: #f3f1ec; --line: #e4e0d8; --line-strong: #cfc9bd;
  --ink: #1f1d1a; --ink-2: #5d584f; --accent: #a35f00;
  --good: #2a7448; --good-soft: #e3f2e8; --bad: #b3372f; --bad-soft: #fbe7e4;
  --note: #3b6ea5; --note-soft: #e5eef8; --bar: #d9902a; --bar-2: #c9c2b4; --hit: 85%; --miss: 38%;
  --font: ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --sheet: #1e1d1a; --sunk: #2a2823; --line: #34312b; --line-strong: #4a463d;
    --ink: #efece5; --ink-2: #b5aea1; --accent: #f0a94a;
    --good: #6fc28f; --good-soft: #1d3326; --bad: #ef8a80; --bad-soft: #3d211e;
    --note: #8db8e8; --note-soft: #1e2c3c; --bar-2: #5a5549; --hit: 46%; --miss: 34%;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 var(--font);
  font-variant-numeric: tabular-nums; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
main, footer { max-width: 1120px; margin: 0 auto; padding: 28px 28px 0; }
footer { padding: 0 28px 40px; color: var(--ink-2); }
h1 { font-size: 26px; line-height: 1.25; margin: 0; font-weight: 650; letter-spacing: -.015em;
  overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0 0 4px; font-weight: 650; letter-spacing: -.005em; }
h3 { font-size: 14px; margin: 18px 0 6px; font-weight: 650; }
p { margin: 0 0 10px; max-width: 76ch; overflow-wrap: anywhere; }
code, pre { font-family: var(--mono); font-size: 12.5px; }
code { overflow-wrap: anywhere; }
pre { background: var(--sunk); border-radius: 6px; padding: 12px; margin: 0 0 14px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.muted { color: var(--ink-2); }
.brand { display: flex; gap: 9px; align-items: center; font-weight: 700; font-size: 15px; margin-bottom: 18px; }
.subject { margin: 6px 0 18px; color: var(--ink-2); }
.chip { display: inline-block; border-radius: 99px; padding: 1px 10px; font-size: 12.5px; font-weight: 600;
  background: var(--sunk); border: 1px solid var(--line); color: var(--ink); overflow-wrap: anywhere; }
.verdict { border-left: 4px solid var(--note); background: var(--note-soft); padding: 11px 16px; margin-bottom: 16px;
  border-radius: 0 8px 8px 0; overflow-wrap: anywhere; font-size: 15px; max-width: none; }
.verdict.good { border-color: var(--good); background: var(--good-soft); }
.verdict.bad { border-color: var(--bad); background: var(--bad-soft); }
.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
  margin-bottom: 16px; min-width: 0; }
.cards { display: grid; grid-template-columns: 2.1fr 1fr 1fr 1fr; gap: 16px; margin-bottom: 16px; }
.cards .sheet { margin: 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 16px; align-items: stretch; }
.big { font-size: 32px; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; margin: 2px 0; }
.key { color: var(--ink-2); font-size: 13px; margin: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; color: var(--ink-2); font-size: 13px; margin: 8px 0 0; }
.legend span::before { content: ""; display: inline-block; width: 12px; height: 3px; margin: 0 7px 3px 0;
  background: currentColor; }
.legend .c-bar::before { background: var(--bar); } .legend .c-bad::before { background: var(--bad); }
.legend .c-note::before { background: var(--note); } .legend .c-ink::before { background: var(--ink); }
.legend .c-range::before { background: var(--bar-2); height: 8px; margin-bottom: 1px; }
.scroll { overflow-x: auto; margin: 8px -20px 0; padding: 0 20px; }
table { border-collapse: collapse; width: 100%; }
.scroll + p { margin-top: 12px; }
caption { text-align: left; color: var(--ink-2); padding: 0 0 6px; }
caption span { display: block; max-width: min(76ch, calc(100vw - 58px)); }
th { text-align: left; font-weight: 500; color: var(--ink-2); font-size: 12.5px; padding: 7px 10px 7px 0;
  border-bottom: 1px solid var(--line-strong); vertical-align: bottom; }
tbody th { color: var(--ink); font-weight: 600; font-size: inherit; vertical-align: top; max-width: 34ch;
  min-width: 13ch; overflow-wrap: anywhere; }
td, tbody th { padding: 7px 10px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th.n { min-width: 0; width: 1%; padding-right: 18px; font-weight: 500; color: var(--ink-2); }
tbody tr:last-child > * { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 17ch; width: 50%; }
td.label { overflow-wrap: anywhere; min-width: 12ch; width: 17%; }
th.measure, td.measure { padding-left: 16px; }
td.measure { white-space: nowrap; }
td.measure svg { width: 84px; height: 9px; margin-right: 10px; }
.wrong { color: var(--bad); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 18px; margin: 8px 0 0; }
dt { color: var(--ink-2); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: 9px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } li:last-child { border: 0; }
li ul { margin: 4px 0 0; } li li { padding: 1px 0 1px 14px; border: 0; color: var(--ink-2); }
details.long { display: inline-block; vertical-align: top; max-width: 100%; }
summary { cursor: pointer; } details.long[open] > summary bdi { display: none; } summary .muted { font-size: 12.5px; }
details.long[open] > bdi { white-space: pre-wrap; }
details.data { margin-top: 10px; color: var(--ink-2); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
svg.chart { display: block; width: 100%; max-width: 520px; height: auto; margin: 6px auto 0; }
svg.range { display: block; width: 100%; height: 20px; margin: 8px 0 0; }
svg text { fill: var(--ink-2); font: 12px var(--font); } svg text.strong { fill: var(--ink); font-weight: 600; }
.track { fill: var(--sunk); } .f-bar { fill: var(--bar); } .f-range { fill: var(--bar-2); } .f-ink { fill: var(--ink); }
.f-soft { fill: var(--bar); fill-opacity: .28; } .f-band { fill: var(--bad); fill-opacity: .17; }
.grid { stroke: var(--line); fill: none; } .axis { stroke: var(--line-strong); fill: none; }
.dashed { stroke: var(--ink-2); stroke-dasharray: 4 4; fill: none; }
.mark { stroke: var(--note); stroke-dasharray: 3 3; stroke-width: 1.5; fill: none; }
.thin { stroke: var(--ink); stroke-width: 1.2; fill: none; }
.s-bar { stroke: var(--bar); stroke-width: 2.5; stroke-linejoin: round; fill: none; }
.s-bad { stroke: var(--bad); stroke-width: 2; stroke-linejoin: round; fill: none; }
.side { display: flex; flex-wrap: wrap; gap: 0 48px; align-items: flex-start; }
.side > :last-child:not(:first-child) { flex: 1 1 260px; }
table.matrix { width: auto; border-collapse: separate; border-spacing: 3px; margin: 0; }
table.matrix th { border: 0; padding: 4px 7px; } table.matrix tbody th { vertical-align: middle; }
table.matrix thead th { text-align: center; vertical-align: bottom; }
table.matrix thead th[scope=col] { min-width: 40px; }
table.matrix td { border: 0; border-radius: 4px; text-align: center; padding: 7px 6px; min-width: 40px;
  background: var(--sunk); vertical-align: middle; }
table.matrix td.zero { color: var(--ink-2); }
table.matrix td.hit { background: color-mix(in srgb, var(--bar) calc(var(--s) * var(--hit)), var(--sunk));
  font-weight: 650; }
table.matrix td.miss { background: color-mix(in srgb, var(--bad) calc(10% + var(--s) * var(--miss)), var(--sunk)); }
table.dense { border-spacing: 1px; font-size: 12px; } table.dense th { font-size: 12px; padding: 2px 6px; }
table.dense td, table.dense thead th[scope=col] { min-width: 25px; padding: 4px 2px; }
@media screen and (max-width: 760px) {
  main { padding: 18px 14px 0; } footer { padding: 0 14px 30px; } h1 { font-size: 21px; }
  .cards { grid-template-columns: 1fr 1fr 1fr; gap: 10px; } .cards .sheet:first-child { grid-column: 1 / -1; }
  .cards .sheet { padding: 12px; } .two { grid-template-columns: minmax(0, 1fr); } .big { font-size: 24px; }
  .cards .sheet:first-child .big { font-size: 32px; }
  .sheet { padding: 15px 14px; } .scroll { margin: 8px -14px 0; padding: 0 14px; }
  td.measure svg { display: none; } td.text { min-width: 15ch; }
  td.n, th.n, td.label { padding-right: 8px; } th.measure, td.measure { padding-left: 6px; }
  .spare { display: none; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 8px; }
}
@media print {
  @page { size: A4; margin: 14mm 13mm; }
  :root { color-scheme: light; --ground: #fff; }
  body { font-size: 10pt; } main, footer { padding: 0; max-width: none; }
  .sheet { padding: 10px 12px; } .cards { gap: 10px; } .big { font-size: 22px; }
  td.measure svg { width: 44px; margin-right: 6px; } dl { font-size: 9pt; }
  .cards, .verdict, .chart, tr, pre, li, dl > div { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
  caption span { max-width: none; }
  .scroll { overflow: visible; margin: 6px 0 0; padding: 0; }
  table.matrix.dense { font-size: 7pt; } table.dense td { min-width: 15px; }
  table.dense th { font-size: 7pt; padding: 1px 3px; } table.dense thead th[scope=col] { min-width: 15px; }
}
@media print and (prefers-color-scheme: dark) {
  :root { --sheet: #fff; --sunk: #f3f1ec; --line: #e4e0d8; --line-strong: #cfc9bd; --ink: #1f1d1a; --ink-2: #5d584f;
    --accent: #a35f00; --good: #2a7448; --good-soft: #e3f2e8; --bad: #b3372f; --bad-soft: #fbe7e4; --note: #3b6ea5;
    --note-soft: #e5eef8; --bar-2: #c9c2b4; --hit: 85%; --miss: 38%; }
}
"""
