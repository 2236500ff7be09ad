// Makes trials of every pattern with all that chance has a part in, for tests of what must come out the same
// wherever and however often they are simulated.

import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import { scheduleOf } from '../../core/plan/schedule.ts';
import type { Trial } from '../../core/result/result.ts';
import { models } from '../../simulation/registry.ts';
import { simulateTrial, type SimulatedTrialInput } from '../../simulation/simulate.ts';
import { withCluster } from './cluster-profile.ts';
import { noFiles, profileOf, scenarioOf, varyingMachine } from './fixture.ts';

export type NamedTrial = { name: string; input: Omit<SimulatedTrialInput, 'schedule'> };

export const startedAt = '2026-02-03T04:05:06.000Z';

const streams = ['http-stream', 'sse', 'websocket'];
const allButWebhooks = [...streams, 'polling', 'long-polling'];

type SetUp = { of: readonly string[]; clients: 'groups' | 'one-by-one'; more: string };

const setUps: Readonly<Record<string, SetUp>> = {
  'in groups': { of: allButWebhooks, clients: 'groups', more: '' },
  'one by one': { of: allButWebhooks, clients: 'one-by-one', more: '' },
  'over several servers': {
    of: allButWebhooks,
    clients: 'groups',
    more: 'servers: { count: 3, broker: nats, in-front: haproxy-sticky }',
  },
  'with faults': {
    of: streams,
    clients: 'groups',
    more: `servers: { count: 3, broker: redis-streams }
reconnect: full-jitter
faults:
  - { at: 300ms, disconnect: 60% }
  - { at: 1s, deploy: rolling, window: 400ms, advise: 300ms }
  - { at: 3500ms, leave: 40%, for: 1s }`,
  },
  'where endpoints fail': {
    of: ['webhook'],
    clients: 'groups',
    more: 'endpoints: [{ does: fail, share: 20% }]',
  },
};

const profile = {
  ...withCluster(profileOf(varyingMachine)),
  serverLife: { startUs: 250_000, stopUs: 20_000 },
};

export function everyTrial(seed: number): NamedTrial[] {
  return Object.entries(setUps).flatMap(([name, { of, clients, more }]) => {
    const scenario = scenarioOf(`question: Is it the same?
seed: ${seed}
subscribers: 40
topics:
  news: { publish: { poisson: 8/s } }
  inbox: { publish: 20/s, count: per-subscriber }
phases: { connect: 500ms, warmup: 500ms, measure: 6s, drain: 8s }
variants: [${of[0]}]
${more}
`);
    return of.map((pattern) => ({
      name: `${pattern} ${name}`,
      input: { scenario, variant: variantOf(patterns, pattern), repetition: 1, profile, clients },
    }));
  });
}

export function trialOf({ input }: NamedTrial): Trial {
  const schedule = scheduleOf(input.scenario, noFiles);
  return simulateTrial({ ...input, schedule }, models, new Date(startedAt));
}
