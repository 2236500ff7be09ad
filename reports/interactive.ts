// What an interactive page adds: Vega itself and the charts' specifications, drawn again over the drawings that
// stand there already. Without scripts the page stays as it is.

import { readFile } from 'node:fs/promises';
import type { Figure } from './figures.ts';
import { html, raw, scriptJson, type Markup } from './markup.ts';

export async function interactiveScript(figures: readonly Figure[]): Promise<Markup> {
  // The package exports its module build alone; the one for script elements stands beside it.
  const vega = await readFile(new URL('vega.min.js', import.meta.resolve('vega')), 'utf8');
  const specs = Object.fromEntries(figures.flatMap(({ id, chart }) => (chart ? [[id, chart.spec]] : [])));
  return html`<script>${raw(vega)}</script><script type="application/json" id="specs">${scriptJson(specs)}</script><script>${raw(draw)}</script>`;
}

const draw = `
for (const [id, spec] of Object.entries(JSON.parse(document.getElementById('specs').textContent))) {
  const place = document.querySelector('#' + id + ' .chart');
  const still = place.firstElementChild;
  const box = document.createElement('div');
  new vega.View(vega.parse(spec), { renderer: 'svg', container: box, hover: true }).runAsync().then(() => {
    const svg = box.querySelector('svg');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', still.querySelector('title').textContent);
    place.replaceChildren(box);
  });
}`;
