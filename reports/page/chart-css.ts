// Holds the style of charts: the patterns' colours in light and dark, two charts a row on wide screens, the
// legend that stays in sight, and what the page's script adds.

import { paletteVariables } from '../../core/pattern/palette.ts';

const light = paletteVariables('light');

export const chartCss = `
:root { ${light} }
@media (prefers-color-scheme: dark) { :root { ${paletteVariables('dark')} } }
.chart-hint[hidden] { display: none; }
.charts { display: grid; gap: .2rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
.charts > section { min-width: 0; } .charts h3 { text-wrap: pretty; }
.legend { position: sticky; top: 0; z-index: 1; margin: .5rem 0; padding: .45rem .8rem; overflow: auto;
  max-height: 30vh; border: 1px solid var(--line); border-radius: 8px; background: var(--panel);
  font-size: .9rem; }
figure .legend { position: static; border: 0; padding: 0; background: none; }
.legend.long { position: static; max-height: none; }
#picker { position: sticky; top: 0; z-index: 1; background: var(--back); }
#picker .legend { position: static; }
#picker p { margin: .2rem 0; max-width: none; } #picker label { cursor: pointer; }
.legend ul { display: flex; flex-wrap: wrap; gap: .1rem 1.4rem; margin: 0; padding: 0; list-style: none; }
.legend li { max-width: 100%; overflow-wrap: anywhere; }
svg.key { width: 34px; height: 10px; margin-right: .5em; vertical-align: middle; overflow: visible; }
svg.key path { fill: currentColor; } svg.key path:first-child { stroke: currentColor; stroke-width: 2.5; }
th svg.key { width: 26px; }
.chart { position: relative; }
.chart svg { display: block; width: 100%; max-width: 640px; height: auto; font: 12px system-ui, sans-serif; }
.chart svg text { fill: currentColor; } .role-axis-grid line, .role-axis-tick line, .role-axis-domain line {
  stroke: currentColor; } .role-axis-grid line { stroke-opacity: .15; }
.chart svg.narrow { display: none; max-width: 480px; }
@media screen and (max-width: 40rem) {
  .chart svg:not(.narrow):only-of-type { min-width: 34rem; }
  .chart svg.wide { display: none; } .chart svg.narrow { display: block; }
  .legend { max-height: 6.2rem; padding: .35rem .6rem; } .legend.long { max-height: none; }
  figure .legend { padding: 0; }
  .charts { display: block; } }
.pointer line { stroke: currentColor; stroke-opacity: .5; } .pointer circle { stroke: var(--back);
  stroke-width: 1.5; }
#values { position: fixed; z-index: 2; max-width: calc(100vw - 1rem); padding: .4rem .65rem;
  border: 1px solid var(--line); border-radius: 6px; background: var(--back); font-size: .82rem;
  line-height: 1.45; pointer-events: none; box-shadow: 0 2px 10px #0003; }
#values table { margin: 0; font-size: inherit; } #values :is(th, td) { border: 0; padding: 0 0 0 .8rem; }
#values th { padding-left: 0; text-align: left; font-weight: 400; white-space: nowrap; }
#values i { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; }
.chart-tools { display: flex; flex-wrap: wrap; gap: .4rem; margin: .2rem 0; }
.chart-tools button { border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem;
  background: var(--panel); color: var(--text); font: inherit; font-size: .8rem; cursor: pointer; }
.chart-tools button:hover { border-color: var(--dim); }
@media screen and (hover: hover) and (min-width: 40rem) { figure { position: relative; }
  figure .chart-tools { position: absolute; top: -.4rem; right: 0; opacity: 0; }
  figure:is(:hover, :focus-within) .chart-tools { opacity: 1; }
  .chart-hint { display: inline-block; margin: .2rem 1rem .2rem 0; }
  .chart-section > .chart-tools { display: inline-flex; } }
@media print { :root { ${light} } .charts { display: block; } .legend { position: static; max-height: none; }
  .chart svg { max-width: 560px; }
  .chart-tools, .chart-hint, #values, #picker input, #picker p { display: none; } }
`;
