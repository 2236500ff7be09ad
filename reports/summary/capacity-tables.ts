// Puts the answer to a capacity question into tables: the servers, where one of them breaks, what a month
// takes, and what the figures rest on.

import { counted } from '../../core/base/counted.ts';
import { formatBytes, formatNumber, formatShare, formatUs, writeDuration } from '../../core/base/units.ts';
import { hourS, monthDays, monthS } from '../../core/capacity/bill.ts';
import { limitGrounds, type CapacityPlan, type PlanRow } from '../../core/capacity/capacity-plan.ts';
import { fullShare, limits, mostOnOneServer, type Limit } from '../../core/capacity/question.ts';
import {
  figureCell,
  gigabytes,
  latencyCell,
  planTable,
  roundShare,
  wholeNumber,
  withWorst,
  type PlanPart,
} from './capacity-cells.ts';
import { notInFigures, offShareText, rangeText } from './simulated.ts';

export const limitTitles: Readonly<Record<Limit, string>> = {
  latency: 'p99 latency',
  cpu: 'CPU',
  descriptors: 'descriptors',
  memory: 'memory',
};

const first = ({ breaks }: PlanRow) => breaks[0]!; // one for each limit

export function serversPart({ rows, question }: CapacityPlan): PlanPart {
  const table = planTable(
    ['servers', 'CPU / each', 'memory / each', 'descriptors / each', 'p50', 'p99'],
    rows,
    (row) => {
      const { servers, serversIfOff, server } = row;
      const p99 = latencyCell(server.latencyP99Us);
      if (servers === null) return ['none', '', '', '', '', p99];
      const { value, from, off } = server.descriptors;
      return [
        {
          text: withWorst(servers, serversIfOff, 'none'),
          from: limitGrounds[first(row).limit],
          more: `${wholeNumber((servers * monthS) / hourS)} hours a month`,
        },
        figureCell(server.cpuShare, roundShare),
        figureCell(server.memoryBytes, formatBytes),
        {
          text: `${formatNumber(value)} (${roundShare(server.descriptorShare)})`,
          from,
          more: offShareText(off),
        },
        latencyCell(server.latencyP50Us),
        p99,
      ];
    },
  );
  return {
    id: 'servers',
    title: `Servers, each below ${formatShare(fullShare)} of a core`,
    table,
    below: [
      'In brackets: servers if CPU and p99 really are higher by their ±; and the share of ' +
        `${counted(question.descriptors, 'descriptor')}.`,
      ...rows.flatMap(({ label, why, note }) => [
        ...(why === undefined ? [] : [`${label}: ${why}.`]),
        ...(note === undefined ? [] : [`${label}: ${note}.`]),
      ]),
    ],
  };
}

export function breaksPart({ rows, question: q }: CapacityPlan): PlanPart {
  const table = planTable([...limits.map((limit) => limitTitles[limit]), 'breaks first'], rows, (row) => [
    ...limits.map((limit) => {
      const { subscribers, isKnown } = row.breaks.find((one) => one.limit === limit)!; // as above
      return { text: `${isKnown ? '' : '> '}${formatNumber(subscribers)}`, from: limitGrounds[limit] };
    }),
    firstText(first(row)),
  ]);
  return {
    id: 'breaks',
    title: 'Where one server breaks: the most subscribers that it carries, by each limit',
    table,
    below: [
      `Limits: p99 ${formatUs(q.latencyP99Us)}, ${formatShare(fullShare)} of a core, ` +
        `${counted(q.descriptors, 'descriptor')}, ${formatBytes(q.memoryBytes)}. p99 and CPU are ` +
        'simulated, including queues; descriptors and memory are those of a subscriber in the profile, ' +
        'times the number of subscribers. > marks the highest number that was tried: another limit is ' +
        'reached before, one server is enough, or it is the most that any server gets ' +
        `(${formatNumber(mostOnOneServer)}).`,
    ],
  };
}

function firstText({ isKnown, limit, subscribers }: PlanRow['breaks'][number]): string {
  if (isKnown) return limitTitles[limit];
  return subscribers < mostOnOneServer ? 'not tried' : 'nothing';
}

export function monthPart({ rows, question: q }: CapacityPlan): PlanPart {
  const table = planTable(
    ['requests / day', 'out / month', 'in / month', 'connection minutes / month'],
    rows,
    (row) => [
      figureCell(row.requestsPerDay, wholeNumber),
      figureCell(row.bytesOutPerMonth, gigabytes),
      figureCell(row.bytesInPerMonth, gigabytes),
      figureCell(row.connectionMinutesPerMonth, wholeNumber),
    ],
  );
  const [row] = rows;
  return {
    id: 'month',
    title: `What it takes, all servers together, in a day or a month of ${monthDays} days`,
    table,
    below: [
      ...(row ? [`Messages: ${wholeNumber(row.messagesPerMonth.value)} a month, exact.`] : []),
      `Polls are arithmetic: a day has 86,400 seconds, so a client that asks every ` +
        `${writeDuration(q.pollEveryMs)} makes ${formatNumber(86_400_000 / q.pollEveryMs)} requests a day.`,
    ],
  };
}

export function restsPart({ rows }: CapacityPlan): PlanPart {
  const table = planTable(
    ['calibrated range', 'CPU and latency', 'requests', 'bytes', 'descriptors, memory'],
    rows,
    (row) => [
      rangeText(row.rests.extrapolated),
      row.server.cpuShare.from,
      row.requestsPerDay.from,
      row.bytesOutPerMonth.from,
      row.server.memoryBytes.from,
    ],
  );
  const texts = notInFigures(rows.map(({ label, rests: { leavesOut } }) => ({ label, leavesOut })));
  return {
    id: 'rests',
    title: 'What the figures rest on',
    table,
    ...(texts.length > 0 && { intro: 'Not in the figures:' }),
    below: texts,
  };
}
