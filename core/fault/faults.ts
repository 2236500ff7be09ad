// Lists every fault that a scenario can ask for. One entry says how a scenario writes it, who must act, what
// it may cause, and what reports call it; schema, protocol, checks, warnings and reports read it here. A new
// fault is a new entry, and the work of the processes that it tells to act.

import { z } from 'zod';
import { interval, share } from '../base/quantities.ts';
import { formatShare, writeDuration } from '../base/units.ts';
import {
  defineFault,
  type Act,
  type CombinedEffects,
  type FaultEntry,
  type Telling,
  type ToldRole,
} from './fault.ts';
import { deploy, drain, refuse } from './deploy-faults.ts';
import { at, serverNumber } from './fields.ts';
import { broker, kill, restart, start, stop } from './life-faults.ts';
import { network, slow } from './network-faults.ts';
import { inFront } from './front-faults.ts';

const disconnect = defineFault({
  schema: z
    .strictObject({
      at,
      disconnect: share.describe('the server cuts this share of its connections'),
      server: serverNumber.optional().describe('only this one of several servers, by its number from 1'),
    })
    .transform((v) => ({
      kind: 'disconnect' as const,
      atMs: v.at,
      share: v.disconnect,
      ...(v.server !== undefined && { server: v.server }),
    })),
  acts: ({ share, server }) => [
    { do: 'tell', role: 'server', command: { kind: 'disconnect', share }, server },
  ],
  did: ({ share, server }) => `${serverText(server)} cut ${formatShare(share)} of its connections`,
  effects: () => ({ reconnects: true }),
  notOnTarget: () => 'the scenario cuts connections, which only our own servers can do',
});

const serverText = (number: number | undefined) => (number === undefined ? 'the server' : `server ${number}`);
const names = { server: 'server', publisher: 'publisher', load: 'load processes' };

const freeze = defineFault({
  schema: z
    .strictObject({
      at,
      freeze: z.enum(['server', 'publisher', 'load']).describe('which processes stop for a while'),
      for: interval.describe('for how long'),
      server: serverNumber
        .optional()
        .describe('with freeze: server: only this one of several, by its number from 1'),
    })
    .refine(({ freeze, server }) => freeze === 'server' || server === undefined, {
      path: ['server'],
      error: 'it names the server to freeze; leave it out, or freeze: server',
    })
    .transform((v) => ({
      kind: 'freeze' as const,
      atMs: v.at,
      who: v.freeze,
      forMs: v.for,
      ...(v.server !== undefined && { server: v.server }),
    })),
  lasts: { what: 'freeze', ms: ({ forMs }) => forMs },
  acts: ({ who, forMs, server }) => [{ do: 'freeze', role: who, forMs, server }],
  did: ({ who, forMs, server }) =>
    `${server === undefined ? `the ${names[who]}` : serverText(server)} stood still for ` +
    writeDuration(forMs),
  effects: ({ who }) => ({
    pollsLeftOut: 'unknown', // who stands still does not ask, and who asks a server that does gets no answer
    ...(who === 'publisher' && { latePublisher: true }),
    ...(who === 'load' && {
      invalid: {
        code: 'load-frozen',
        message: "the scenario froze the load processes, so latencies are theirs and not the server's.",
      },
    }),
  }),
  notOnTarget: ({ who }, process) =>
    who === 'server' && !process
      ? 'the scenario freezes the server, and the target file names no process'
      : undefined,
});

const leave = defineFault({
  schema: z
    .strictObject({
      at,
      leave: share.describe('this share of the subscribers leaves'),
      for: interval.describe('for how long; then they come back and ask for what they missed'),
    })
    .transform((v) => ({ kind: 'leave' as const, atMs: v.at, share: v.leave, forMs: v.for })),
  lasts: { what: 'absence', ms: ({ forMs }) => forMs },
  acts: (fault) => [
    { do: 'tell', role: 'load', command: { kind: 'leave', share: fault.share, forMs: fault.forMs } },
  ],
  did: (fault) =>
    `${formatShare(fault.share)} of the subscribers left and came back ${writeDuration(fault.forMs)} later`,
  effects: (fault, measureMs) => ({
    reconnects: true,
    pollsLeftOut: (fault.share * Math.min(fault.forMs, measureMs - fault.atMs)) / measureMs,
  }),
  notOnTarget: () =>
    'the scenario lets subscribers leave and resume, and a target file does not say how its system resumes',
});

