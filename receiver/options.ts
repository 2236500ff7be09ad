// Checks the options of a receiver when it is created: an option that is unset, misspelt or limits nothing
// could let in a delivery that should be refused.

import type { KeyObject } from 'node:crypto';
import { kindOf, requireFunction, requireNames, requireNumber } from '../core/base/checked-options.ts';
import { messageOf, UserError } from '../core/base/errors.ts';
import { defaultToleranceS, longestToleranceS } from '../core/signature/scheme.ts';
import { schemeNames, schemes, type SchemeName } from '../core/signature/schemes.ts';
import type { Delivery, Problem } from './delivery.ts';
import type { EventOf } from './events.ts';
import { requireMaxBytes } from './raw-body.ts';
import { createSeen, type SeenOptions } from './seen.ts';
import { requireStore, type DeliveryStore } from './store.ts';

export type ReceiverOptions<Scheme extends SchemeName = SchemeName, Event = EventOf<Scheme>> = {
  /** How the sender signs. */
  scheme: Scheme;
  /**
   * As the sender gave them, the newest first; two during a rotation. The type has `undefined` for
   * `process.env.NAME`, but with an undefined secret no receiver is created.
   */
  secrets: readonly (string | undefined)[];
  /**
   * Processes a delivery that has not been processed before. When it throws, the sender is answered 500 and
   * will try again. Its return value is ignored; `delivery.answer` chooses another answer.
   */
  onDelivery: (delivery: Delivery<Event>) => unknown;
  /**
   * Called for everything that was not processed, and for ids that could not be remembered. When left out,
   * problems on this side go to standard error, and problems of a request are only counted.
   */
  onProblem?: (problem: Problem) => unknown;
  /**
   * How long `onDelivery` may take, up to an hour; 30 s when left out. After that the sender is answered 503,
   * and the next attempt counts as new.
   */
  timeoutMs?: number;
  /**
   * How far the sender's clock may be off and how old a delivery may be, up to a year;
   * five minutes when left out.
   */
  toleranceS?: number;
  /** Up to 1 GiB; 1 MiB when left out. */
  maxBodyBytes?: number;
  /** In memory: 100,000 deliveries and four days when left out, longer than any common sender retries. */
  remember?: SeenOptions;
  /** Remembers the ids instead of memory. */
  store?: DeliveryStore;
  /** Seconds since 1970; the wall clock when left out. */
  nowS?: () => number;
};

/** Options with their defaults. */
export type Settings = {
  keys: readonly KeyObject[];
  store: DeliveryStore;
  toleranceS: number;
  timeoutMs: number;
  maxBodyBytes: number;
};

const optionNames =
  'scheme secrets onDelivery onProblem timeoutMs toleranceS maxBodyBytes remember store nowS'.split(' ');

const defaultMaxBodyBytes = 1024 * 1024;
const defaultTimeoutMs = 30_000;
const longestTimeoutMs = 3_600_000;
const defaultRemember: SeenOptions = { maxKeys: 100_000, maxAgeMs: 4 * 86_400_000 };

/** A rotation does not need more. */
const maxSecrets = 16;

/**
 * @throws UserError when there is no secret or one of them does not fit the scheme; TypeError or
 *   RangeError for the other options
 */
export function settingsOf<Scheme extends SchemeName, Event>(
  options: ReceiverOptions<Scheme, Event>,
): Settings {
  requireNames('createReceiver', options, optionNames);
  const { scheme, secrets, onDelivery, onProblem, nowS } = options;
  const { toleranceS = defaultToleranceS, timeoutMs = defaultTimeoutMs } = options;
  const { maxBodyBytes = defaultMaxBodyBytes } = options;
  requireScheme(scheme);
  if (!Array.isArray(secrets))
    throw new TypeError(`secrets must be a list of texts; it is ${kindOf(secrets)}`);
  requireNumber('the number of secrets', secrets.length, { least: 0, most: maxSecrets });
  requireFunction('onDelivery', onDelivery);
  if (onProblem !== undefined) requireFunction('onProblem', onProblem);
  requireNumber('timeoutMs', timeoutMs, { least: 1, most: longestTimeoutMs });
  requireNumber('toleranceS', toleranceS, { least: 0, most: longestToleranceS });
  requireMaxBytes('maxBodyBytes', maxBodyBytes);
  if (nowS !== undefined) requireFunction('nowS', nowS);
  return {
    keys: keysOf(scheme, secrets),
    store: storeOf(options, toleranceS),
    toleranceS,
    timeoutMs,
    maxBodyBytes,
  };
}

/** @throws TypeError */
export function requireScheme(scheme: unknown): void {
  if (schemeNames.some((name) => name === scheme)) return;
  const given = typeof scheme === 'string' ? 'none of them' : kindOf(scheme);
  throw new TypeError(`scheme must be one of ${schemeNames.join(', ')}; it is ${given}`);
}

function storeOf(
  { remember, store }: Pick<ReceiverOptions, 'remember' | 'store'>,
  toleranceS: number,
): DeliveryStore {
  if (store === undefined) {
    const toleranceMs = toleranceS * 1000;
    const { maxKeys, maxAgeMs } = defaultRemember;
    const options =
      remember === undefined ? { maxKeys, maxAgeMs: Math.max(maxAgeMs, toleranceMs) } : remember;
    const seen = createSeen(options);
    if (options.maxAgeMs < toleranceMs)
      throw new RangeError(
        `maxAgeMs must be at least toleranceS, ${toleranceMs} ms; it is ${options.maxAgeMs}: a request ` +
          'that is played again would be taken for new while its signature is still accepted',
      );
    return seen;
  }
  if (remember !== undefined)
    throw new TypeError('give either remember (in memory) or store; both were given');
  requireStore(store);
  return store;
}

/** What people paste by mistake instead of a signing secret. */
const mistaken: Partial<Record<SchemeName, [pattern: RegExp, what: string]>> = {
  'standard-ed25519': [/^whsk_/, 'the private key of the sender; a receiver takes the public one, whpk_...'],
  stripe: [/^[prs]k_/, "an API key; the endpoint's signing secret begins with whsec_"],
  github: [/^(?:gh[a-z]_|github_pat_)/, "an access token; the secret is the one in the webhook's settings"],
  slack: [/^(?:xox|xapp-)/, "a token; the signing secret is in the app's Basic Information"],
};

function keysOf(scheme: SchemeName, secrets: readonly unknown[]): KeyObject[] {
  if (secrets.length === 0)
    throw badSecret(
      'a receiver needs at least one secret to verify with; the sender ' +
        'showed it when the endpoint was registered',
    );
  return secrets.map((secret, i) => {
    const name = `secrets[${i}]`;
    if (secret === undefined || secret === '' || secret === 'undefined' || secret === 'null')
      throw badSecret(
        `${name} is ${secret === '' ? 'empty' : secret}: is the environment variable set that it is read ` +
          'from?',
      );
    if (typeof secret !== 'string') throw badSecret(`${name} must be a text; it is ${kindOf(secret)}`);
    if (secret !== secret.trim())
      throw badSecret(`${name} has white space before or behind it, perhaps from copying it`);
    const [pattern, what] = mistaken[scheme] ?? [];
    if (pattern?.test(secret)) throw badSecret(`${name} is ${what}`);
    try {
      return schemes[scheme].key(secret);
    } catch (error) {
      throw badSecret(`${name}: ${messageOf(error)}`);
    }
  });
}

const badSecret = (message: string) => new UserError('bad-secret', message);
