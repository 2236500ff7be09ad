// A profile with figures that are known, for tests of what is simulated from it.

import { profileFormat, profileQuantiles, profileVersion, type Profile } from '../../core/profile/profile.ts';
import type { ProfilePoint, ProfileVariant } from '../../core/profile/profile.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';

/** A distribution whose median is `us`, a third of it at the fastest and four times it at the slowest. */
const around = (us: number) =>
  profileQuantiles.map(
    (quantile) => us * (quantile < 0.5 ? 1 / 3 + (quantile * 4) / 3 : 1 + (quantile - 0.5) * 6),
  );

function pointOf(subscribers: number, perS: number, asks: number): ProfilePoint {
  const deliveriesPerS = subscribers * perS;
  return {
    subscribers,
    perS,
    payloadBytes: 256,
    events: 500,
    trials: 2,
    firstUs: around(300),
    medianUs: around(300 + subscribers * 5),
    lastUs: around(300 + subscribers * 10),
    endToEndUs: around(300 + subscribers * 5),
    latencySpread: 0.05,
    serverIdleShare: 0.01,
    serverCpuShare: 0.01 + deliveriesPerS * 2e-6,
    serverCpuSpread: 0.02,
    loadCpuShare: deliveriesPerS * 5e-6,
    requestsPerS: asks * subscribers,
    bytesOutPerS: deliveriesPerS * 400,
    bytesInPerS: asks * subscribers * 100,
  };
}

function variantIn(pattern: string): ProfileVariant {
  const asks = pattern === 'polling' ? 1 : pattern === 'long-polling' ? 10 : 0;
  return {
    pattern,
    options: { ...variantOf(patterns, pattern).options },
    atRest: {
      subscribers: 1000,
      connections: 1,
      descriptors: 1,
      serverRssBytes: 12_000,
      kernelSocketBytes: 4000,
      connectCpuUs: 100,
      connectBytesIn: 200,
      connectBytesOut: 300,
    },
    points: [10, 100, 1000].flatMap((subscribers) => [1, 10].map((perS) => pointOf(subscribers, perS, asks))),
  };
}

/** Every pattern but webhooks. */
export const testProfile: Profile = {
  format: profileFormat,
  version: profileVersion,
  pushbench: '0.1.0',
  createdAt: '2026-01-01T00:00:00Z',
  name: 'test machine',
  environment: {
    os: 'Test OS',
    kernel: '6.1.0',
    cpu: 'Test CPU',
    cores: 2,
    memoryBytes: 8 * 1024 ** 3,
    node: 'v26.10.0',
    descriptorLimit: 20_000,
    commit: null,
  },
  pinned: null,
  kernel: { somaxconn: 4096, tcpSynRetries: 6, tcpSynLinearTimeouts: 4 },
  serverBaseRssBytes: 100e6,
  variants: Object.fromEntries(
    Object.keys(patterns)
      .filter((pattern) => pattern !== 'webhook')
      .map((pattern) => [pattern, variantIn(pattern)]),
  ),
};
