// Lists the small clusters and webhooks that predictions are compared with: none of them at a size or a
// rate that calibration has measured with a broker, with HAProxy, or of webhooks.

import type { BrokerName, InFrontName } from '../../../core/scenario/servers.ts';
import type { Case } from './runs.ts';

/** Over both trials of a case, at least. */
export const leastEvents = 500;
const leastMeasureMs = 6000;
const quickMeasureMs = 3000;

/** `setUp`, `subscribers` and `perS` as tables show them; events a second over all topics. */
export type SteadyCase = Case & {
  kind: 'cluster' | 'webhook';
  setUp: string;
  pattern: string;
  subscribers: number;
  perS: number;
};

type Cluster = {
  pattern: string;
  count: number;
  broker: BrokerName;
  inFront?: InFrontName;
  subscribers: number;
  perS: number;
};

/** Those of the same subscribers and rate tell whether set-ups come in the right order. */
const clusters: readonly Cluster[] = [
  { pattern: 'sse', count: 2, broker: 'in-process', subscribers: 100, perS: 40 },
  { pattern: 'websocket', count: 2, broker: 'redis-pubsub', subscribers: 100, perS: 40 },
  { pattern: 'sse', count: 3, broker: 'redis-streams', subscribers: 150, perS: 40 },
  { pattern: 'http-stream', count: 2, broker: 'jetstream', subscribers: 100, perS: 40 },
  { pattern: 'websocket', count: 3, broker: 'nats', subscribers: 300, perS: 25 },
  { pattern: 'sse', count: 4, broker: 'redis-pubsub', subscribers: 200, perS: 30 },
  { pattern: 'long-polling', count: 2, broker: 'redis-streams', subscribers: 40, perS: 30 },
  { pattern: 'websocket', count: 1, broker: 'in-process', inFront: 'haproxy', subscribers: 300, perS: 25 },
  { pattern: 'sse', count: 2, broker: 'redis-streams', inFront: 'haproxy', subscribers: 100, perS: 40 },
  { pattern: 'websocket', count: 2, broker: 'nats', inFront: 'haproxy-sticky', subscribers: 100, perS: 40 },
  { pattern: 'polling', count: 2, broker: 'redis-streams', inFront: 'haproxy', subscribers: 100, perS: 40 },
];

type Webhooks = {
  setUp: string;
  options: string;
  endpoints: string;
  subscribers: number;
  /** Of each topic. */
  perS: number;
  /** Each endpoint has a topic of its own; all share one when left out. */
  own?: true;
  measureMs?: number;
  drainMs?: number;
};

/** A thousand seconds of the retries' schedule pass in one. */
const fast = 'retries: standard-webhooks, timeScale: 1000, timeout: 1s';
const webhooks: readonly Webhooks[] = [
  { setUp: 'one topic', options: '{}', endpoints: '[]', subscribers: 30, perS: 20 },
  { setUp: 'a topic each', options: '{}', endpoints: '[]', subscribers: 40, perS: 6, own: true },
  {
    setUp: 'failing, reset, answers lost, slow',
    options: `{ ${fast} }`,
    endpoints:
      '[{ does: fail, status: 503, share: 5% }, { does: reset, share: 2% }, ' +
      '{ does: lose-answer, share: 2% }, { does: slow, by: 200ms, share: 5% }]',
    subscribers: 40,
    perS: 6,
    own: true,
  },
  {
    setUp: 'a fifth of the endpoints down for 3 s',
    options: `{ ${fast} }`,
    endpoints: '[{ does: fail, status: 503, share: 20%, of: endpoints, at: 2s, for: 3s }]',
    subscribers: 30,
    perS: 8,
    own: true,
    measureMs: 10_000,
    drainMs: 15_000,
  },
  {
    setUp: 'in the handler, one in twenty fails',
    options: '{ delivery: sync }',
    endpoints: '[{ does: fail, status: 503, share: 5% }]',
    subscribers: 20,
    perS: 20,
  },
];

/** @param quick the first few, each for a short time */
export function steadyCases(quick: boolean): SteadyCase[] {
  const all = [
    ...(quick ? clusters.slice(0, 2) : clusters).map((one) => clusterCase(one, quick)),
    ...(quick ? webhooks.slice(0, 1) : webhooks).map((one) => webhookCase(one, quick)),
  ];
  return all;
}

function measureMsOf(perS: number, quick: boolean): number {
  return quick ? quickMeasureMs : Math.max(leastMeasureMs, Math.ceil((leastEvents / 2 / perS) * 1000));
}

function clusterCase(cluster: Cluster, quick: boolean): SteadyCase {
  const { pattern, count, broker, inFront = 'list', subscribers, perS } = cluster;
  const setUp = `${count} ${count === 1 ? 'server' : 'servers'}, ${broker}, ${inFront}`;
  return {
    kind: 'cluster',
    name: `${pattern}, ${setUp}`,
    setUp,
    pattern,
    subscribers,
    perS,
    text: (seed) => `question: What do ${setUp} cost?
seed: ${seed}
subscribers: ${subscribers}
topics: { news: { publish: ${perS}/s } }
payload: 256B
servers: { count: ${count}, broker: ${broker}, in-front: ${inFront} }
phases: { connect: 1s, warmup: 1s, measure: ${measureMsOf(perS, quick)}ms, drain: 3s }
variants: [${pattern}]
`,
  };
}

function webhookCase(one: Webhooks, quick: boolean): SteadyCase {
  const { setUp, options, endpoints, subscribers, perS, own, drainMs = 5000 } = one;
  const allPerS = own ? perS * subscribers : perS;
  const measureMs = quick ? quickMeasureMs : (one.measureMs ?? measureMsOf(allPerS, quick));
  const topic = own ? `publish: ${perS}/s each, count: per-subscriber` : `publish: ${perS}/s`;
  return {
    kind: 'webhook',
    name: `webhook, ${setUp}`,
    setUp,
    pattern: 'webhook',
    subscribers,
    perS: allPerS,
    text: (seed) => `question: What do webhooks cost with ${setUp.replaceAll(',', ' and')}?
seed: ${seed}
subscribers: ${subscribers}
topics: { orders: { ${topic} } }
payload: 256B
endpoints: ${endpoints}
phases: { connect: 1s, warmup: 1s, measure: ${measureMs}ms, drain: ${drainMs}ms }
variants: [{ webhook: ${options} }]
`,
  };
}
