// Holds the page's style: light and dark by the reader's system, narrow screens, print. Text has a contrast
// of at least 4.5:1.

import { chartCss } from './chart-css.ts';

const light = `--text: #1c1c1e; --dim: #5b5b62; --back: #ffffff; --panel: #f4f4f6; --line: #d5d5da;
  --good: #0b6b3a; --bad: #b3261e; --bad-back: #fdecea;`;

export const style = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { --text: #ececef; --dim: #a9a9b2; --back: #18181b;
  --panel: #232327; --line: #3d3d44;
  --good: #6fd39b; --bad: #ff9a91; --bad-back: #3b1f1d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem 1rem 4rem; background: var(--back);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.05rem; font-weight: 500; color: var(--dim); margin: 0; }
.headline { max-width: 60rem; font-size: clamp(1.15rem, 2.5vw, 1.5rem); line-height: 1.35; font-weight: 600;
  margin: .4rem 0 1.2rem; text-wrap: pretty; }
.remarks { max-width: 60rem; margin: -.6rem 0 1.2rem; font-weight: 500; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; line-height: 1.3; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p, li { max-width: 46rem; }
.dim, caption, figcaption { color: var(--dim); font-size: .9rem; }
.strip { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin: 0; }
.strip > div { padding: .6rem .8rem; box-shadow: 0 0 0 1px var(--line); }
.strip dt { font-size: .82rem; color: var(--dim); } .strip dd { margin: 0; font-weight: 600; }
.strip small { display: block; font-weight: 400; color: var(--dim); }
.good { color: var(--good); } .bad { color: var(--bad); }
.strip > div.wrong { background: var(--bad-back); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; margin: .5rem 0; }
caption { text-align: left; padding-bottom: .3rem; } caption span { display: inline-block; position: sticky;
  left: 0; max-width: calc(100vw - 2rem); }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; }
thead th { white-space: normal; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; }
.words { text-align: left; } .main th:last-child, .main td:last-child { padding-right: 0; }
thead th { font-size: .82rem; vertical-align: bottom; }
td.void { color: var(--bad); font-style: italic; }
th small { display: block; font-weight: 400; color: var(--dim); font-size: .78rem; }
td small { display: block; color: var(--dim); font-size: .78rem; }
tr.out td, tr.out th { color: var(--dim); text-decoration: line-through; } tr.out th .why {
  display: inline-block; font-weight: 400; font-style: italic; text-decoration: none; }
.suspect figure { filter: saturate(.4); } .suspect .main { color: var(--dim); }
figure { margin: 1rem 0; } figcaption { max-width: 54rem; }
@media screen and (max-width: 40rem) {
  .main th:first-child { position: sticky; left: 0; background: var(--back); white-space: normal;
    min-width: 7rem; max-width: 9.5rem; overflow-wrap: break-word; }
  .runs, .runs tbody, .runs tr, .runs td, .runs th { display: block; border: 0; text-align: left;
    padding: .1rem 0; } .runs caption { display: none; } .runs thead { display: none; } .runs tr {
    border-bottom: 1px solid var(--line); padding: .6rem 0; } }
#tip { position: fixed; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--back); font-size: .85rem; white-space: pre; pointer-events: none; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--dim); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem;
  overflow-x: auto; font-size: .85rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
a { color: inherit; text-underline-offset: .2em; } th a { text-decoration-style: dotted; }
.runs thead th, .runs th:first-child, .runs th[scope=row], td.text, .prose td, .prose th { text-align: left;
  white-space: normal; } .runs td { white-space: normal; text-align: left; } td.text { min-width: 22rem; }
  .runs td.when { white-space: nowrap; } td.forms { min-width: 9rem; }
article.doc pre { white-space: pre-wrap; overflow-wrap: anywhere; } article.doc h1 { font-size: 1.6rem;
  font-weight: 600; color: var(--text); }
ul.plain { padding-left: 1.1rem; }
@media print { :root { color-scheme: light; ${light} }
  body { max-width: none; padding: 0; } .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: .62rem; } thead th { font-size: inherit; } th, td { padding: .2rem .3rem;
    white-space: normal; } .chart svg { min-width: 0; } figure, tr, .strip { break-inside: avoid; } h2, h3 {
    break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; } }
${chartCss}`;
