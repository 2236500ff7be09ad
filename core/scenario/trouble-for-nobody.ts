// Finds faults that would affect nobody: those after the end, and shares that amount to none. They are
// refused, because the figures would not show them.

import { isAmong } from './endpoint-conduct.ts';
import { lengthOf } from '../fault/faults.ts';
import { counted } from '../base/counted.ts';
import { formatShare, writeDuration } from '../base/units.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import type { Contradiction, Parts } from './valid-parts.ts';

/** Faults that would happen too late, or to nobody. */
export function* faultsOutside({
  single: { phases, subscribers, loadProcesses = 1 },
  faults,
}: Parts): Generator<Contradiction> {
  if (!phases) return;
  const { measure, drain } = phases;
  for (const [i, fault] of faults) {
    if (fault.atMs >= measure) {
      yield {
        path: ['faults', i, 'at'],
        message:
          `the measured phase is over after ${writeDuration(measure)}, so nothing would go wrong at ` +
          `${writeDuration(fault.atMs)}`,
      };
      continue;
    }
    if ('share' in fault && subscribers !== undefined) {
      // Each load process lets the share of its own leave, or read slowly.
      const apart = fault.kind === 'leave' || fault.kind === 'slow' ? loadProcesses : 1;
      const those = Math.ceil(subscribers / apart);
      if (Math.round(those * fault.share) === 0)
        yield { path: ['faults', i, fault.kind], message: nobody(fault.share, those, 'subscriber', apart) };
    }
    const length = lengthOf(fault);
    if (length && length.ms !== Infinity && fault.atMs + length.ms > measure + drain) {
      yield {
        path: ['faults', i, 'for'],
        message:
          `the ${length.what} would last until ${writeDuration(fault.atMs + length.ms)}, and the trial ` +
          `ends ${writeDuration(measure + drain)} after the measured phase began`,
      };
    }
  }
}

/** Webhook endpoints that are to fall short where none of them does, or too late. */
export function* idleEndpoints(
  { single: { phases, subscribers }, endpoints, variants, allVariants }: Parts,
  { registry }: { registry: PatternRegistry },
): Generator<Contradiction> {
  const posted = [...variants.values()].some(({ pattern }) => !registry[pattern]!.holdsConnection);
  if (endpoints.size > 0 && allVariants && !posted)
    yield {
      path: ['endpoints'],
      message:
        'no variant is a webhook, so there is no endpoint that could misbehave; add one, or leave this ' +
        'out',
    };
  for (const [i, { share, of, at }] of endpoints) {
    const chosen = (all: number) =>
      Array.from({ length: all }, (_, subscriber) => isAmong(subscriber, share)).filter(Boolean).length;
    if (of === 'endpoints' && subscribers !== undefined && chosen(subscribers) === 0)
      yield { path: ['endpoints', i, 'share'], message: nobody(share, subscribers, 'endpoint') };
    else if (share === 0)
      yield {
        path: ['endpoints', i, 'share'],
        message: 'a share of 0 % means no request; take a larger one, or leave it out',
      };
    if (phases && at >= phases.measure)
      yield {
        path: ['endpoints', i, 'at'],
        message:
          `the measured phase is over after ${writeDuration(phases.measure)}, so no event would find these ` +
          `endpoints at ${writeDuration(at)}`,
      };
  }
}

/** Says that a share comes to nobody. @param apart how many processes the clients are split over */
function nobody(share: number, all: number, noun: string, apart = 1): string {
  return (
    `${formatShare(share)} of ${counted(all, noun)}` +
    `${apart > 1 ? ` in each of ${apart} load processes` : ''} is none; take a larger share`
  );
}
