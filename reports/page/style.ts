// Holds the page's style: light and dark by the reader's system, narrow screens, print. Text has a contrast
// of at least 4.5:1.

import { atLoadStyle } from './at-load-style.ts';
import { chartCss } from './chart-css.ts';
import { titleRules } from './table-markup.ts';

const light = `--text: #1c1c1e; --dim: #5b5b62; --back: #ffffff; --panel: #f4f4f6; --line: #d5d5da;
  --good: #0b6b3a; --bad: #b3261e; --bad-back: #fdecea;`;

export const style = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { --text: #ececef; --dim: #a9a9b2; --back: #18181b;
  --panel: #232327; --line: #3d3d44;
  --good: #6fd39b; --bad: #ff9a91; --bad-back: #3b1f1d; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body { margin: 0 auto; max-width: 80rem; padding: 0 1.5rem 2rem; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
body > main:first-child { padding-top: 1.5rem; }
.top { display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: baseline; padding: 1rem 0 .8rem;
  border-bottom: 1px solid var(--line); font-size: .85rem; color: var(--dim); }
.top b { color: var(--text); font-size: 1rem; } .top .name { font-weight: 600; margin-right: auto; }
.pill { border: 1px solid var(--line); border-radius: 99px; padding: .05rem .7rem; }
.contents { font-size: .85rem; } .contents summary { padding: .5rem 0; font-weight: 600; color: var(--text); }
.contents ul { list-style: none; margin: 0; padding: 0; } .contents li { max-width: none; }
.contents a { display: block; padding: .2rem 0; color: var(--dim); text-decoration: none; }
.contents a:hover, .contents a:focus-visible { color: var(--text); text-decoration: underline; }
@media screen and (max-width: 67.99rem) { .contents { position: sticky; top: 0; z-index: 3;
  background: var(--back); border-bottom: 1px solid var(--line); max-height: 100vh; overflow-y: auto; }
  .contents ul { columns: 2; padding-bottom: .6rem; } .contents a { padding: .35rem 0; } }
@media (min-width: 68rem) { .columns { display: grid; gap: 2rem;
    grid-template-columns: 8.5rem minmax(0, 1fr); }
  .contents { position: sticky; top: 1.5rem; align-self: start; padding-top: 1.2rem; max-height: 96vh;
    overflow-y: auto; } html { scroll-padding-top: 1rem; }
  @supports selector(::details-content) { .contents summary { display: none; }
    .contents details::details-content { content-visibility: visible; block-size: auto; } } }
h1, .headline { max-width: 58rem; font-size: clamp(1.15rem, 2vw, 1.5rem); line-height: 1.3; font-weight: 650;
  letter-spacing: -.012em; margin: .25rem 0 1.1rem; text-wrap: pretty; }
h1:has(+ .headline) { font-size: .95rem; font-weight: 500; letter-spacing: 0; color: var(--dim);
  margin: 1.4rem 0 0; }
.question { color: var(--dim); margin: 1.4rem 0 0; max-width: 58rem; }
.remarks { max-width: 58rem; margin: -.5rem 0 1.1rem; font-weight: 500; }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; line-height: 1.3; }
h3 { font-size: 1rem; margin: .9rem 0 .25rem; }
p, li { max-width: 46rem; }
.dim, caption, figcaption { color: var(--dim); font-size: .87rem; } .dim { margin: .4rem 0; }
.strip { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.8rem, 1fr)); gap: 1px;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin: 0; }
.strip > div { padding: .45rem .7rem; box-shadow: 0 0 0 1px var(--line); }
.strip dt { font-size: .8rem; color: var(--dim); } .strip dd { margin: 0; font-weight: 600; }
.strip small { display: block; font-weight: 400; color: var(--dim); font-size: .78rem; line-height: 1.35; }
.good { color: var(--good); } .bad { color: var(--bad); }
.strip > div.wrong { background: var(--bad-back); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; margin: .4rem 0; }
caption { text-align: left; padding-bottom: .3rem; } caption span { display: inline-block; position: sticky;
  left: 0; max-width: calc(100vw - 2rem); }
th, td { padding: .3rem .55rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; }
thead th { white-space: normal; font-size: .8rem; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; }
tbody th { white-space: normal; min-width: 7rem; }
.words { text-align: left; } td.words { white-space: normal; min-width: 7rem; }
td.void, td .void { color: var(--bad); font-style: italic; }

