// Answers a capacity question for one variant: at which load one server breaks and why, how many servers it
// takes, and how busy each is. Every figure says what it rests on.

import { billOf, dayS, monthS, type Usage } from '../../core/capacity/bill.ts';
import { limitGrounds, type PlanFigure, type PlanRow } from '../../core/capacity/capacity-plan.ts';
import type { Priced, Prices } from '../../core/capacity/prices.ts';
import { fullShare, mostOnOneServer, type Limit, type Question } from '../../core/capacity/question.ts';
import { formatUs } from '../../core/base/units.ts';
import { asksEveryMs, loadOf, trafficOf, type Load, type OneServer } from './one-server.ts';
import { firstWith, mostInTime, mostWithinCpu, sizeFor, usualFirst } from './search.ts';

/** A server with any number of subscribers, each simulated once. */
type Loads = (subscribers: number) => Load;

/** @param prices undefined where nobody asked for the costs */
export function planRow(question: Question, of: OneServer, prices: Prices | undefined): PlanRow {
  const known = new Map<number, Load>();
  const loads: Loads = (subscribers) => {
    let load = known.get(subscribers);
    if (!load) known.set(subscribers, (load = loadOf(question, subscribers, of)));
    return load;
  };
  // Where each delivery is computed by itself, the largest sizes take by far the longest.
  const enough = of.model.eachDelivery ? sizeFor(question.subscribers) : Infinity;
  const breaks = breaksOf(question, loads, enough, () => 1);
  const capacity = breaks[0]!.subscribers; // one for each limit
  const servers = serversFor(question.subscribers, capacity);
  const ifOff = breaksOf(question, loads, enough, asOffAs)[0]!.subscribers;
  const load = loads(servers === null ? 1 : Math.ceil(question.subscribers / servers));
  const traffic = trafficOf(question, load.subscribers, of);
  const month = monthOf(question, load, traffic, of);
  const serversIfOff = serversFor(question.subscribers, ifOff);
  const { pattern, options, label } = of.variant;
  return {
    pattern,
    label,
    options,
    servers,
    serversIfOff,
    ...(servers === null && { why: whyNone(load, breaks[0]!.limit, of) }),
    server: serverOf(question, load),
    breaks,
    curve: curveOf(known),
    ...month,
    bill:
      servers === null || !prices
        ? null
        : billFor({ servers, serversIfOff, first: breaks[0]!.limit, load, month }, prices),
    rests: load.rests,
  };
}

function serversFor(subscribers: number, capacity: number): number | null {
  return capacity === 0 ? null : Math.ceil(subscribers / capacity);
}

type Break = PlanRow['breaks'][number];
/** Factor by which a simulated figure is multiplied before it is compared with its limit. */
type Factor = (load: Load, kind: 'latency.p99' | 'server-cpu') => number;

/** Where nothing is known of an error, it is none. */
const asOffAs: Factor = ({ rests }, kind) => 1 + (rests.expectedError[kind] ?? 0);

/**
 * For each limit how many subscribers a server carries before it is exceeded, the least first. Descriptors
 * and memory grow in proportion, so they are computed; CPU and latency are simulated.
 * @param enough if a server carries so many, no more are tried: CPU and latency allow one server for all, and
 *   more subscribers cannot need fewer
 */
function breaksOf(question: Question, loads: Loads, enough: number, factor: Factor): Break[] {
  const rest = loads(1);
  const first = question.topics === 'shared' ? usualFirst : firstWith(question.eventsPerS);
  // What a subscriber takes of memory and descriptors is read from a server with so many.
  const sampled = Math.max(2, first);
  const many = loads(sampled);
  const memoryEach = (many.memoryBytes - rest.memoryBytes) / (sampled - 1);
  const descriptorsEach = many.descriptors / sampled;
  const counted = (subscribers: number) => ({
    subscribers: Math.max(0, Math.min(mostOnOneServer, Math.floor(subscribers))),
    isKnown: subscribers < mostOnOneServer,
  });
  const shareAt = (subscribers: number) =>
    loads(subscribers).cpuShare * factor(loads(subscribers), 'server-cpu');
  const isInTime = (subscribers: number) =>
    loads(subscribers).latencyP99Us * factor(loads(subscribers), 'latency.p99') <= question.latencyP99Us;
  const isEnough = enough < mostOnOneServer && shareAt(enough) <= fullShare && isInTime(enough);
  const most = isEnough ? enough : mostOnOneServer;
  const cpu = isEnough ? enough : mostWithinCpu(shareAt, fullShare, most, first);
  const latency = isEnough ? enough : mostInTime(isInTime, Math.max(1, cpu));
  const all: Record<Limit, Omit<Break, 'limit'>> = {
    // Of those that one subscriber exceeds the first counts: a full server is late because of its CPU.
    cpu: { subscribers: cpu, isKnown: cpu < most },
    latency: { subscribers: latency, isKnown: latency < cpu || latency === 0 },
    descriptors: counted(question.descriptors / descriptorsEach),
    memory: counted(1 + (question.memoryBytes - rest.memoryBytes) / memoryEach),
  };
  return Object.entries(all)
    .map(([limit, one]): Break => ({ limit: limit as Limit, ...one })) // its keys are the limits
    .toSorted((a, b) => a.subscribers - b.subscribers || Number(b.isKnown) - Number(a.isKnown));
}

