// Adds to a profile of tests what a broker and HAProxy cost on a machine that does not exist.

import { profileQuantiles, type Profile, type ThroughFront } from '../../core/profile/profile.ts';

export type Added = {
  /** Until a server has an event, at the median; a tenth of it at least and twice at most. */
  delayUs: number;
  directCpuUs: number;
  publishedCpuUs: number;
  receivedCpuUs: number;
  brokerCpuUs: number;
  brokerCpuEachUs: number;
  frontUs: number;
  frontCpuUs: number;
};

export const added: Added = {
  delayUs: 300,
  directCpuUs: 80,
  publishedCpuUs: 200,
  receivedCpuUs: 90,
  brokerCpuUs: 40,
  brokerCpuEachUs: 6,
  frontUs: 120,
  frontCpuUs: 7,
};

const around = (us: number) => profileQuantiles.map((quantile) => us * (0.1 + 1.9 * quantile));

export function withCluster(profile: Profile, more: Partial<Added> = {}): Profile {
  const { delayUs, frontUs, frontCpuUs, ...cpu } = { ...added, ...more };
  const broker = {
    version: 'none',
    rssBytes: 9e6,
    points: [
      {
        perS: 10,
        events: 500,
        trials: 2,
        delayUs: around(delayUs),
        delaySpread: 0.1,
        cpuSpread: 0.1,
        ...cpu,
      },
    ],
  };
  const through = (pattern: string, options: ThroughFront['options']): ThroughFront => ({
    pattern,
    options,
    atRest: {
      subscribers: 1000,
      descriptors: 2,
      rssBytes: 3000,
      serverDescriptors: pattern === 'polling' ? 0.01 : 1,
      kernelSocketBytes: 8000,
    },
    points: [
      {
        subscribers: 100,
        perS: 10,
        events: 500,
        trials: 2,
        addedUs: around(frontUs),
        addedSpread: 0.1,
        cpuUs: frontCpuUs,
      },
    ],
  });
  return {
    ...profile,
    cluster: {
      brokers: { 'redis-pubsub': broker, 'redis-streams': broker, nats: broker, jetstream: broker },
      haproxy: {
        version: 'none',
        baseRssBytes: 40e6,
        baseDescriptors: 30,
        variants: Object.fromEntries(
          Object.entries(profile.variants).map(([label, { pattern, options }]) => [
            label,
            through(pattern, options),
          ]),
        ),
      },
    },
  };
}
