// Chooses the figures of a profile for a variant: those measured with exactly its options, or with the
// nearest options, and then says what differs.

import type { Profile, ProfileVariant } from '../../core/profile/profile.ts';
import type { Variant } from '../../core/pattern/variant.ts';

type Measured = Pick<ProfileVariant, 'pattern' | 'options'>;

export type Chosen<M extends Measured = ProfileVariant> = {
  measured: M;
  /** What differs from the variant, as a sentence for readers; undefined where nothing does. */
  differs: string | undefined;
};

/**
 * Options that models compute by themselves, so that figures measured with other values hold: when polls go
 * out, how long requests are held, how often signs of life are sent; when webhooks are sent, and again.
 */
const computed = [
  'every',
  'jitter',
  'conditional',
  'hold',
  'batch',
  'heartbeat',
  'ping',
  'retry',
  'timeout',
  'connectTimeout',
  'headersTimeout',
  'retries',
  'timeScale',
  'fifo',
  'breaker',
  'disable',
  'concurrency',
  'endpointConcurrency',
  'endpointRate',
  'resequence',
  // What is kept for replays, and where deliveries may go, costs a delivery nothing.
  'keep',
  'retain',
  'file',
  'redis',
  'sqs',
  'sqsDeadLetters',
  'kafka',
  'receivers',
  'allow',
];

/** @returns undefined when the profile has nothing of the pattern */
export function chooseVariant(profile: Profile, variant: Variant): Chosen | undefined {
  return chooseAmong(Object.values(profile.variants), variant);
}

/** @returns undefined when nothing of the pattern was measured */
export function chooseAmong<M extends Measured>(
  all: readonly M[],
  { pattern, options }: Pick<Variant, 'pattern' | 'options'>,
): Chosen<M> | undefined {
  const candidates = all.filter((one) => one.pattern === pattern);
  if (candidates.length === 0) return undefined;
  const unlike = (measured: M, names: readonly string[]) =>
    names.filter((name) => JSON.stringify(measured.options[name]) !== JSON.stringify(options[name]));
  const own = Object.keys(options).filter((name) => !computed.includes(name));
  const names = Object.keys(options);
  const score = (one: M) => unlike(one, own).length * 1000 + unlike(one, names).length;
  const measured = candidates.reduce((best, one) => (score(one) < score(best) ? one : best));
  const other = unlike(measured, own);
  const list = other.map(
    (name) => `${name}=${text(options[name])} (measured with ${text(measured.options[name])})`,
  );
  const differs =
    other.length === 0
      ? undefined
      : `the cost of ${list.join(' and ')}: the profile has not measured it, so the nearest variant is used`;
  return { measured, differs };
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