/** The table: every fault by the word that a scenario asks for it with. */
export const faults = {
  disconnect,
  freeze,
  leave,
  stop,
  kill,
  restart,
  start,
  broker,
  drain,
  refuse,
  deploy,
  'in-front': inFront,
  network,
  slow,
};

type Table = typeof faults;
/** A fault as a scenario asks for it. `atMs` counts from the start of the measured phase. */
export type Fault = { [K in keyof Table]: z.output<Table[K]['schema']> }[keyof Table];

type Acts = { [K in keyof Table]: ReturnType<Table[K]['acts']>[number] }[keyof Table];
/** What a process is told when a fault is due; see core/protocol/control.ts and network.ts beside it. */
export type ServerFaultCommand = CommandTo<'server'>;
export type LoadFaultCommand = CommandTo<'load'>;
export type NetworkFaultCommand = CommandTo<'network'>;
type CommandTo<R extends ToldRole, A = Acts> =
  A extends Telling<ToldRole, infer Command> ? (A extends { role: R } ? Command : never) : never;
/** One thing that happens in a fault, with the very command where there is one. */
export type FaultAct =
  | Exclude<Act, { do: 'tell' }>
  | Telling<'server', ServerFaultCommand>
  | Telling<'load', LoadFaultCommand>
  | Telling<'network', NetworkFaultCommand>;

const words = (lasting: boolean) =>
  Object.entries<{ lasts?: unknown }>(faults)
    .filter(([, entry]) => (entry.lasts !== undefined) === lasting)
    .map(([word]) => `"${word}"`)
    .join(' or ');

/** A fault in a scenario file. */
export const faultSchema = z
  .union(Object.values(faults).map(({ schema }) => schema))
  .describe(`"at" with ${words(false)}, or with ${words(true)} and "for"`);

/** The entry of a fault. */
function entryOf(fault: Fault): FaultEntry<Fault, FaultAct> {
  // An entry takes faults of its own kind alone, and is given this one by its kind.
  return faults[fault.kind] as unknown as FaultEntry<Fault, FaultAct>;
}

/** Who does what when the fault is due. */
export function actsOf(fault: Fault): FaultAct[] {
  return entryOf(fault).acts(fault);
}

/**
 * For how long the fault goes on, in milliseconds, and what it is called: Infinity until the trial ends,
 * undefined for one of a moment.
 */
export function lengthOf(fault: Fault): { what: string; ms: number } | undefined {
  const { lasts } = entryOf(fault);
  const ms = lasts?.ms(fault);
  return lasts && ms !== undefined ? { what: lasts.what, ms } : undefined;
}

/** What happened, for people: `the server cut 50 % of its connections`. */
export function didOf(fault: Fault): string {
  return entryOf(fault).did(fault);
}

/** Why a system that is not ours cannot be put to the fault; undefined where it can. */
export function notOnTarget(fault: Fault, process: boolean): string | undefined {
  return entryOf(fault).notOnTarget(fault, process);
}

/**
 * What all faults of a scenario explain together.
 * @param measureMs length of the measured phase
 */
export function effectsOf(all: readonly Fault[], measureMs: number): CombinedEffects {
  const each = all.map((fault) => entryOf(fault).effects(fault, measureMs));
  const shares = each.map(({ pollsLeftOut = 0 }) => pollsLeftOut);
  const known = shares.filter((one) => one !== 'unknown');
  const invalid = each.flatMap((one) => one.invalid ?? []);
  return {
    invalid: [...new Map(invalid.map((one) => [one.code, one])).values()],
    latePublisher: each.some((one) => one.latePublisher),
    reconnects: each.some((one) => one.reconnects),
    failures: each.some((one) => one.failures),
    losesBytes: each.some((one) => one.losesBytes),
    pollsLeftOut: known.length < shares.length ? 'unknown' : known.reduce((sum, one) => sum + one, 0),
  };
}