th small, td small { display: block; font-weight: 400; color: var(--dim); font-size: .78rem; }
.main table { width: 100%; font-size: .84rem; } .main th, .main td { padding-inline: .28rem; }
.main small { font-size: .74rem; }
.main th:first-child { position: sticky; left: 0; background: var(--back); white-space: normal;
  min-width: 8.3rem; max-width: 15rem; padding-left: 0; overflow-wrap: break-word; }
.main .lost { position: sticky; right: 0; background: var(--back); padding-right: 0;
  box-shadow: -1px 0 var(--line); font-weight: 600; }
.grids { display: flex; flex-wrap: wrap; gap: .2rem 2rem; } .grids .scroll { max-width: 100%; }
.grids table { width: auto; } .grids td { font-weight: 600; } .grids td small {
  white-space: normal; } .grids th { width: 5.8rem; } .grids th:first-child { min-width: 0; width: 7.2rem; }
tr.out td, tr.out th { color: var(--dim); text-decoration: line-through; } tr.out th .why {
  display: inline-block; font-weight: 400; font-style: italic; text-decoration: none; }
.suspect figure { filter: saturate(.4); } .suspect .main { color: var(--dim); }
figure { margin: .4rem 0; } figcaption { max-width: 54rem; }
@media screen and (max-width: 40rem) { body { padding: 0 1rem 3rem; }
  .main th:first-child { min-width: 6.5rem; max-width: 8.5rem; font-size: .76rem; }
  .grids thead th { font-size: .66rem; } .grids th { width: 4rem; } .grids th, .grids td {
  padding-inline: .15rem; } .grids th:first-child { min-width: 0; width: 4.6rem; }
  .main td small { white-space: normal; }
  .blocks table, .blocks caption, .blocks tbody { display: block; } .blocks thead { display: none; }
  .blocks tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.4rem, 1fr));
    gap: .15rem .5rem; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .blocks th:first-child { grid-column: 1 / -1; max-width: none; white-space: normal;
    overflow-wrap: anywhere; }
  .blocks tr:has(> .words) { display: flex; flex-wrap: wrap; gap: .15rem 1.2rem; }
  .blocks tr:has(> .words) > th { flex: 1 0 100%; }
  .blocks th, .blocks td, .blocks td.lost { position: static; border: 0; padding: 0; text-align: left;
    box-shadow: none; white-space: normal; } .blocks tr.out td { text-decoration: none; }
  .blocks td:empty { display: none; }
  .blocks td::before { display: block; color: var(--dim);
    font: 400 .66rem system-ui, sans-serif; line-height: 1.2; } ${titleRules}
  .runs, .runs tbody, .runs tr, .runs td, .runs th { display: block; border: 0; text-align: left;
    padding: .1rem 0; } .runs caption { display: none; } .runs thead { display: none; } .runs tr {
    border-bottom: 1px solid var(--line); padding: .6rem 0; } }
#tip { position: fixed; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--back); font-size: .85rem; white-space: pre; pointer-events: none; }
details { margin: .4rem 0; } summary { cursor: pointer; color: var(--dim); }
summary h2 { display: inline; font-size: 1rem; margin: 0; color: var(--text); }
section > details.part { border-top: 1px solid var(--line); margin: 0; padding: .55rem 0; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem;
  overflow-x: auto; font-size: .85rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
a { color: inherit; text-underline-offset: .2em; } th a { text-decoration-style: dotted; }
.runs thead th, .runs th:first-child, .runs th[scope=row], td.text, .prose td, .prose th { text-align: left;
  white-space: normal; } .runs td { white-space: normal; text-align: left; } td.text { min-width: 22rem; }
  .runs td.when { white-space: nowrap; } td.forms { min-width: 9rem; }
article.doc pre { white-space: pre-wrap; overflow-wrap: anywhere; } article.doc h1 { font-size: 1.6rem;
  font-weight: 600; color: var(--text); }
#notice ul { columns: 2 30rem; column-gap: 2rem; } #notice li { break-inside: avoid; }
ul.plain { padding-left: 1.1rem; } ul.plain details { margin: .1rem 0; }
${atLoadStyle}
@media print { :root { color-scheme: light; ${light} }
  body { max-width: none; padding: 0; font-size: 12px; } .columns { display: block; }
  .contents { display: none; }
  .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: .62rem; } thead th { font-size: inherit; } th, td { padding: .2rem .3rem;
    white-space: normal; } .main table { font-size: .62rem; } .main small { font-size: .55rem; }
  .main th:first-child, .main .lost { position: static; min-width: 0; } .main th, .main td {
    padding-inline: .25rem; } .main td { white-space: nowrap; } .main td small { white-space: normal; }
  .chart svg { min-width: 0; } figure, tr, .strip { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; } }
${chartCss}`;
