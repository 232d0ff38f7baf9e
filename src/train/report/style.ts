// How a report looks, by daylight and in the dark.

export const style = `
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --edge: #e3e6eb; --text: #1b2330; --dim: #667085; --grid: #e9ecf1;
  --c0: #2563c9; --c1: #d9621e; --c2: #178a6b; --c3: #b8359c; --c4: #7a5af0; --c5: #a87b00; --c6: #c8344b; --c7: #0e86a8; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0f1319; --card: #171c25; --edge: #262d39; --text: #e6eaf1; --dim: #94a0b4; --grid: #252c38;
  --c0: #6ea8ff; --c1: #ff9c5b; --c2: #4fd1a5; --c3: #f08ad8; --c4: #ab96ff; --c5: #e3bb4f; --c6: #ff8094; --c7: #5cc8e6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; margin-bottom: 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; letter-spacing: -.015em; }
header span { color: var(--dim); }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .8rem; letter-spacing: -.005em; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: .75rem; }
.figures div, .chart, .sheets, details { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
.figures div { padding: .7rem .9rem .75rem; }
.figures dt, .figures dd { margin: 0; }
.figures dt, .figures small { color: var(--dim); font-size: .8rem; line-height: 1.35; display: block; }
.figures dd { font-size: 1.5rem; font-weight: 600; line-height: 1.3; letter-spacing: -.02em; }
.figures small { font-weight: 400; letter-spacing: 0; min-height: 1.35em; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: .75rem; }
.chart { margin: 0; padding: .75rem .6rem .35rem .8rem; position: relative; }
.chart figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .9rem; font-size: .88rem; padding-right: .4rem; }
.chart figcaption b { font-weight: 600; flex: 1 0 auto; }
.chart figcaption .several { width: 100%; display: flex; flex-wrap: wrap; gap: 0 .9rem; }
.chart figcaption span span { color: var(--dim); white-space: nowrap; }
.chart figcaption i { display: inline-block; width: .65em; height: .65em; border-radius: 50%; background: var(--line); margin-right: .35em; }
.chart output { color: var(--text); font-variant-numeric: tabular-nums; }
.chart svg { display: block; width: 100%; height: auto; margin-top: .35rem; overflow: visible; touch-action: pan-y; }
.chart text { fill: var(--dim); font: 10.5px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.chart path { fill: none; }
.grid { stroke: var(--grid); }
.raw { stroke: var(--line); stroke-opacity: .28; stroke-width: 1; stroke-linejoin: round; }
.mean { stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.chart circle { fill: var(--line); }
.cursor { visibility: hidden; }
.cursor path { stroke: var(--dim); stroke-dasharray: 2 3; }
.chart .cursor text { fill: var(--text); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 14px; }
.cursor.on { visibility: visible; }
${Array.from({ length: 8 }, (_, i) => `.c${i} { --line: var(--c${i}); }`).join(' ')}
.sheets { padding: 1rem; }
.sheets figure { margin: 0 0 1rem; }
.sheets.ready figure { display: none; margin: 0; }
.sheets.ready figure.on { display: block; }
.sheets img { display: block; width: 100%; height: auto; border-radius: 6px; background: #fff; }
.sheets figcaption { color: var(--dim); font-size: .88rem; margin-bottom: .5rem; }
.sheets figcaption b { color: var(--text); font-weight: 600; }
.sheets input { width: 100%; margin: .9rem 0 .5rem; accent-color: var(--c0); }
.strip { display: flex; gap: .5rem; overflow-x: auto; padding-bottom: .3rem; }
.strip button { flex: 0 0 88px; padding: 3px; border: 2px solid transparent; border-radius: 8px; background: none; color: var(--dim);
  font: inherit; font-size: .72rem; cursor: pointer; }
.strip button.on { border-color: var(--c0); color: var(--text); }
.strip i { display: block; height: 40px; border-radius: 4px; background-size: 400% auto; background-position: 0 100%; }
details { padding: .8rem 1rem; }
summary { cursor: pointer; font-weight: 600; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
.config { columns: 340px; column-gap: 2.5rem; margin-top: .8rem; }
.config table { break-inside: avoid; margin-bottom: .9rem; }
caption { text-align: left; font-weight: 600; padding: .1rem 0; }
td { padding: .18rem .6rem .18rem 0; border-top: 1px solid var(--edge); vertical-align: top; }
td:first-child { color: var(--dim); white-space: nowrap; }
td:last-child { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.config td:last-child { text-align: right; padding-right: 0; }
p { color: var(--dim); }
`;
