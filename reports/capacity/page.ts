// Draws the page of a capacity plan: how many servers of each pattern, the bill of a month, what that takes,
// where one server breaks, and what all of it rests on. It is one file without network.

import type { CapacityPlan, Ground } from '../../core/capacity/capacity-plan.ts';
import { formatNumber } from '../../core/base/units.ts';
import { extrapolatedMost } from '../../core/result/simulated.ts';
import { chartHint, chartScript } from '../page/chart-script.ts';
import type { Key } from '../page/chart-style.ts';
import { figureMarkup } from '../page/charts-section.ts';
import { legendStrip, lineKey } from '../page/legend.ts';
import { html, raw, type Markup } from '../page/markup.ts';
import { barOf, contents } from '../page/page-head.ts';
import { style } from '../page/style.ts';
import { tableMarkup } from '../page/table-markup.ts';
import {
  answerText,
  billRanks,
  billText,
  planParts,
  questionText,
  serverRanks,
  simulatedText,
} from '../summary/capacity.ts';
import { wholeNumber, type PartId, type PlanCell, type PlanPart } from '../summary/capacity-cells.ts';
import { withUnits } from '../summary/figure-text.ts';
import { offMeaning, rangeText } from '../summary/simulated.ts';
import { planFigures, planKeys, shades, type PlanFigures } from './figures.ts';

/** What the contents call each part, in the order of the page. */
const entries: Readonly<Record<PartId, string>> = {
  servers: 'Servers',
  bill: 'Bill',
  month: 'In a month',
  breaks: 'What breaks first',
  rests: 'Evidence',
};

const groundWords: Readonly<Record<Ground, string>> = {
  arithmetic: 'arithmetic',
  profile: 'from the profile',
  simulated: 'simulated',
};

/**
 * @returns a whole HTML document
 * @throws the reason of `over` when that is aborted before
 */
