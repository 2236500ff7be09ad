// The page's tables: the comparison, expectations, the ledger, the counts of both sides, the environment.

import { requestsOf } from '../../core/result/counters.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { html, type Markup } from './markup.ts';
import { expectationsTitle, expectedOf, type Expected } from '../summary/notices.ts';
import { resultTable } from '../summary/summary-table.ts';
import { colorCount } from './charts.ts';
import { rateText, variantsOf, type VariantTrials } from '../summary/variants.ts';

export type Row = { head: Markup | string; cells: (string | Markup)[] };

export function table(caption: string, heads: readonly string[], rows: readonly Row[]): Markup {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ head, cells }) =>
            html`<tr>
              <th scope="row">${head}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function comparisonTable(results: readonly Result[]): Markup {
  const all = resultTable(results);
  const variants = variantsOf(results); // one a row
  // A column that no variant has a figure for is left to the note below.
  const shown = all.columns.map((_, i) => all.rows.some(({ cells }) => cells[i]!.reason === undefined));
  const columns = all.columns.filter((_, i) => shown[i]);
  const rows = all.rows.map((row) => ({ ...row, cells: row.cells.filter((_, i) => shown[i]) }));
  // Why a whole row is empty stands in the row.
  const reasons = new Set(
    all.rows
      .filter(({ failed }) => failed === undefined)
      .flatMap(({ cells }) =>
        cells.flatMap(({ reason }, i) =>
          reason === undefined ? [] : [`${all.columns[i]!.title}: ${reason}`],
        ),
      ),
  );
  const body = rows.map(({ label, pattern, valid, failed, cells }, i) => {
    const why = valid ? '' : failed === undefined ? 'does not count' : 'failed';
    return html`<tr class="${valid ? '' : 'out'}">
      <th scope="row">
        <span class="swatch" style="background:var(--c${variants[i]!.index % colorCount})"></span
        ><a href="#pattern-${pattern}">${label}</a>${why && html`<span class="why">${why}</span>`}
      </th>
      ${cells.map(
        ({ text, range }) =>
          html`<td>
            ${text}${
              range === undefined || range === `${text} to ${text}` ? '' : html`<small>${range}</small>`
            }
          </td>`,
      )}
    </tr>`;
  });
  return html`<div class="scroll main" role="region" aria-label="Comparison" tabindex="0">
      <table>
        <caption>
          <span>Patterns by what they cost and how soon they deliver</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            ${columns.map(({ title }) => html`<th scope="col">${title.replace('/ ', '/\u00A0')}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>
    ${reasons.size === 0 ? '' : html`<p class="dim">No figure for ${[...reasons].join('; ')}.</p>`}
    <details>
      <summary>What the columns mean</summary>
      <ul class="plain">
        ${columns.map(({ title, note }) => html`<li><b>${title}</b>: ${note}</li>`)}
      </ul>
    </details>`;
}

export function expectationTable(results: readonly Result[]): Markup {
  const all = expectedOf(results);
  if (all.length === 0) return html``;
  const row = ({ who, check, measured, held, untested }: Expected): Row => ({
    head: who,
    cells: [
      html`<code>${check}</code>`,
      measured,
      html`<span class="${held ? 'good' : 'bad'}"
        >${held ? 'held' : untested ? 'not tested' : 'failed'}</span
      >`,
    ],
  });
  const heads = ['variant', 'expected', 'measured', 'verdict'];
  const failed = all.filter(({ held }) => !held);
  const held = all.filter((one) => one.held);
  return html`<h2>${expectationsTitle(all)}</h2>
    ${failed.length === 0 ? '' : table('What was expected and did not hold', heads, failed.map(row))}
    ${
      held.length === 0
        ? ''
        : html`<details>
            <summary>${held.length} that held</summary>
            ${table('What was expected and held', heads, held.map(row))}
          </details>`
    }`;
}

/** Which results stand beside one another, by the names that the rest of the page calls them. */
export function resultsTable(results: readonly Result[], names: readonly string[]): Markup {
  if (results.length === 1) return html``;
  const heads = [
    'called',
    'scenario',
    'subscribers',
    'events',
    'measured for',
    'when (UTC)',
    'machine',
    'pushbench',
  ];
  return html`<h2>What stands beside one another</h2>
    ${table(
      'The results, all charts and tables below share their axes and columns',
      heads,
      results.map(({ scenario, createdAt, environment, pushbench }, i) => ({
        head: names[i]!,
        cells: [
          scenario.name,
          formatNumber(scenario.subscribers),
          rateText(scenario),
          `${formatNumber(scenario.phasesMs.measure / 1000)} s`,
          createdAt.slice(0, 19).replace('T', ' '),
          `${environment.cpu}, ${environment.cores} cores`,
          `${pushbench}${environment.commit === null ? '' : ` (${environment.commit.slice(0, 12)})`}`,
        ],
      })),
    )}`;
}

/** One row a trial that went through. */
export function perTrial(variants: readonly VariantTrials[], cells: (trial: Completed) => string[]): Row[] {
  return variants.flatMap(({ label, completed }) =>
    completed.map((trial, i) => ({
      head: completed.length > 1 ? `${label} (trial ${i + 1})` : label,
      cells: cells(trial),
    })),
  );
}

export function ledgerTable(variants: readonly VariantTrials[]): Markup {
  const names = [
    'published',
    'expected',
    'delivered',
    'missed',
    'duplicated',
    'reordered',
    'resumed',
    'corrupted',
    'unexpected',
    'unconfirmed',
  ] as const;
  return table(
    'Deliveries of the measured events, to the last one',
    ['variant', ...names],
    perTrial(variants, ({ ledger }) => names.map((name) => formatNumber(ledger[name]))),
  );
}

export function costTable(variants: readonly VariantTrials[]): Markup {
  const heads = [
    'variant',
    'requests',
    'handshakes',
    'full polls',
    'empty polls',
    'webhook requests',
    'heartbeats',
    'bytes to clients',
    'bytes from clients',
    'connections',
    'reconnects',
  ];
  return table(
    'What the subscribers did over the whole trial, connecting and warm-up included',
    heads,
    perTrial(variants, ({ counters: { client: c } }) => [
      formatNumber(requestsOf(c)),
      formatNumber(c.handshakes + c.registrations),
      formatNumber(c.fullPolls),
      formatNumber(c.emptyPolls),
      formatNumber(c.deliveryRequests + c.retries),
      formatNumber(c.heartbeats),
      formatBytes(c.bytesIn),
      formatBytes(c.bytesOut),
      formatNumber(c.connectionsOpened),
      formatNumber(c.reconnects),
    ]),
  );
}

export function checkTable(variants: readonly VariantTrials[]): Markup {
  const rows = variants.flatMap(({ label, completed }) =>
    completed.flatMap(({ checks }) =>
      checks.map(({ name, server, client, agree, note }) => ({
        head: label,
        cells: [
          name,
          formatNumber(server),
          formatNumber(client),
          html`<span class="${agree || note !== '' ? 'good' : 'bad'}"
            >${agree ? 'equal' : note || 'differs'}</span
          >`,
        ],
      })),
    ),
  );
  return table(
    'The same things counted by the server and by its subscribers',
    ['variant', 'what', 'server', 'subscribers', 'verdict'],
    rows,
  );
}

export function resourceTable(variants: readonly VariantTrials[]): Markup {
  const heads = [
    'variant',
    'server CPU',
    'load CPU',
    'publisher CPU',
    'server memory, peak',
    'load memory, peak',
    'kernel socket memory',
    'descriptors, peak',
    'of a limit of',
    'server loop delay, worst 99 %',
    'server GC',
  ];
  return table(
    'Processes over the measured phase (CPU as a share of one core)',
    heads,
    perTrial(variants, (trial) => {
      const of = (role: string) => trial.processes.filter((process) => process.role === role);
      const ours = of('server').filter(({ outside }) => !outside);
      const cpu = (role: string) =>
        of(role).length === 0
          ? 'not measured'
          : formatShare(of(role).reduce((sum, { cpuUs, wallUs }) => sum + cpuUs / wallUs, 0));
      const rss = (role: string) =>
        of(role).length === 0
          ? 'not measured'
          : formatBytes(of(role).reduce((sum, { rssPeakBytes }) => sum + rssPeakBytes, 0));
      const most = (pick: (process: Completed['processes'][number]) => number) =>
        ours.length === 0 ? 'not measured' : formatUs(Math.max(...ours.map(pick)));
      const { descriptors, kernelSocketBytes } = trial;
      return [
        cpu('server'),
        cpu('load'),
        cpu('publisher'),
        rss('server'),
        rss('load'),
        kernelSocketBytes === null ? 'not measured' : formatBytes(kernelSocketBytes),
        descriptors ? formatNumber(descriptors.peak) : 'not measured',
        descriptors ? formatNumber(descriptors.limit) : '',
        most((p) => p.loopDelayP99Us),
        most((p) => p.gcPauseUs),
      ];
    }),
  );
}

/** A table in the open. */
export const plainTable = table;

/** Rows of figures behind a chart, by variant. */
export function figureTable(
  caption: string,
  heads: readonly string[],
  rows: readonly Row[],
  summary = 'The figures',
): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${table(caption, heads, rows)}
  </details>`;
}
