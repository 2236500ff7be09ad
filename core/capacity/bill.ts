// Computes a bill for a month of 30 days from what was used and a price file: arithmetic alone.

import type { Priced, Prices } from './prices.ts';

export const hourS = 3600;
export const dayS = 24 * hourS;
/** Days of a month, in all that is said of months. */
export const monthDays = 30;
export const monthS = monthDays * dayS;

/** What a month takes. */
export type Usage = {
  /** Server processes that run all of the month, a core each. */
  servers: number;
  /** Of one of them. */
  memoryBytes: number;
  requests: number;
  /** From servers to clients. */
  bytesOut: number;
  connectionMinutes: number;
  /** Events, once for each client that gets them. */
  messages: number;
};

export type BillLine = {
  what: Priced;
  /** In the unit that has a price: hours of machines, millions, gigabytes. */
  quantity: number;
  price: number;
  amount: number;
};

export type Bill = {
  currency: string;
  /** Machines, each with one process on each of its cores as far as its memory goes. */
  machines: number;
  lines: BillLine[];
  total: number;
};

/** How many servers a machine of the price file has room for; 0 where its memory is too small for one. */
export function serversAMachine(memoryBytes: number, { serverHour }: Prices['prices']): number {
  return Math.min(serverHour.cores, Math.floor(serverHour.memory / memoryBytes));
}

/** @param usage of servers for each of which a machine has memory */
export function billOf(usage: Usage, { currency, prices }: Prices): Bill {
  const machines = Math.ceil(usage.servers / Math.max(1, serversAMachine(usage.memoryBytes, prices)));
  const quantities: Record<Priced, number> = {
    serverHour: (machines * monthS) / hourS,
    millionRequests: usage.requests / 1e6,
    gigabyteOut: usage.bytesOut / 1e9,
    millionConnectionMinutes: usage.connectionMinutes / 1e6,
    millionMessages: usage.messages / 1e6,
  };
  // Of all that has a price.
  const lines = (Object.keys(quantities) as Priced[]).map((what): BillLine => {
    const [quantity, { price }] = [quantities[what], prices[what]];
    return { what, quantity, price, amount: quantity * price };
  });
  return { currency, machines, lines, total: lines.reduce((sum, { amount }) => sum + amount, 0) };
}
