// Reads the flags of `pushbench advise` into needs. Each mistake is reported with the given value, the
// allowed ones and the nearest of them.

import { holds, misses, receivers, type Needs } from '../core/advice/needs.ts';
import { UserError } from '../core/base/errors.ts';
import { listNames, nearest } from '../core/base/suggest.ts';
import {
  formatNumber,
  parseDurationMs,
  parseRatePerS,
  parseSizeBytes,
  writeDuration,
} from '../core/base/units.ts';
import { largestBodyBytes } from '../core/event/body-size.ts';

export type NeedFlags = {
  to?: string;
  bothWays?: boolean;
  clients?: string;
  every?: string;
  rate?: string;
  within?: string;
  shared?: boolean;
  /** `--reachable` and `--no-reachable`. */
  reachable?: boolean;
  hold?: string;
  missed?: string;
  ordered?: boolean;
  simplest?: boolean;
  payload?: string;
};

const [leastEveryMs, mostEveryMs] = [0.1, 30 * 86_400_000];
/** As far as simulated latencies reach. */
const mostWithinMs = 30 * 86_400_000;
const mostClients = 1e9;

/** Whether anything of it was said. */
export function hasNeeds(flags: NeedFlags): boolean {
  return Object.values(flags).some((value) => value !== undefined);
}

/**
 * @returns the needs, and each value that was assumed because its flag was left out
 * @throws UserError with all mistakes, a line each
 */
export function needsOf(flags: NeedFlags): { needs: Needs; assumed: string[]; payload: string | undefined } {
  const mistakes: string[] = [];
  const assumed: string[] = [];
  const note = <T>(value: T | string, fallback: T): T => {
    if (typeof value !== 'string') return value;
    mistakes.push(value);
    return fallback;
  };
  const clients = note(clientsOf(flags.clients), { clients: 1 }).clients;
  const everyMs = note(everyOf(flags), { ms: 1000 }).ms;
  const word = <T extends string>(flag: 'to' | 'hold' | 'missed', names: readonly T[], usual: T): T => {
    const given = flags[flag];
    if (given === undefined) assumed.push(`--${flag} ${usual}`);
    const found = names.find((name) => name === (given ?? usual));
    if (found !== undefined) return found;
    const near = nearest(given ?? '', names);
    mistakes.push(
      `--${flag} ${given ?? ''}: there is no such word${near ? `; did you mean "${near}"?` : '.'} ` +
        `Write one of ${listNames(names)}.`,
    );
    return usual;
  };
  const to = word('to', receivers, 'browser');
  const hold = word('hold', holds, 'streams');
  const missed = word('missed', misses, 'catch-up');
  if (flags.bothWays === undefined) assumed.push('one way (else --both-ways)');
  if (flags.shared === undefined) assumed.push('each client gets its own updates (otherwise --shared)');
  const withinMs = flags.within === undefined ? undefined : note(withinOf(flags.within), { ms: 0 }).ms;
  if (flags.within === undefined) assumed.push('any delay (else --within)');
  const reachable = flags.reachable ?? to === 'server';
  if (to === 'server' && flags.reachable === undefined) assumed.push('--reachable');
  if (to === 'browser' && flags.reachable === true)
    mistakes.push(
      '--reachable: a browser has no address that a server can call. Leave it out, or write --to server.',
    );
  mistakes.push(...payloadMistakes(flags.payload));
  if (mistakes.length > 0) throw new UserError('advise', mistakes.join('\n'));
  return {
    needs: {
      to,
      bothWays: flags.bothWays ?? false,
      clients,
      everyMs,
      ...(withinMs !== undefined && { withinMs }),
      shared: flags.shared ?? false,
      reachable,
      hold,
      missed,
      ordered: flags.ordered ?? false,
      simplest: flags.simplest ?? false,
    },
    assumed,
    payload: flags.payload,
  };
}

export function clientsOf(text: string | undefined): { clients: number } | string {
  if (text === undefined) return '--clients is missing: say how many there are, such as --clients 3000.';
  const clients = /^\d+(,\d{3})*$/.test(text) ? Number(text.replaceAll(',', '')) : 0;
  return clients >= 1 && clients <= mostClients
    ? { clients }
    : `--clients ${text}: write a number from 1 to ${formatNumber(mostClients)}, such as --clients 3000.`;
}

export function everyOf({ every, rate }: Pick<NeedFlags, 'every' | 'rate'>): { ms: number } | string {
  const example = 'such as --every 2s (an update every two seconds for each client) or --rate 0.5/s';
  if (every !== undefined && rate !== undefined)
    return `--every ${every} and --rate ${rate} say the same thing twice: leave one out.`;
  if (every === undefined && rate === undefined)
    return `--every is missing: say how often each client gets an update, ${example}.`;
  const perS = rate === undefined ? undefined : parseRatePerS(rate);
  const ms = every === undefined ? (perS ? 1000 / perS : undefined) : parseDurationMs(every);
  const given = every === undefined ? `--rate ${rate}` : `--every ${every}`;
  if (ms === undefined || !Number.isFinite(ms))
    return `${given}: write a time or a rate with its unit, ${example}.`;
  return ms >= leastEveryMs && ms <= mostEveryMs
    ? { ms }
    : `${given}: from ${writeDuration(leastEveryMs)} to ${writeDuration(mostEveryMs)} between two updates, ` +
        `${example}.`;
}

export function withinOf(text: string): { ms: number } | string {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms > 0 && ms <= mostWithinMs
    ? { ms }
    : `--within ${text}: write how late an update may be, with its unit, at most ` +
        `${writeDuration(mostWithinMs)}, such as --within 500ms.`;
}

function payloadMistakes(payload: string | undefined): string[] {
  const bytes = payload === undefined ? 1 : parseSizeBytes(payload);
  return bytes !== undefined && bytes >= 1 && bytes <= largestBodyBytes
    ? []
    : [`--payload ${payload}: write a size with its unit, from 1B to 8MiB, such as --payload 256B.`];
}
