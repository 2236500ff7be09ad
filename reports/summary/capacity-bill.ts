// Puts the bills of a capacity plan into a table: a line of each bill a column, and what it is in the worst
// case.

import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatBytes } from '../../core/base/units.ts';
import { monthDays } from '../../core/capacity/bill.ts';
import type { CapacityPlan, PlanRow } from '../../core/capacity/capacity-plan.ts';
import { planTable, wholeNumber, withWorst, type PlanPart } from './capacity-cells.ts';

type Bill = NonNullable<PlanRow['bill']>;
/** A row that has one. */
export type Billed = Pick<PlanRow, 'label' | 'pattern'> & { bill: Bill };

/** What is charged, by the names of the price file, and what its quantity is counted in. */
const charges: Readonly<Record<string, { title: string; unit: string }>> = {
  serverHour: { title: 'machines', unit: 'hours' },
  millionRequests: { title: 'requests', unit: 'million' },
  gigabyteOut: { title: 'traffic out', unit: 'GB' },
  millionConnectionMinutes: { title: 'connections', unit: 'million minutes' },
  millionMessages: { title: 'messages', unit: 'million' },
};

export function chargeTitle(what: string): string {
  return charges[what]?.title ?? what;
}

export function billed({ rows }: Pick<CapacityPlan, 'rows'>): Billed[] {
  return rows.flatMap(({ label, pattern, bill }) => (bill ? [{ label, pattern, bill }] : []));
}

/** Nothing without prices, or where no number of servers is enough. */
export function billPart(plan: CapacityPlan): PlanPart | undefined {
  const { prices } = plan;
  const rows = billed(plan);
  if (!prices || rows.length === 0) return undefined;
  const table = planTable([...prices.of.map(({ what }) => chargeTitle(what)), 'in all'], rows, ({ bill }) => [
    ...bill.lines.map((line) => ({
      text: withWorst(line.amount, line.amountIfOff, 'not known'),
      from: line.from,
      more: `${wholeNumber(line.quantity)} ${charges[line.what]?.unit ?? ''} × ${line.price}`,
    })),
    withWorst(bill.total, bill.totalIfOff, 'not known'),
  ]);
  const sources = [...Map.groupBy(prices.of, ({ source, date }) => `${source}, ${date}`)].map(
    ([from, all]) => `${listed(all.map(({ what, price }) => `${what} ${price}`))} (${from})`,
  );
  const { cores, memoryBytes } = prices.machine;
  return {
    id: 'bill',
    title: `The bill of a month of ${monthDays} days, in ${prices.currency}, by ${prices.file}`,
    table,
    below: [
      'In brackets: with the servers in brackets above, and with requests, bytes and connections that ' +
        'really are higher by their ±.',
      ...(prices.note === undefined ? [] : [prices.note]),
      `Prices: ${sources.join('; ')}. A machine has ${counted(cores, 'core')} and ` +
        `${formatBytes(memoryBytes)}, and one server on each core as far as its memory goes.`,
    ],
  };
}
