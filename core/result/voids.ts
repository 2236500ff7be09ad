// Says which figures each warning makes void. A late publisher, for example, makes latencies void, but not
// counts of losses, requests and connections.

import { evidence, evidenceText, type Evidence } from './evidence.ts';
import { isReadElsewhen } from './process-use.ts';
import type { Completed } from './trial.ts';

/** What a trial says of its figures. */
type Doubted = Pick<Completed, 'valid' | 'voids'>;
type Counted = Pick<Completed, 'counters' | 'checks' | 'processes' | 'measuredUs' | 'recovery'>;

const everything = () => evidence;
const allBut = (...standing: readonly Evidence[]) => evidence.filter((one) => !standing.includes(one));

/**
 * Load processes that came late: they saw deliveries late, asked later and less often than planned, took
 * webhooks late, came back late where they were cut off, and were cut off as slow subscribers though the
 * server was not at fault.
 */
function loadSideLate({ counters: { server, clientMeasured }, recovery }: Counted): Evidence[] {
  const asks = clientMeasured.fullPolls + clientMeasured.emptyPolls > 0;
  const receivesRequests = server.deliveryRequests > 0;
  return [
    'latency',
    'pace',
    ...(asks ? (['requests', 'bytes', 'wire'] as const) : []),
    ...(receivesRequests ? (['backlog'] as const) : []),
    ...(receivesRequests && server.retries > 0 ? (['requests'] as const) : []),
    ...(recovery ? (['connections'] as const) : []),
    ...(server.slowDisconnects > 0 ? (['losses', 'connections'] as const) : []),
  ];
}

/** What both sides count, by the name of the check, and what rests on it. */
const restsOnCheck: Readonly<Record<string, readonly Evidence[]>> = {
  events: ['losses', 'latency', 'pace'],
  'bytes to the subscribers': ['bytes'],
  'bytes from the subscribers': ['bytes'],
  handshakes: ['requests', 'connections'],
};

function disagreeing({ checks }: Counted): Evidence[] {
  return checks
    .filter(({ agree, note }) => !agree && note === '')
    .flatMap(({ name }) => restsOnCheck[name] ?? ['requests']);
}

function readElsewhen({ processes, measuredUs }: Counted): Evidence[] {
  const roles = processes.filter((one) => isReadElsewhen(one, measuredUs)).map(({ role }) => role);
  return [
    ...(roles.includes('server') ? (['server-cpu'] as const) : []),
    ...(roles.includes('load') ? (['client-cpu'] as const) : []),
  ];
}

/** By the code of the warning. */
const voids = {
  'load-limited': loadSideLate,
  'load-starved': loadSideLate,
  'load-frozen': loadSideLate,
  'load-refused': () => allBut('descriptors', 'memory'),
  // Its subscribers were there for a part of the trial only.
  'worker-lost': everything,
  // How far apart the clocks are is a part of every latency.
  'worker-clock': (): Evidence[] => ['latency'],
  // Then some subscriber was counted twice.
  'load-overcount': () => allBut('descriptors', 'memory'),
  // The whole container stood still, the load side with the server.
  throttled: loadSideLate,
  'fault-not-done': everything,
  // Bytes waited for their turn in the network's process, beyond the delay that it was asked for.
  'network-late': (): Evidence[] => ['latency', 'pace'],
  'publisher-late': (): Evidence[] => ['latency'],
  'offered-rate': () => allBut('descriptors', 'memory'),
  subscribers: everything,
  // How many deliveries a cost is divided by is an estimate too.
  'sampled-late': (): Evidence[] => ['requests', 'bytes', 'wire', 'pace', 'server-cpu', 'client-cpu'],
  'cpu-elsewhen': readElsewhen,
  // How much was sent is in question, and so is every figure divided by it.
  'ledger-open': () => allBut('descriptors', 'memory', 'connections', 'client-cpu', 'backlog'),
  clock: (): Evidence[] => ['latency'],
  'out-of-range': (): Evidence[] => ['latency'],
  'counts-disagree': disagreeing,
  'wire-others': (): Evidence[] => ['wire'],
  // In a simulation: a growing queue has no latency of its own, deliveries left in it are not counted, and
  // clients that wait for answers ask less often.
  saturated: (): Evidence[] => ['latency', 'losses', 'pace', 'requests', 'bytes'],
  // Times, and how much goes through in one, are those of whatever stands in for the service.
  emulated: (): Evidence[] => ['latency', 'pace', 'backlog'],
  'target-silent': everything,
  'target-ended': everything,
} satisfies Record<string, (trial: Counted) => readonly Evidence[]>;

/** Reasons to doubt a trial that make some of its figures void. */
export type VoidingCode = keyof typeof voids;
export const voidingCodes = Object.keys(voids) as VoidingCode[]; // it has no other keys

/** What the reason makes void in this trial. */
export function voidsOf(code: VoidingCode, trial: Counted): Evidence[] {
  return evidence.filter((one) => voids[code](trial).includes(one));
}

/** The reason given if a result is too old to say which figures are void: then all of its figures are. */
const anyReason = 'the trial does not count';

/**
 * Why a figure is void in a trial: the codes of the warnings that say so. Empty where the figure stands.
 * @param rests what the figure rests on
 */
export function voidedBy(rests: readonly Evidence[], { valid, voids: said }: Doubted): string[] {
  if (valid || rests.length === 0) return [];
  if (!said) return [anyReason];
  return Object.entries(said)
    .filter(([, spoilt]) => rests.some((one) => spoilt.includes(one)))
    .map(([code]) => code);
}

/** Whether all figures of the trial are void. */
export function allVoid(trial: Doubted): boolean {
  return evidence.every((one) => voidedBy([one], trial).length > 0);
}

/** What all warnings of the trial together make void, in words; empty where they void nothing. */
export function allVoidedWords(trial: Doubted): string {
  return evidenceText(evidence.filter((one) => voidedBy([one], trial).length > 0));
}
