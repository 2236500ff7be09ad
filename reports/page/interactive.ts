// Adds what makes a page interactive: Vega and the charts' specifications, drawn again over the drawings,
// with figures at the pointer, a time axis to move and zoom, and variants to tick. Without scripts the page
// stays as it is.

import { readFile } from 'node:fs/promises';
import type { Spec } from 'vega';
import type { Figure } from './figure.ts';
import { scriptElement } from './chart-script.ts';
import { html, scriptJson, type Markup } from './markup.ts';

/** The script that makes functions of text, Vega's, and the one that draws with it. */
export async function interactiveScripts(): Promise<[vega: string, draw: string]> {
  // The package exports its module build alone; the one for script elements stands beside it.
  return [await readFile(new URL('vega.min.js', import.meta.resolve('vega')), 'utf8'), drawScript];
}

export async function interactiveScript(figures: readonly Figure[]): Promise<Markup> {
  const [vega, draw] = await interactiveScripts();
  const specs = Object.fromEntries(
    figures.flatMap(({ id, chart }) => (chart?.live ? [[id, packed(chart.live)]] : [])),
  );
  return html`${scriptElement(vega)}
    <script type="application/json" id="specs">
      ${scriptJson(specs)}
    </script>
    ${scriptElement(draw)}`;
}

/** A specification with its rows as columns, texts by number: a quarter of the size. */
function packed(spec: Spec): object {
  return {
    ...spec,
    data: (spec.data ?? []).map((set) => {
      if (!('values' in set) || !Array.isArray(set.values)) return set;
      const { values, ...rest } = set;
      const rows = values as Record<string, string | number>[]; // the rows of chart-data.ts
      const names = [...new Set(rows.flatMap(Object.keys))];
      return {
        ...rest,
        columns: names.map((name) => {
          const own = rows.map((row) => row[name]!);
          const texts = [...new Set(own.filter((value) => typeof value === 'string'))];
          return texts.length === 0
            ? { name, own }
            : { name, texts, own: own.map((value) => texts.indexOf(String(value))) };
        }),
      };
    }),
  };
}

const drawScript = `
const unpack = (spec) => {
  for (const set of spec.data) if (set.columns) {
    set.values = set.columns[0].own.map((_, i) =>
      Object.fromEntries(set.columns.map(({ name, texts, own }) =>
        [name, texts ? texts[own[i]] : own[i]])));
    delete set.columns;
  }
  return spec;
};
const picker = document.getElementById('picker');
const tip = document.body.appendChild(document.createElement('div'));
tip.id = 'tip';
tip.hidden = true;
const tell = (_, event, __, value) => {
  tip.hidden = value === null || typeof value !== 'object';
  if (tip.hidden) return;
  tip.textContent = Object.entries(value).map(([name, text]) => name + ': ' + text).join('\\n');
  tip.style.left = Math.max(0, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
  tip.style.top = Math.max(0, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)) + 'px';
};
// A narrow screen keeps the drawings made for it.
const wide = matchMedia('(min-width: 40.01rem)').matches;
const specs = JSON.parse(document.getElementById('specs').textContent);
Promise.all(Object.entries(wide ? specs : {}).map(async ([id, spec]) => {
  const place = document.querySelector('#' + id + ' .chart');
  const box = document.createElement('div');
  const view = await new vega.View(vega.parse(unpack(spec)), { renderer: 'svg', container: box })
    .tooltip(tell).runAsync();
  const svg = box.querySelector('svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', place.querySelector('svg > title').textContent);
  place.replaceChildren(box);
  return view;
})).then((views) => {
  if (wide && picker) {
    for (const one of picker.querySelectorAll('[hidden]')) one.hidden = false;
    picker.className = 'live';
  }
  picker?.addEventListener('change', () => {
    const hidden = [...picker.querySelectorAll('input:not(:checked)')].map((box) => box.value);
    for (const view of views) view.signal('hidden', hidden).runAsync();
  });
  const time = 'zoom_atS';
  const timed = views.filter((view) =>
    time in view.getState({ signals: (name) => name === time, data: () => false }).signals);
  const same = (a, b) => String(a) === String(b);
  for (const view of timed) view.addSignalListener(time, (_, range) => {
    for (const other of timed) if (!same(other.signal(time), range)) other.signal(time, range).runAsync();
  });
});`;