function whyNone(load: Load, limit: Limit, of: OneServer): string {
  const takesMore = (what: string) => `a single subscriber takes more ${what} than a server has`;
  if (limit !== 'latency') return takesMore(limit === 'cpu' ? 'CPU' : limit);
  if (Number.isFinite(load.latencyP99Us)) {
    const p99 = `with a single subscriber the p99 is ${formatUs(load.latencyP99Us)} already`;
    return asksEveryMs(of) === 0 ? p99 : `${p99}, as an event waits for the next poll`;
  }
  // A full server has no latency.
  return load.cpuShare > fullShare
    ? takesMore('CPU')
    : 'with a single subscriber more than 1 of 100 deliveries come later than was simulated';
}

/** Sizes at which more is asked of a server than it can do have no latency. */
function curveOf(known: ReadonlyMap<number, Load>): PlanRow['curve'] {
  return [...known.values()]
    .filter(({ cpuShare }) => cpuShare < 1)
    .map(({ subscribers, cpuShare, latencyP99Us }) => ({
      subscribers,
      cpuShare,
      latencyP99Us: Number.isFinite(latencyP99Us) ? latencyP99Us : null,
    }))
    .toSorted((a, b) => a.subscribers - b.subscribers);
}

function figure(value: number, from: PlanFigure['from'], off: number | null): PlanFigure {
  return { value, from, off };
}

/** Null where nobody knows how late the last ones come. */
function latencyFigure(us: number, off: number | null): PlanFigure | null {
  return Number.isFinite(us) ? figure(us, 'simulated', off) : null;
}

function serverOf({ descriptors: limit }: Question, load: Load): PlanRow['server'] {
  const { expectedError: off } = load.rests;
  return {
    subscribers: load.subscribers,
    cpuShare: figure(load.cpuShare, 'simulated', off['server-cpu']),
    memoryBytes: figure(load.memoryBytes, 'profile', off.memory),
    descriptors: figure(load.descriptors, 'profile', off.descriptors),
    descriptorShare: load.descriptors / limit,
    latencyP50Us: latencyFigure(load.latencyP50Us, off['latency.p50']),
    latencyP99Us: latencyFigure(load.latencyP99Us, off['latency.p99']),
  };
}

type Month = Pick<
  PlanRow,
  'requestsPerDay' | 'messagesPerMonth' | 'bytesOutPerMonth' | 'bytesInPerMonth' | 'connectionMinutesPerMonth'
>;

/** What all subscribers take, whatever the number of servers. */
function monthOf(question: Question, load: Load, traffic: Load, of: OneServer): Month {
  const { subscribers, eventsPerS } = question;
  const { expectedError: off } = traffic.rests;
  const all = subscribers / traffic.subscribers;
  const everyMs = asksEveryMs(of);
  return {
    requestsPerDay:
      everyMs === 0 && traffic.requestsPerS > 0
        ? figure(traffic.requestsPerS * all * dayS, 'simulated', off.requests)
        : figure(everyMs === 0 ? 0 : (subscribers * dayS * 1000) / everyMs, 'arithmetic', 0),
    messagesPerMonth: figure(subscribers * eventsPerS * monthS, 'arithmetic', 0),
    bytesOutPerMonth: figure(traffic.bytesOutPerS * all * monthS, 'simulated', off.bytes),
    bytesInPerMonth: figure(traffic.bytesInPerS * all * monthS, 'simulated', off.bytes),
    connectionMinutesPerMonth: figure(
      ((load.connections / load.subscribers) * subscribers * monthS) / 60,
      'profile',
      off.descriptors,
    ),
  };
}

/** The figure that is charged; machines are charged for the servers. */
const charged: Readonly<Record<Exclude<Priced, 'serverHour'>, keyof Month>> = {
  millionRequests: 'requestsPerDay',
  gigabyteOut: 'bytesOutPerMonth',
  millionConnectionMinutes: 'connectionMinutesPerMonth',
  millionMessages: 'messagesPerMonth',
};

type Charged = {
  servers: number;
  serversIfOff: number | null;
  /** The limit that decides how many servers there are. */
  first: Limit;
  load: Load;
  month: Month;
};

/** The bill, and the bill if every quantity is as far off as expected, in the wrong direction. */
function billFor({ servers, serversIfOff, first, load, month }: Charged, prices: Prices): PlanRow['bill'] {
  const { memoryBytes, rests } = load;
  const bill = billOf(usageOf(servers, memoryBytes, month, asTheyAre), prices);
  const memoryIfOff = memoryBytes * (1 + (rests.expectedError.memory ?? 0));
  const ifOff = billOf(usageOf(serversIfOff ?? servers, memoryIfOff, month, offInFull), prices);
  const lines = bill.lines.map((line, i) => {
    const { what, amount } = line;
    const figureOf = what === 'serverHour' ? undefined : month[charged[what]];
    const isKnown = figureOf ? figureOf.off !== null : serversIfOff !== null;
    return {
      ...line,
      amountIfOff: isKnown || amount === 0 ? ifOff.lines[i]!.amount : null, // of the same prices
      from: figureOf?.from ?? limitGrounds[first],
    };
  });
  const isWhole = lines.every(({ amountIfOff }) => amountIfOff !== null);
  return { ...bill, lines, totalIfOff: isWhole ? ifOff.total : null };
}

const asTheyAre = ({ value }: PlanFigure): number => value;
const offInFull = ({ value, off }: PlanFigure): number => value * (1 + (off ?? 0));

function usageOf(
  servers: number,
  memoryBytes: number,
  month: Month,
  amountOf: (figure: PlanFigure) => number,
): Usage {
  return {
    servers,
    memoryBytes,
    requests: (amountOf(month.requestsPerDay) * monthS) / dayS,
    bytesOut: amountOf(month.bytesOutPerMonth),
    connectionMinutes: amountOf(month.connectionMinutesPerMonth),
    messages: amountOf(month.messagesPerMonth),
  };
}
