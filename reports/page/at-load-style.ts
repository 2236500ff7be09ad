// Holds the style of the answer at a load: a table that becomes a card for each pattern on a narrow screen.

import { costColumns } from '../summary/at-load.ts';

export const atLoadStyle = `
.at-load h2 { margin-top: 1.6rem; } .at-load > p.dim { max-width: 60rem; margin: .2rem 0 .6rem; }
.at-load table { width: 100%; margin: 0 0 .4rem; } .at-load th, .at-load td { text-align: left;
  white-space: normal; border: 0; padding: .3rem .7rem .1rem 0; }
.at-load thead th { color: var(--dim); font-weight: 500; vertical-align: bottom; }
.at-load tbody { border-top: 1px solid var(--line); } .at-load tbody th { min-width: 7.8rem; max-width: 11rem;
  overflow-wrap: break-word; }
.at-load tr.why td { color: var(--dim); padding-bottom: .55rem; padding-top: 0; font-size: .87rem; }
.at-load .axis { width: 27%; min-width: 13rem; padding-left: 0; }
.at-load td b { font-weight: 600; white-space: nowrap; } .at-load .late > span { display: block; }
.at-load .late small { display: inline; margin-left: .35em; white-space: nowrap; }
.at-load small.what { display: none; } .at-load td.bad { color: var(--bad); }
.at-load .void { color: var(--bad); font-style: italic; }
.at-load .dot { display: inline-block; width: .65em; height: .65em; border-radius: 50%;
  background: var(--own); margin-right: .45em; print-color-adjust: exact; }
.bar { display: block; height: 5px; border-radius: 3px; background: var(--line);
  margin: 3px 0 2px; overflow: hidden; min-width: 2.5rem; print-color-adjust: exact; }
.bar i { display: block; height: 100%; background: var(--own, var(--dim)); print-color-adjust: exact; }
.at-load .ticks { display: block; position: relative; height: 1.2em; } .at-load .ticks span {
  position: absolute; transform: translateX(-50%); white-space: nowrap; font-size: .78rem; }
svg.latency { display: block; overflow: visible; } line.grid { stroke: var(--line); }
svg.latency .span { stroke: var(--own); stroke-width: 7; opacity: .38; } svg.latency .span.open {
  stroke-dasharray: 5 4; }
svg.latency .within { stroke: var(--text); stroke-width: 1.3; opacity: .75; }
svg.latency .p50 { fill: var(--own); } svg.latency .p99 { fill: var(--back); stroke: var(--own);
  stroke-width: 2; } svg.latency .cross { fill: var(--bad); font: 700 1.2rem system-ui, sans-serif; }
.bounds table { max-width: 54rem; } .at-load.bounds .axis { width: auto; } .bounds th:first-child {
  width: 11rem; }
.choices td small { color: var(--dim); } .choices th[scope=row] { white-space: normal; max-width: 13rem; }
 .choices th.words { white-space: normal; }
@media screen and (max-width: 60rem) {
  .at-load table, .at-load tbody, .at-load thead, .at-load tr, .at-load th, .at-load td { display: block; }
  .at-load:not(.bounds) thead th:not(.axis), .at-load.bounds thead th:first-child { display: none; }
  .at-load thead .axis { padding-bottom: 0; } .at-load .axis { width: auto; }
  .at-load tbody { padding: .5rem 0; } .at-load tbody th { max-width: none; padding-bottom: 0; }
  .at-load tbody tr:first-child { display: grid; gap: 0 .8rem;
    grid-template-columns: repeat(auto-fill, minmax(6.6rem, 1fr)); }
  .at-load tbody tr:first-child > th, .at-load tbody tr:first-child > .axis,
  .at-load tbody tr:first-child > .late, .at-load .figures td:last-child { grid-column: 1 / -1; }
  .at-load.bounds tbody tr { display: block; } .at-load .late > span { display: inline-block;
    margin-right: 1.2rem; }
  .at-load small.what { display: inline; margin: 0; }
  ${['', '', ...costColumns.map(({ title }) => title), 'lost']
    .map((title, i) =>
      title === '' ? '' : `.at-load .figures td:nth-of-type(${i + 1})::before { content: '${title}'; }`,
    )
    .join('\n  ')}
  .at-load .figures td::before { display: block; color: var(--dim); font-size: .78rem; font-weight: 400; } }
`;
