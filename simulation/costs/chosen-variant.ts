// Chooses what a profile knows of a variant: what was measured with just these options, or with those that
// are nearest, and then says what differs.

import type { Profile, ProfileVariant } from '../../core/profile/profile.ts';
import type { Variant } from '../../core/pattern/variant.ts';

export type Chosen = {
  measured: ProfileVariant;
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
  'receivers',
  'allow',
];

/** @returns undefined when the profile has nothing of the pattern */
export function chooseVariant(profile: Profile, { pattern, options }: Variant): Chosen | undefined {
  const candidates = Object.values(profile.variants).filter((one) => one.pattern === pattern);
  if (candidates.length === 0) return undefined;
  const unlike = (measured: ProfileVariant, names: readonly string[]) =>
    names.filter((name) => JSON.stringify(measured.options[name]) !== JSON.stringify(options[name]));
  const own = Object.keys(options).filter((name) => !computed.includes(name));
  const all = Object.keys(options);
  const score = (one: ProfileVariant) => unlike(one, own).length * 1000 + unlike(one, all).length;
  const measured = candidates.reduce((best, one) => (score(one) < score(best) ? one : best));
  const names = unlike(measured, own);
  const list = names.map(
    (name) => `${name}=${text(options[name])} (measured with ${text(measured.options[name])})`,
  );
  const differs =
    names.length === 0
      ? undefined
      : `what ${list.join(' and ')} costs: the profile has not measured it, and the nearest variant ` +
        'stands for it';
  return { measured, differs };
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
