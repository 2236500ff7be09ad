// Starts the Redis in which several servers of a sender share their deliveries, and an emulator of the queue
// that they use, where the variant names none, and tells the servers their addresses.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Fleet } from './fleet.ts';
import type { Stage } from './stage.ts';

/** It keeps its data over a restart, as a store should. */
const program = { kind: 'redis-streams', url: undefined } as const;

/** How the variant's servers share their store, where that is in a Redis that nobody has named. */
function unnamedStore({ pattern, options, target }: Variant) {
  const shared = target === undefined ? patternNamed(pattern)?.sharedStore : undefined;
  return shared?.isShared(options) && !shared.isNamed(options) ? shared : undefined;
}

/** Whether trials of one of these start a Redis for that. */
export function startsStoreRedis(variants: readonly Variant[]): boolean {
  return variants.some((variant) => unnamedStore(variant) !== undefined);
}

/**
 * Which Redis that is, with its version; undefined where none is started.
 * @throws UserError when it is not installed
 */
export function storeVersion(
  variants: readonly Variant[],
  { brokerVersion }: Pick<Fleet, 'brokerVersion'>,
): string | undefined {
  const sharing = variants.find((variant) => unnamedStore(variant) !== undefined);
  if (!sharing) return undefined;
  try {
    return brokerVersion(program);
  } catch {
    throw new UserError(
      'store-redis',
      `"${sharing.label}" keeps its deliveries in a redis-server that is started for each trial, and it is ` +
        'not installed; apt-get install redis-server, or name one that runs (its option redis).',
      exitCodes.failed,
    );
  }
}

/** Which queue the variant's servers use that nobody has named. */
function unnamedQueue({ pattern, options, target }: Variant) {
  const queue = target === undefined ? patternNamed(pattern)?.queue : undefined;
  const kind = queue?.unnamed(options);
  return queue && kind !== undefined ? { kind, at: queue.at } : undefined;
}

/** What trials of one of these start for that; in the order of the variants, each once. */
export function emulatorsOf(
  variants: readonly Variant[],
  { emulatorName }: Pick<Fleet, 'emulatorName'>,
): string[] {
  const names = variants.flatMap((variant) => {
    const queue = unnamedQueue(variant);
    return queue ? [emulatorName(queue.kind, variant.label)] : [];
  });
  return [...new Set(names)];
}

/** The options of the trial's variant, with the places of that Redis and that queue, which answer. */
export async function optionsWithStore({
  variant,
  fleet,
  beside,
}: Pick<Stage, 'variant' | 'fleet' | 'beside'>): Promise<Variant['options']> {
  const [shared, queue] = [unnamedStore(variant), unnamedQueue(variant)];
  let { options } = variant;
  if (shared) {
    const redis = fleet.broker(program);
    beside.add(redis);
    await redis.start();
    options = shared.at(options, redis.access.url);
  }
  if (queue) {
    const emulator = fleet.emulator(queue.kind);
    beside.add(emulator);
    options = queue.at(options, await emulator.start());
  }
  return options;
}
