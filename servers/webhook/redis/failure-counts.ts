// Keeps how many attempts in a row failed for each endpoint, beside the endpoint itself: a count changes with
// every failure, and other servers need not read the endpoint again for it.

import type { Health } from '../../../core/policy/webhook/endpoint-health.ts';
import type { RedisLink } from './link.ts';

export type FailureCounts = {
  /**
   * One that Redis does not take is left out.
   * @param health undefined when the endpoint is gone
   */
  save(endpoint: string, health: Health | undefined): void;
  /** What was kept, by endpoint. @throws what kept Redis from answering (link.ts) */
  read(): Promise<ReadonlyMap<string, Health>>;
};

/** @param key of the hash that holds them */
export function createFailureCounts(
  link: RedisLink,
  key: string,
  report: (error: unknown) => void,
): FailureCounts {
  return {
    save(endpoint, health) {
      const saving = link.ask<unknown>((redis) => {
        if (!health || health.failures === 0) return redis.hdel(key, endpoint);
        const { failures, failingSinceMs } = health;
        return redis.hset(key, endpoint, JSON.stringify({ failures, failingSinceMs } satisfies Health));
      });
      saving.catch(report);
    },
    async read() {
      const kept = await link.ask((redis) => redis.hgetall(key));
      // Written above alone.
      return new Map(Object.entries(kept).map(([id, text]) => [id, JSON.parse(text) as Health]));
    },
  };
}
