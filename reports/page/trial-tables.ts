// Draws the tables that have a row for each trial: the ledger, what subscribers did, the counts of both
// sides, the processes.

import { noProcReason } from '../../core/result/machine-text.ts';
import { figureOf, metrics, notMeasured } from '../../core/metrics/registry.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { requestsOf } from '../../core/result/counters.ts';
import { evidenceText, type Evidence } from '../../core/result/evidence.ts';
import type { Completed } from '../../core/result/result.ts';
import { voidedBy } from '../../core/result/voids.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { awayOf } from '../summary/away.ts';
import { html, type Markup } from './markup.ts';
import { notSimulated } from '../../core/metrics/simulated.ts';
import { withOff } from '../summary/simulated.ts';
import { plainTable, tableMarkup, type Row } from './table-markup.ts';
import type { VariantTrials } from '../summary/variants.ts';

/**
 * One row a trial that went through.
 * @param rests what the row rests on, where it shows what was counted as it was: its head says what is void
 */
export function perTrial(
  variants: readonly VariantTrials[],
  cells: (trial: Completed) => string[],
  rests: readonly Evidence[] = [],
): Row[] {
  return variants.flatMap(({ label, completed }) =>
    completed.map((trial, i) => {
      const name = completed.length > 1 ? `${label} (trial ${i + 1})` : label;
      const spoilt = rests.filter((one) => voidedBy([one], trial).length > 0);
      return {
        head:
          spoilt.length === 0
            ? name
            : html`${name}<br /><span class="bad">void: ${evidenceText(spoilt)}</span>`,
        cells: cells(trial),
      };
    }),
  );
}

/** A metric of a trial, or why it has none. */
function figureText(name: string, trial: Completed): string {
  const figure = figureOf(name, trial);
  if (figure.value === undefined) return figure.why;
  return withOff(formatMetric(figure.value, metrics[name]!.unit), name, [trial]);
}

export function ledgerTable(variants: readonly VariantTrials[]): Markup {
  const names = [
    'published',
    'expected',
    'delivered',
    'missed',
    ...(variants.some(({ completed }) => completed.some(({ ledger }) => ledger.unreported))
      ? (['unreported'] as const)
      : []),
    'duplicated',
    'reordered',
    'resumed',
    'corrupted',
    'unexpected',
    'unconfirmed',
  ] as const;
  const away = variants.some(({ completed }) => completed.some(({ recovery }) => recovery));
  return tableMarkup(
    'Deliveries of the measured events',
    ['variant', ...names, ...(away ? ['missed while away'] : [])],
    perTrial(
      variants,
      ({ ledger, recovery }) => [
        ...names.map((name) => formatNumber(ledger[name] ?? 0)),
        ...(away ? [formatNumber(recovery?.missedAway ?? 0)] : []),
      ],
      ['losses'],
    ),
  );
}

/** Beside losses: how long clients were away. */
export function awayParagraph(variants: readonly VariantTrials[]): Markup {
  const lines = variants.flatMap((variant) => {
    const text = awayOf([variant]);
    return text === undefined ? [] : [`${variant.label}: ${text}.`];
  });
  return html`${lines.length > 0 && html`<p>Where deliveries were missed: ${lines.join(' ')}</p>`}`;
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
    'connections per subscriber, at rest',
    'reconnects',
  ];
  return plainTable(
    'What the subscribers did over the whole trial, connecting and warm-up included' +
      (variants.some(({ completed }) => completed.some(({ simulated }) => simulated))
        ? '; for simulated trials, in the measured phase alone'
        : ''),
    heads,
    perTrial(
      variants,
      (trial) => {
        const { client: c } = trial.counters;
        const counted = (count: number) => withOff(formatNumber(count), 'requests', [trial]);
        const bytes = (count: number) => withOff(formatBytes(count), 'bytes-per-s', [trial]);
        const ofConnections = (count: number) => (trial.simulated ? notSimulated : formatNumber(count));
        return [
          counted(requestsOf(c)),
          ofConnections(c.handshakes + c.registrations),
          counted(c.fullPolls),
          counted(c.emptyPolls),
          counted(c.deliveryRequests + c.retries),
          counted(c.heartbeats),
          bytes(c.bytesIn),
          bytes(c.bytesOut),
          ofConnections(c.connectionsOpened),
          figureText('connections-per-subscriber', trial),
          ofConnections(c.reconnects),
        ];
      },
      ['requests', 'bytes', 'connections'],
    ),
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
  return tableMarkup(
    'Counted by the server and by its subscribers',
    ['variant', { words: 'what' }, 'server', 'subscribers', { words: 'verdict' }],
    rows,
  );
}

/** Processes beside servers and load side; a column each where one of the trials has it. */
const besideHeads = [
  ['broker', 'broker'],
  ['in-front', 'in front'],
  ['network', 'network'],
] as const;

export function resourceTable(variants: readonly VariantTrials[]): Markup {
  const beside = besideHeads.filter(([role]) =>
    variants.some(({ completed }) =>
      completed.some(({ processes }) => processes.some((process) => process.role === role)),
    ),
  );
  const heads = [
    'variant',
    'server CPU',
    'load CPU',
    'publisher CPU',
    ...beside.flatMap(([, name]) => [`${name} CPU`, `${name} memory, peak`]),
    'server memory, peak',
    'load memory, peak',
    'kernel socket memory',
    'peak descriptors',
    'limit',
    'server event loop, 99 %',
    'server GC pauses',
  ];
  return plainTable(
    'Processes over the measured phase (CPU as a share of one core)',
    heads,
    perTrial(
      variants,
      (trial) => {
        const none = trial.simulated ? notSimulated : notMeasured;
        const off = (text: string, name: string) => withOff(text, name, [trial]);
        const of = (role: string) => trial.processes.filter((process) => process.role === role);
        const cpu = (role: string) =>
          of(role).length === 0
            ? none
            : off(
                formatShare(of(role).reduce((sum, { cpuUs, wallUs }) => sum + cpuUs / wallUs, 0)),
                'server-cpu',
              );
        const rss = (role: string) =>
          of(role).length === 0
            ? none
            : off(
                formatBytes(of(role).reduce((sum, { rssPeakBytes }) => sum + rssPeakBytes, 0)),
                'server-rss.peak',
              );
        const pausesUs = of('server').flatMap(({ outside, gcPauseUs = [] }) => (outside ? [] : gcPauseUs));
        const { descriptors, kernelSocketBytes } = trial;
        return [
          cpu('server'),
          cpu('load'),
          cpu('publisher'),
          ...beside.flatMap(([role]) => [cpu(role), rss(role)]),
          rss('server'),
          rss('load'),
          kernelSocketBytes === null
            ? trial.noProc
              ? noProcReason
              : none
            : off(formatBytes(kernelSocketBytes), 'server-rss.peak'),
          figureText('descriptors.peak', trial),
          descriptors?.limit === undefined ? '' : formatNumber(descriptors.limit),
          figureText('server-loop-delay.p99', trial),
          pausesUs.length === 0 ? none : formatUs(Math.max(...pausesUs)),
        ];
      },
      ['server-cpu', 'client-cpu', 'memory', 'descriptors'],
    ),
  );
}
