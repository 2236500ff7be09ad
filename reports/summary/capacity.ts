// Puts the answer to a capacity question into tables and sentences, for every form in which it is written.

import {
  formatBytes,
  formatNumber,
  formatShare,
  formatUs,
  writeDuration,
  writeRate,
} from '../../core/base/units.ts';
import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import type { CapacityPlan, PlanFigure, PlanRow } from '../../core/capacity/capacity-plan.ts';
import { fullShare, limits, type Limit } from '../../core/capacity/question.ts';
import { monthDays } from '../../core/capacity/bill.ts';
import { offMeaning, offShareText, rangeText } from './simulated.ts';
import type { Table } from './summary-table.ts';

export type PlanPart = { title: string; table: Table; below: string[] };

const limitTitles: Readonly<Record<Limit, string>> = {
  latency: 'p99 latency',
  cpu: 'CPU',
  descriptors: 'descriptors',
  memory: 'memory',
};

/** `1,000,000 subscribers, each gets 1/s, all the same events of 512 B, p99 within 1 s` */
export function questionText({ question: q }: CapacityPlan): string {
  return (
    `${counted(q.subscribers, 'subscriber')}; each gets ${writeRate(q.eventsPerS)}, ` +
    `${q.topics === 'shared' ? 'all the same events' : 'its own events'} ` +
    `of ${formatBytes(q.payloadBytes)}; ` +
    `99 of 100 deliveries within ${formatUs(q.latencyP99Us)}`
  );
}

/** What somebody who reads one line should know. */
export function answerText({ rows }: CapacityPlan): string {
  const able = rows
    .flatMap(({ label, servers, serversIfOff }) =>
      servers === null ? [] : [{ label, servers, serversIfOff }],
    )
    .toSorted((a, b) => a.servers - b.servers);
  const [best] = able;
  if (!best) return 'No pattern keeps this bound, with any number of servers.';
  const most = best.serversIfOff ?? Infinity;
  const alike = able.filter(({ servers }) => servers <= most);
  const names = listed(alike.map(({ label, servers }) => `${label} (${formatNumber(servers)})`));
  return alike.length === 1
    ? `${names} takes the fewest servers.`
    : `Fewest servers: ${names}; what these figures may be off by does not tell them apart.`;
}

export function planParts(plan: CapacityPlan): PlanPart[] {
  const bills = plan.rows.flatMap(({ label, pattern, bill }) => (bill ? [{ label, pattern, bill }] : []));
  return [
    serversPart(plan),
    breaksPart(plan),
    monthPart(plan),
    ...(plan.prices && bills.length > 0 ? [billPart(plan.prices, bills)] : []),
    restsPart(plan),
  ];
}

/** What to know of all of it. */
export function planNotes({ assumed, leftOut, leavesOut, profile, model }: CapacityPlan): string[] {
  return [
    `Simulated, not measured: from the profile "${profile.name}" (${profile.machine}; calibrated ` +
      `${profile.createdAt.slice(0, 10)}) by models of version ${model}, a server process with a core each.`,
    ...(assumed.length === 0 ? [] : [`Not said, so taken: ${assumed.join(', ')}.`]),
    offMeaning,
    ...leftOut.map(({ pattern, reason }) => `Left out: ${pattern}: ${reason}.`),
    ...leavesOut,
  ];
}

function serversPart({ rows, question }: CapacityPlan): PlanPart {
  const table = tableOf(
    ['servers', 'CPU / each', 'memory / each', 'descriptors / each', 'p50', 'p99'],
    rows,
    ({ servers, serversIfOff, server }) =>
      servers === null
        ? ['none', '', '', '', '', withOff(server.latencyP99Us, formatUs)]
        : [
            `${formatNumber(servers)} (${serversIfOff === null ? 'none' : formatNumber(serversIfOff)})`,
            withOff(server.cpuShare, roundShare),
            withOff(server.memoryBytes, formatBytes),
            `${formatNumber(server.descriptors.value)} (${roundShare(server.descriptorShare)})`,
            withOff(server.latencyP50Us, formatUs),
            withOff(server.latencyP99Us, formatUs),
          ],
  );
  return {
    title: `Servers, each below ${formatShare(fullShare)} of a core`,
    table,
    below: [
      'In brackets: servers if CPU and p99 are off by as much as expected, in the wrong direction; and the ' +
        `share of ${counted(question.descriptors, 'descriptor')}.`,
      ...rows.flatMap(({ label, why, note }) => [
        ...(why === undefined ? [] : [`${label}: ${why}.`]),
        ...(note === undefined ? [] : [`${label}: ${note}.`]),
      ]),
    ],
  };
}