export async function renderPlanPage(plan: CapacityPlan, over?: AbortSignal): Promise<string> {
  const figures = await planFigures(plan, over);
  const keys = planKeys(plan);
  const parts = planParts(plan);
  const order = Object.keys(entries) as PartId[]; // of all parts
  const shown = order.flatMap((id) => parts.find((part) => part.id === id) ?? []);
  const bill = billText(plan);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="pushbench ${plan.pushbench}" />
        <title>Capacity plan, simulated: pushbench</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        ${barOf('capacity plan', ['simulated', plan.profile.machine, `pushbench ${plan.pushbench}`])}
        <div class="columns">
          ${contents([
            { id: 'answer', title: 'Answer' },
            ...shown.map(({ id }) => ({ id, title: entries[id] })),
            { id: 'again', title: 'Repeat it' },
          ])}
          <main>
            <p class="question" id="answer">${withUnits(questionText(plan))}</p>
            <h1 class="headline">${withUnits(answerText(plan))}</h1>
            ${bill !== undefined && html`<p class="remarks">${withUnits(bill)}</p>`} ${strip(plan)}
            <p class="dim">
              Below each figure is its source. Arithmetic: it follows from the question alone. Simulated:
              computed in virtual time from the profile of a machine. From the profile: that of a subscriber
              at rest when the machine was calibrated, times the number of subscribers. ${offMeaning}
            </p>
            ${chartHint}
            ${shown.map(
              (part) => html`<section id="${part.id}">${partMarkup(part, plan, figures, keys)}</section>`,
            )}
            <section id="again">
              <h2>Repeat it</h2>
              <pre>${plan.command}</pre>
              ${
                plan.assumed.length > 0 && html`<p class="dim">Defaults used: ${plan.assumed.join(', ')}.</p>`
              }
            </section>
          </main>
        </div>
        ${chartScript()}
      </body>
    </html> `;
  return `${page.markup.trimEnd()}\n`;
}

function strip(plan: CapacityPlan): Markup {
  const [servers, bills] = [serverRanks(plan), billRanks(plan)];
  const outside = Math.max(1, ...plan.rows.map(({ rests }) => rests.extrapolated));
  const isFar = outside > extrapolatedMost;
  const names = ({ lowest }: typeof servers) => lowest.map(({ label }) => label).join(', ');
  const [fewest, cheapest] = [servers.all[0], bills.all[0]];
  return html`<dl class="strip">
    <div class="${fewest ? '' : 'wrong'}">
      <dt>Fewest servers</dt>
      <dd class="${fewest ? '' : 'bad'}">
        ${fewest ? formatNumber(fewest.value) : '✗ none is enough'}<small>${names(servers)}</small>
      </dd>
    </div>
    ${
      plan.prices &&
      cheapest &&
      html`<div>
        <dt>Lowest bill of a month</dt>
        <dd>${wholeNumber(cheapest.value)} ${plan.prices.currency}<small>${names(bills)}</small></dd>
      </div>`
    }
    <div>
      <dt>Evidence</dt>
      <dd>simulated, not measured<small>profile ${plan.profile.name}</small></dd>
    </div>
    <div class="${isFar ? 'wrong' : ''}">
      <dt>Calibrated range</dt>
      <dd class="${isFar ? 'bad' : ''}">
        ${isFar && '✗ up to '}${rangeText(outside)}${
          isFar && html`<small>figures may be off by more than they say</small>`
        }
      </dd>
    </div>
  </dl>`;
}

function partMarkup(part: PlanPart, plan: CapacityPlan, figures: PlanFigures, keys: readonly Key[]): Markup {
  const { id, title, below } = part;
  const drawn = id === 'rests' ? [] : figures[id];
  return html`<h2>${title}</h2>
    ${id === 'bill' ? shadeLegend(plan) : ''}${id === 'breaks' ? legendStrip(keys) : ''}
    ${drawn.length > 0 && html`<div class="charts">${drawn.map(figureMarkup)}</div>`} ${partTable(part, keys)}
    ${
      id === 'rests'
        ? restsMarkup(below, plan)
        : below.map((line) => html`<p class="dim">${withUnits(line)}</p>`)
    }${
      id === 'month' && plan.prices === null
        ? html`<p>
            What it costs: name a price file with <code>--prices</code>, such as
            <code>prices/example.yaml</code>.
          </p>`
        : ''
    }`;
}

function partTable({ title, table }: PlanPart, keys: readonly Key[]): Markup {
  const looks = new Map(keys.map(({ label, look }) => [label, look]));
  return tableMarkup(
    title,
    ['pattern', ...table.columns.map((column) => column.title)],
    table.rows.map(({ label, cells }) => ({
      head: html`${lineKey(looks.get(label)!)}${label}`, // every row has a key
      cells: cells.map(cellMarkup),
    })),
    'main blocks',
  );
}

function cellMarkup({ text, from, more }: PlanCell): Markup {
  const below = [more, from && groundWords[from]];
  return html`${text}${below.map((line) => line && html`<small>${line}</small>`)}`;
}

/** What is in no figure, and from which machine and models the others are. */
function restsMarkup(below: readonly string[], plan: CapacityPlan): Markup {
  const list = (lines: readonly string[]) =>
    html`<ul class="plain">
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>`;
  return html`<p>${simulatedText(plan)}</p>
    <h3>What is in no figure</h3>
    ${list([
      ...plan.leftOut.map(({ pattern, reason }) => `${pattern} is left out: ${reason}.`),
      ...plan.leavesOut,
    ])}
    ${
      below.length > 0 &&
      html`<h3>What the models leave out</h3>
        ${list(below)}`
    }`;
}

/** Which shade of a bar is what. */
function shadeLegend(plan: CapacityPlan): Markup {
  return html`<div class="legend" role="group" aria-label="Legend of the bill" tabindex="0">
    <ul>
      ${shades(plan).map(
        ({ title, shade }) =>
          html`<li>
            <svg class="key" viewBox="0 -5 34 10" aria-hidden="true">
              <rect
                x="1"
                y="-5"
                width="32"
                height="10"
                fill="currentColor"
                fill-opacity="${shade}"
                stroke="currentColor"
              /></svg
            >${title}
          </li>`,
      )}
    </ul>
  </div>`;
}
