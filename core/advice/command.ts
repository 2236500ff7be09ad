// Makes the arguments of the run that measures what was asked for, as near as one machine comes to it.

import { formatNumber, writeDuration, writeRate } from '../base/units.ts';
import { deliveriesPerS, eventsPerS, pollEveryMs, type Needs } from './needs.ts';

export type Measuring = {
  /** What follows `npm start --`, a word each. */
  args: string[];
  /** What is not as it was asked for, and why. */
  notes: string[];
};

/** The scenarios that are for this: clients, their updates and the poll's interval are set. */
const [oneWay, bothWays] = ['updates', 'chat'];
/** People in a room of the scenario in which both sides send; each gets what any of them sends. */
const inRoom = 10;
/** More than this, in one process on the machine of the clients, measures the machine. */
const mostClients = 10_000;
const mostDeliveriesPerS = 12_000;
/** Clients that connect in a second. */
const connectPerS = 1500;
/** A 99th percentile takes about as many events. */
const eventsWanted = 1000;
/** With fewer than this there is no median either. */
const fewestEvents = 25;
const [leastMeasureS, mostMeasureS] = [10, 120];
/** The scenario's own phases, which are long enough for most. */
const [connectS, drainS] = [3, 8];

export function measuring(asked: Needs, payload: string | undefined): Measuring {
  const perClient = 1000 / asked.everyMs;
  const clients = Math.max(
    1,
    Math.min(asked.clients, mostClients, Math.floor(mostDeliveriesPerS / perClient) || 1),
  );
  const needs = { ...asked, clients };
  const notes =
    clients < asked.clients
      ? [
          `It runs with ${formatNumber(clients)} of your ${formatNumber(asked.clients)} clients, ` +
            `because more would measure the machine; multiply the costs by their number, but not the ` +
            `latencies.`,
        ]
      : [];
  const perS = needs.bothWays ? eventsPerS(needs) / inRoom : eventsPerS(needs);
  const measureS = Math.ceil(Math.min(mostMeasureS, Math.max(leastMeasureS, eventsWanted / perS)));
  if (measureS * perS < fewestEvents)
    return {
      args: ['run', 'rarely'],
      notes: [
        `Updates as rare as these (${formatNumber(Number((deliveriesPerS(needs) * 60).toPrecision(3)))} a ` +
          'minute in all) would take hours to measure: this scenario runs such rates ten times as fast, ' +
          'from one in ten minutes to four a minute for each client.',
      ],
    };
  const sets = [
    `subscribers=${clients}`,
    ...(needs.bothWays ? roomSets(needs) : updateSets(needs)),
    ...(payload === undefined ? [] : [`payload=${payload}`]),
    ...(clients > connectS * connectPerS ? [`phases.connect=${Math.ceil(clients / connectPerS)}s`] : []),
    ...(measureS === leastMeasureS && !needs.bothWays ? [] : [`phases.measure=${measureS}s`]),
  ];
  return {
    args: ['run', needs.bothWays ? bothWays : oneWay, ...sets.flatMap((set) => ['--set', set])],
    notes: needs.bothWays
      ? [
          ...notes,
          `Clients send messages to each other, in rooms of ${inRoom}: everybody in a room gets all of them.`,
        ]
      : notes,
  };
}

function updateSets(needs: Needs): string[] {
  const pollMs = pollEveryMs(needs);
  const drain = Math.ceil((pollMs * 1.2) / 1000) + 2;
  return [
    ...(needs.shared
      ? ['topics.own.publish=0/s', `topics.shared.publish=${rateOf(needs)}`]
      : [`topics.own.publish=${rateOf(needs)} each`]),
    `variants[0].polling.every=${writeDuration(pollMs)}`,
    ...(drain > drainS ? [`phases.drain=${drain}s`] : []),
  ];
}

function roomSets(needs: Needs): string[] {
  return [
    `topics.room.count=${Math.ceil(needs.clients / inRoom)}`,
    `topics.room.publish=${rateOf(needs)} each`,
    // What the scenario expects is of its own size.
    'expect=[missed == 0]',
  ];
}

/** Of one client, without the commas that people read. */
function rateOf({ everyMs }: Needs): string {
  return writeRate(1000 / everyMs).replaceAll(',', '');
}
