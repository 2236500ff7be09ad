// Lists the small storms and deploys that predictions are compared with: what happens to the servers, and
// which clients come back.

import { counted } from '../../../core/base/counted.ts';
import type { Case } from './runs.ts';

export type StormCase = Case & {
  /** What happens, the same for all clients that meet with it: their times are compared. */
  story: string;
  /** Pattern and policy of the clients. */
  clients: string;
  subscribers: number;
};

type Story = {
  name: string;
  servers: string;
  /** Lines of the scenario beside those that all have. */
  more?: string;
  faults: string;
  measureMs: number;
  drainMs: number;
  clients: readonly Clients[];
};

type Clients = {
  pattern: string;
  /** As a scenario says it. */
  reconnect: string;
  /** As tables call it; `reconnect` when left out. */
  called?: string;
  subscribers: number;
};

const ws = (reconnect: string, subscribers: number, called?: string): Clients => ({
  pattern: 'websocket',
  reconnect,
  subscribers,
  ...(called !== undefined && { called }),
});
const sse = (reconnect: string, subscribers: number): Clients => ({
  pattern: 'sse',
  reconnect,
  subscribers,
});
const deaf = '{ policy: full-jitter, advice: ignore }';
const deafText = 'full-jitter without advice';

const stories: readonly Story[] = [
  {
    name: 'all connections of a server are cut',
    servers: '{ count: 1 }',
    faults: '[{ at: 1s, disconnect: 100% }]',
    measureMs: 5000,
    drainMs: 10_000,
    clients: [ws('phoenix', 2000), sse('full-jitter', 2000)],
  },
  {
    name: 'the server is killed and starts again at once',
    servers: '{ count: 1, broker: redis-streams }',
    more: 'server: { announce: 3s }\n',
    faults: '[{ at: 1s, kill: 1 }, { at: 1100ms, restart: 1 }]',
    measureMs: 7000,
    drainMs: 10_000,
    clients: [
      ws('phoenix', 1000),
      ws('signalr', 1000),
      ws('socket.io', 1000),
      ws('centrifuge', 1000),
      ws(deaf, 1000, deafText),
      ws('full-jitter', 1000, 'full-jitter, told to come within 3 s'),
    ],
  },
  {
    name: 'one of three servers is killed, and is back after 2 s',
    servers: '{ count: 3, broker: redis-pubsub }',
    faults: '[{ at: 1s, kill: 2 }, { at: 3s, restart: 2 }]',
    measureMs: 7000,
    drainMs: 10_000,
    clients: [
      sse('eventsource', 600),
      ws('{ base: 6s, cap: 6s, advice: ignore }', 600, 'full-jitter over 6 s'),
    ],
  },
  {
    name: 'rolling deploy of four servers, a second each',
    servers: '{ count: 4, broker: redis-streams }',
    faults: '[{ at: 1s, deploy: rolling, window: 1s, limit: 3s, advise: 500ms }]',
    measureMs: 11_000,
    drainMs: 12_000,
    clients: [ws('full-jitter', 1200), sse('full-jitter', 1200)],
  },
  {
    name: 'the same without a history',
    servers: '{ count: 4, broker: redis-streams }',
    more: 'server: { history: 0 }\n',
    faults: '[{ at: 1s, deploy: rolling, window: 1s, limit: 3s, advise: 500ms }]',
    measureMs: 11_000,
    drainMs: 12_000,
    clients: [ws('full-jitter', 1200)],
  },
  {
    name: 'blue-green deploy of three servers at once',
    servers: '{ count: 3, broker: redis-streams }',
    more: 'server: { announce: 3s }\n',
    faults: '[{ at: 1s, deploy: blue-green, window: 0s }]',
    measureMs: 7000,
    drainMs: 10_000,
    clients: [
      ws('phoenix', 900),
      ws('socket.io', 900),
      ws('full-jitter', 900, 'full-jitter, told to come within 3 s'),
    ],
  },
  {
    name: 'blue-green deploy of three servers over 2 s',
    servers: '{ count: 3, broker: redis-streams }',
    faults: '[{ at: 1s, deploy: blue-green, window: 2s }]',
    measureMs: 7000,
    drainMs: 10_000,
    clients: [ws('phoenix', 900)],
  },
];

/** @param quick the first clients of the first stories, and few of them */
export function stormCases(quick: boolean): StormCase[] {
  const some = quick ? stories.slice(0, 2) : stories;
  return some.flatMap((story) =>
    story.clients.slice(0, quick ? 1 : undefined).map((one) => stormCase(story, one, quick)),
  );
}

function stormCase(story: Story, clients: Clients, quick: boolean): StormCase {
  const { pattern, reconnect, called = reconnect } = clients;
  const subscribers = quick ? Math.ceil(clients.subscribers / 10) : clients.subscribers;
  return {
    name: `${story.name}; ${counted(subscribers, 'client')}, ${pattern}, ${called}`,
    story: story.name,
    clients: `${pattern}, ${called}`,
    subscribers,
    text: (seed) => `question: How soon are all back?
seed: ${seed}
subscribers: ${subscribers}
topics: { feed: { publish: 0.5/s each, count: ${topics}, follow: 1 } }
payload: 256B
servers: ${story.servers}
${story.more ?? ''}reconnect: ${reconnect}
faults: ${story.faults}
phases: { connect: 2s, warmup: 500ms, measure: ${story.measureMs}ms, drain: ${story.drainMs}ms }
variants: [${pattern}]
`,
  };
}

/** Each client follows one, so that something is published while any of them is away. */
const topics = 40;