function breaksPart({ rows, question: q }: CapacityPlan): PlanPart {
  const first = (row: PlanRow) => row.breaks[0]!; // one for each limit
  const table = tableOf([...limits.map((limit) => limitTitles[limit]), 'breaks first'], rows, (row) => [
    ...limits.map((limit) => {
      const { subscribers, isKnown } = row.breaks.find((one) => one.limit === limit)!; // as above
      return `${isKnown ? '' : '> '}${formatNumber(subscribers)}`;
    }),
    first(row).isKnown ? limitTitles[first(row).limit] : 'nothing',
  ]);
  return {
    title: 'Where one server breaks: the most subscribers that it carries, by each limit',
    table,
    below: [
      `Limits: p99 ${formatUs(q.latencyP99Us)}, ${formatShare(fullShare)} of a core, ` +
        `${counted(q.descriptors, 'descriptor')}, ${formatBytes(q.memoryBytes)}. p99 and CPU are ` +
        'simulated, queues included; descriptors and memory are what a subscriber took in the profile, ' +
        'times subscribers. > is as far as was looked: another limit is reached before, or it is the most ' +
        'that one server is asked.',
    ],
  };
}

function monthPart({ rows, question: q }: CapacityPlan): PlanPart {
  const table = tableOf(
    ['requests / day', 'out / month', 'in / month', 'connection minutes / month'],
    rows,
    (row) => [
      withOff(row.requestsPerDay, wholeNumber),
      withOff(row.bytesOutPerMonth, gigabytes),
      withOff(row.bytesInPerMonth, gigabytes),
      withOff(row.connectionMinutesPerMonth, wholeNumber),
    ],
  );
  const [row] = rows;
  return {
    title: `What it takes, all servers together, in a day or a month of ${monthDays} days`,
    table,
    below: [
      ...(row ? [`Messages: ${wholeNumber(row.messagesPerMonth.value)} a month, exact.`] : []),
      `Polls are arithmetic: a day has 86,400 seconds, so a client that asks every ` +
        `${writeDuration(q.pollEveryMs)} makes ${formatNumber(86_400_000 / q.pollEveryMs)} requests a day.`,
    ],
  };
}

function billPart(
  prices: CapacityPlan['prices'] & object,
  bills: { label: string; pattern: string; bill: PlanRow['bill'] & object }[],
): PlanPart {
  const titles: Readonly<Record<string, string>> = {
    serverHour: 'machines',
    millionRequests: 'requests',
    gigabyteOut: 'traffic out',
    millionConnectionMinutes: 'connections',
    millionMessages: 'messages',
  };
  const table = tableOf(
    [...prices.of.map(({ what }) => titles[what] ?? what), 'in all'],
    bills,
    ({ bill }) => [
      ...bill.lines.map(({ amount }) => wholeNumber(amount)),
      wholeNumber(bill.lines.reduce((sum, { amount }) => sum + amount, 0)),
    ],
  );
  const sources = [...Map.groupBy(prices.of, ({ source, date }) => `${source}, ${date}`)].map(
    ([from, all]) => `${listed(all.map(({ what, price }) => `${what} ${price}`))} (${from})`,
  );
  const { cores, memoryBytes } = prices.machine;
  return {
    title: `The bill of a month of ${monthDays} days, in ${prices.currency}, by ${prices.file}`,
    table,
    below: [
      ...(prices.note === undefined ? [] : [prices.note]),
      `Prices: ${sources.join('; ')}. A machine has ${counted(cores, 'core')} and ` +
        `${formatBytes(memoryBytes)}, ` +
        'and one server on each core.',
    ],
  };
}

function restsPart({ rows }: CapacityPlan): PlanPart {
  const range = ({ rests }: PlanRow) => rangeText(rests.extrapolated);
  const table = tableOf(
    ['calibrated range', 'CPU and latency', 'requests', 'bytes', 'descriptors, memory'],
    rows,
    (row) => [
      range(row),
      row.server.cpuShare.from,
      row.requestsPerDay.from,
      row.bytesOutPerMonth.from,
      row.server.memoryBytes.from,
    ],
  );
  const texts = [
    ...Map.groupBy(
      rows.flatMap((row) => row.rests.leavesOut.map((text) => ({ row, text }))),
      ({ text }) => text,
    ),
  ];
  return {
    title: 'What the figures rest on',
    table,
    below: texts.map(([text, all]) =>
      new Set(all.map(({ row }) => row)).size === rows.length
        ? text
        : `${listed(all.map(({ row }) => row.label))}: ${text}`,
    ),
  };
}

function tableOf<R extends { label: string; pattern: string }>(
  titles: readonly string[],
  rows: readonly R[],
  cells: (row: R) => string[],
): Table {
  return {
    columns: titles.map((title) => ({ key: title, title, note: '' })),
    rows: rows.map((row) => ({
      label: row.label,
      pattern: row.pattern,
      out: undefined,
      cells: cells(row).map((text) => ({ text, value: undefined })),
    })),
    notes: [],
  };
}

/** A plan is not told nearer than this. */
const leastOff = 0.01;

function withOff({ value, off }: PlanFigure, format: (value: number) => string): string {
  const sign = value === 0 ? '' : offShareText(off ? Math.max(off, leastOff) : off);
  return sign === '' ? format(value) : `${format(value)} ${sign}`;
}

function roundShare(share: number): string {
  return formatShare(Number(share.toPrecision(2)));
}

function wholeNumber(value: number): string {
  return formatNumber(value < 10 ? Number(value.toPrecision(2)) : Math.round(value));
}

function gigabytes(bytes: number): string {
  return `${wholeNumber(bytes / 1e9)} GB`;
}
