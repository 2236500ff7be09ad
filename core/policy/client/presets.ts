// Decides how long a client waits before it tries again: by backoff with jitter, or as a well-known client
// does by default. Numbers in, numbers out. docs/cluster/clients.md lists the clients and their sources.

import type { Random } from '../../base/random.ts';

/** The shortest wait and the longest, in milliseconds; what lies between is the policy's own. */
export type Backoff = { readonly base: number; readonly cap: number };

/**
 * When the backoff begins again: as soon as a connection opens, or only once one has been up for `stable`
 * milliseconds.
 */
export type Reset = 'on-open' | { readonly stable: number };

/**
 * What a client hears of a server's advice: all of it, only the `retry` of an event stream (all that an
 * EventSource can hear), or nothing.
 */
export const adviceNames = ['obey', 'retry', 'ignore'] as const;
export type Advice = (typeof adviceNames)[number];

export const policyNames = [
  'full-jitter',
  'decorrelated',
  'phoenix',
  'signalr',
  'socket.io',
  'action-cable',
  'centrifuge',
  'ably',
  'eventsource',
] as const;
export type PolicyName = (typeof policyNames)[number];

/** What a client knows when it has failed. */
export type Situation = {
  /** Failures in a row before this one. */
  readonly failures: number;
  /** Its last wait in this row, in milliseconds; 0 before the first. */
  readonly lastMs: number;
  /** Time since the first failure of this row. */
  readonly awayMs: number;
  /** The row began when a connection was lost, and not when a first one failed. */
  readonly wasOpen: boolean;
};

export type Preset = Backoff & {
  /** Whether a scenario may set `base` and `cap`: they are parameters of the client too. */
  readonly adjustable: boolean;
  /**
   * What a wait that the server asked for does to the client's own. `first`: it comes before it. `stretches`:
   * that too, and the client's base becomes as long. `replaces`: it takes its place.
   */
  readonly asked: 'first' | 'stretches' | 'replaces';
  readonly reset: Reset;
  /**
   * When a WebSocket is open to it: with the handshake, or only once the server has said so on it (a welcome,
   * an answer to connect).
   */
  readonly openWith: 'handshake' | 'welcome';
  readonly advice: Advice;
  /** An answer that refuses a stream is the end, whatever its status. */
  readonly endsOnRefusal?: true;
  /** @returns milliseconds; undefined when the client gives up */
  waitMs(situation: Situation, backoff: Backoff, random: Random): number | undefined;
};

/** More of them would only overflow: 0 times Infinity is not a wait. */
const mostDoublings = 50;

function doubled(base: number, failures: number): number {
  return base * 2 ** Math.min(failures, mostDoublings);
}

/**
 * Exponential backoff with full jitter, evenly from 0 to `min(cap, base * 2^failures)` (Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015).
 * @param failures in a row before this one, from 0
 */
export function backoffMs({ base, cap }: Backoff, failures: number, random: Random): number {
  return random() * Math.min(cap, doubled(base, failures));
}

/** What most of them have in common. */
const usual = { reset: 'on-open', openWith: 'welcome', asked: 'first' } as const;
const phoenixMs = [10, 50, 100, 150, 200, 250, 500, 1000, 2000] as const;
const signalrMs = [0, 2000, 10_000, 30_000] as const;
const cableMs = 6000;
const cableGrowth = 1.15;
const cableSteps = 10;
const ablyMs = 15_000;
const ablySuspendedMs = 30_000;
/** How long Ably's client takes itself to be only disconnected, and its server keeps its state. */
const ablySuspendsAfterMs = 120_000;

export const presets: { readonly [P in PolicyName]: Preset } = {
  'full-jitter': {
    ...usual,
    base: 100,
    cap: 5000,
    adjustable: true,
    asked: 'stretches',
    openWith: 'handshake',
    advice: 'obey',
    waitMs: ({ failures }, backoff, random) => backoffMs(backoff, failures, random),
  },
  decorrelated: {
    ...usual,
    base: 100,
    cap: 5000,
    adjustable: true,
    openWith: 'handshake',
    advice: 'obey',
    waitMs({ failures, lastMs }, { base, cap }, random) {
      const most = 3 * (failures === 0 ? base : Math.max(base, lastMs));
      return Math.min(cap, base + random() * (most - base));
    },
  },
  phoenix: {
    ...usual,
    base: 10,
    cap: 5000,
    adjustable: false,
    openWith: 'handshake',
    advice: 'ignore',
    waitMs: ({ failures }) => phoenixMs[failures] ?? 5000,
  },
  signalr: {
    ...usual,
    base: 0,
    cap: 30_000,
    adjustable: false,
    advice: 'ignore',
    waitMs: ({ failures }) => signalrMs[failures],
  },
  'socket.io': {
    ...usual,
    base: 1000,
    cap: 5000,
    adjustable: true,
    advice: 'ignore',
    waitMs({ failures }, { base, cap }, random) {
      const meanMs = doubled(base, failures);
      // One number says how far and, by its first decimal, which way.
      const share = random();
      const aside = Math.floor((share * meanMs) / 2);
      const longer = Math.floor(share * 10) % 2 === 1;
      return Math.floor(Math.min(cap, longer ? meanMs + aside : meanMs - aside));
    },
  },
  'action-cable': {
    ...usual,
    base: cableMs,
    cap: cableMs * cableGrowth ** cableSteps * cableGrowth,
    adjustable: false,
    advice: 'ignore',
    waitMs({ failures }, _backoff, random) {
      const spread = failures === 0 ? 1 : cableGrowth - 1;
      return cableMs * cableGrowth ** Math.min(failures, cableSteps) * (1 + spread * random());
    },
  },
  centrifuge: {
    ...usual,
    base: 500,
    cap: 20_000,
    adjustable: true,
    advice: 'ignore',
    waitMs({ failures }, { base, cap }, random) {
      const most = Math.min(cap, doubled(base, failures));
      return Math.min(cap, base + Math.floor(random() * (most + 1)));
    },
  },
  ably: {
    ...usual,
    base: ablyMs,
    cap: ablySuspendedMs,
    adjustable: false,
    advice: 'ignore',
    waitMs({ failures, awayMs, wasOpen }, _backoff, random) {
      if (failures === 0 && wasOpen) return 0;
      if (awayMs >= ablySuspendsAfterMs) return ablySuspendedMs;
      return ablyMs * Math.min(1 + failures / 3, 2) * (1 - random() / 5);
    },
  },
  eventsource: {
    ...usual,
    base: 3000,
    cap: 3000,
    adjustable: false,
    asked: 'replaces',
    advice: 'retry',
    endsOnRefusal: true,
    waitMs: (_situation, { base }) => base,
  },
};
