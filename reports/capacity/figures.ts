// Draws the charts of a capacity plan, each under a heading that says what it shows.

import type { CapacityPlan, PlanFigure } from '../../core/capacity/capacity-plan.ts';
import { formatShare, formatUs } from '../../core/base/units.ts';
import { fullShare } from '../../core/capacity/question.ts';
import { looksOf } from '../../core/pattern/palette.ts';
import type { Key, Spec } from '../page/chart-style.ts';
import { drawChart } from '../page/draw-chart.ts';
import type { Figure } from '../page/figure.ts';
import { html } from '../page/markup.ts';
import { figureTable } from '../page/table-markup.ts';
import { billed, chargeTitle } from '../summary/capacity-bill.ts';
import { roundShare } from '../summary/capacity-cells.ts';
import { barSpec, type Bar } from './bars.ts';
import { breaksSpec, curveSpec } from './limits.ts';

export type PlanFigures = Record<'servers' | 'bill' | 'month' | 'breaks', Figure[]>;

/** How rows look in all charts of the page. */
export function planKeys({ rows }: Pick<CapacityPlan, 'rows'>): Key[] {
  const looks = looksOf(rows.map(({ label, pattern }) => ({ own: label, pattern })));
  return rows.map(({ label }, i) => ({ label, look: looks[i]! })); // a look for each
}

const inTable = 'the figures are in the table below.';
const readWorst = 'The thin line shows the number if the simulated figures really are higher by their ±.';

/** @throws the reason of `over` when that is aborted before */
export async function planFigures(plan: CapacityPlan, over?: AbortSignal): Promise<PlanFigures> {
  const keys = planKeys(plan);
  const figure = async (
    { id, heading, reading, about }: { id: string; heading: string; reading: string; about: string },
    spec: Spec,
    data = html``,
  ): Promise<Figure> => ({
    id,
    heading,
    reading,
    chart: await drawChart(spec, heading, `${about}; ${inTable}`, false, over),
    data,
  });
  const able = plan.rows.flatMap(({ label, servers, serversIfOff }): Bar[] =>
    servers === null ? [] : [{ label, parts: [{ value: servers, shade: 1 }], worst: serversIfOff }],
  );
  const servers =
    able.length === 0
      ? []
      : [
          await figure(
            {
              id: 'servers-chart',
              heading: 'Servers by pattern',
              reading: readWorst,
              about: `Servers of ${able.map(({ label }) => label).join(', ')}`,
            },
            barSpec(able, keys, 'servers'),
          ),
        ];
  const whole = { id: 'bill-chart', heading: 'The bill, item by item' };
  const bills = billed(plan);
  const bill =
    bills.length === 0 || !plan.prices
      ? []
      : [
          await figure(
            {
              ...whole,
              reading: `From left to right: ${shades(plan)
                .map(({ title }) => title)
                .join(', ')}. ${readWorst}`,
              about: `The bill of ${bills.map(({ label }) => label).join(', ')}, item by item`,
            },
            barSpec(billBars(plan), keys, `${plan.prices.currency} a month`),
          ),
        ];
  const month = [
    await figure(
      {
        id: 'requests-chart',
        heading: 'Requests of all clients in a day',
        reading: 'Streams are asked for nothing once clients are connected.',
        about: 'Requests a day by pattern',
      },
      barSpec(
        barsOf(plan, ({ requestsPerDay }) => requestsPerDay, 1),
        keys,
        'requests a day',
      ),
    ),
    await figure(
      {
        id: 'bytes-chart',
        heading: 'Traffic from the servers in a month',
        reading: 'Bodies, envelopes, headers and signs of life; a gigabyte is 10^9 bytes.',
        about: 'Bytes from servers to clients in a month by pattern',
      },
      barSpec(
        barsOf(plan, ({ bytesOutPerMonth }) => bytesOutPerMonth, 1e-9),
        keys,
        'GB a month',
      ),
    ),
  ];
  return { servers, bill, month, breaks: await serverFigures(plan, keys, figure) };
}

type Draw = (
  words: { id: string; heading: string; reading: string; about: string },
  spec: Spec,
  data?: Figure['data'],
) => Promise<Figure>;

async function serverFigures(plan: CapacityPlan, keys: readonly Key[], figure: Draw): Promise<Figure[]> {
  const { rows, question } = plan;
  const [latency, cpu] = [curveSpec(plan, keys, 'latency'), curveSpec(plan, keys, 'cpu')];
  const readPoints = 'Lines join the sizes that the search simulated.';
  return [
    await figure(
      {
        id: 'breaks-chart',
        heading: 'By which number of subscribers one server reaches each limit',
        reading:
          'The leftmost mark of a row is the number of subscribers that a server carries. A hollow ' +
          'mark is the highest number that was tried. A limit that a single subscriber exceeds has no ' +
          'mark.',
        about: 'Subscribers of one server at which each limit is reached, by pattern',
      },
      breaksSpec(rows, keys),
    ),
    ...(latency
      ? [
          await figure(
            {
              id: 'p99-chart',
              heading: 'p99 of one server by its subscribers',
              reading: `Dashed: the bound of ${formatUs(question.latencyP99Us)}. ${readPoints}`,
              about: 'p99 latency of one server over its subscribers, a line for each pattern',
            },
            latency,
            curveTable(plan),
          ),
        ]
      : []),
    ...(cpu
      ? [
          await figure(
            {
              id: 'cpu-chart',
              heading: 'CPU of one server by its subscribers',
              reading: `Dashed: ${formatShare(fullShare)} of a core; a server is full there. ${readPoints}`,
              about: 'CPU of one server over its subscribers, a line for each pattern',
            },
            cpu,
          ),
        ]
      : []),
  ];
}

function barsOf(
  { rows }: CapacityPlan,
  of: (row: CapacityPlan['rows'][number]) => PlanFigure,
  unit: number,
): Bar[] {
  return rows.map((row) => {
    const { value, off } = of(row);
    return {
      label: row.label,
      parts: [{ value: value * unit, shade: 1 }],
      worst: off === null ? null : value * unit * (1 + off),
    };
  });
}

/** From full to faint, one for each that somebody is charged for. */
const opacities = [1, 0.7, 0.45, 0.25, 0.1];

/** What the shades of a bill's bar stand for. */
export function shades(plan: CapacityPlan): { what: string; title: string; shade: number }[] {
  const bills = billed(plan);
  return (plan.prices?.of ?? [])
    .filter(({ what }) =>
      bills.some(({ bill }) => bill.lines.some((one) => one.what === what && one.amount > 0)),
    )
    .map(({ what }, i) => ({ what, title: chargeTitle(what), shade: opacities[i]! })); // one for each price
}

function billBars(plan: CapacityPlan): Bar[] {
  const shown = shades(plan);
  return billed(plan).map(({ label, bill }) => ({
    label,
    parts: shown.map(({ what, shade }) => ({
      value: bill.lines.find((line) => line.what === what)?.amount ?? 0,
      shade,
    })),
    worst: bill.totalIfOff,
  }));
}

function curveTable({ rows }: CapacityPlan): Figure['data'] {
  return figureTable(
    'One server with each number of subscribers that the search simulated',
    ['variant', 'subscribers', 'CPU', 'p99'],
    rows.flatMap(({ label, curve }) =>
      curve.map(({ subscribers, cpuShare, latencyP99Us }) => ({
        head: label,
        cells: [
          subscribers.toLocaleString('en-US'),
          roundShare(cpuShare),
          latencyP99Us === null ? '—' : formatUs(latencyP99Us),
        ],
      })),
    ),
  );
}
