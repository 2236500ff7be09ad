// Decides which figures of a trial count. Each check looks at one way in which a run can measure something
// else than the server, and says with its figure what was seen and what to do. core/result/voids.ts says
// which figures each makes void.

import { loadLimits, type LoadLimit } from '../../core/metrics/headroom.ts';
import { figureOf, metrics } from '../../core/metrics/registry.ts';
import { openLedger } from '../../core/result/open-ledger.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialFault } from '../../core/result/trial-fault.ts';
import type { NoteCode, TrialWarning } from '../../core/result/trial-warning.ts';
import type { VoidingCode } from '../../core/result/voids.ts';
import { isTooLarge } from '../../core/result/too-large.ts';
import { largestBodyBytes } from '../../core/event/body-size.ts';
import { effectsOf } from '../../core/fault/faults.ts';
import { counted } from '../../core/base/counted.ts';
import { awayWords, timeAwayOf } from '../../core/result/recovery-words.ts';
import { formatBytes, formatNumber, formatShare, formatUs, writeDuration } from '../../core/base/units.ts';
import { coresAdvice, loadAdvice } from './cores.ts';
import { fewSamplesText } from './few-samples.ts';
import type { Readings } from './readings.ts';
import type { TrialPlan } from '../plan/plan.ts';

/** Share of the schedule that the publisher must have sent within the measured phase. */
const offeredLeast = 0.99;
/** Share of latencies that may lie below zero by less than the clocks of workers are known. */
const explainedMost = 0.01;

type Check = (
  plan: TrialPlan,
  readings: Readings,
  trial: Completed,
) => TrialWarning | readonly TrialWarning[] | undefined;

export function warningsOf(plan: TrialPlan, readings: Readings, trial: Completed): TrialWarning[] {
  return checks.flatMap((check) => check(plan, readings, trial) ?? []);
}

const invalid = (code: VoidingCode, message: string): TrialWarning => ({ code, level: 'invalid', message });
const note = (code: NoteCode, message: string): TrialWarning => ({ code, level: 'note', message });

const effects = ({ scenario: { faults, phases } }: TrialPlan) => effectsOf(faults, phases.measure);
const limitOf = (trial: Completed, wanted: LoadLimit['name']) =>
  loadLimits(trial).find(({ name }) => name === wanted)!; // all are in it

/** Speaks of a 99th percentile as a share only where there are events enough to carry one. */
function slowestOf(trial: Completed, p99: string, count: number, one: string, many: string): string {
  const share = figureOf(p99, trial).value === undefined ? '' : '1 % ';
  return `the slowest ${share}of ${counted(count, one, many)}`;
}

/** What the delivery latency's 99th percentile says, which the limits of the load side follow. */
function latencyTail(trial: Completed): string {
  const { count } = trial.latency.endToEnd;
  const p99Us = metrics['latency.p99']!.read(trial);
  return p99Us === undefined
    ? 'nothing was delivered'
    : `${slowestOf(trial, 'latency.p99', count, 'delivery', 'deliveries')} took ${formatUs(p99Us)} or more`;
}

/** What to do about a late publisher. One that sends in turn waits for answers; it does not lack cores. */
function lateAdvice(plan: TrialPlan, trial: Completed): string {
  const answeredUs = metrics['publish-round-trip.p50']!.read(trial);
  const longUs = limitOf(trial, 'publisher-lag').limit;
  return plan.besideTargets && answeredUs !== undefined && answeredUs >= longUs
    ? `Half of the events took ${formatUs(answeredUs)} or more to be confirmed, and the next event of a ` +
        `topic is sent only after that: publish less, or on more topics.`
    : `The publisher was late, not the server. ${coresAdvice(trial, plan, 'publisher', 'Publish less')}`;
}

/** What the load side was sent that is larger than it reads: of each kind, the most frequent first. */
const tooLargeIn = ({ problems }: Completed) => problems.filter(isTooLarge);

const checks: readonly Check[] = [
  function loadSaturated(plan, _readings, trial) {
    const { used: busiest, limit } = limitOf(trial, 'cpu');
    if (busiest <= limit) return undefined;
    return invalid(
      'load-limited',
      'this trial measured the load generator, not the server: a load process used ' +
        `${formatShare(busiest)} of a core (at most ${formatShare(limit)} is trusted). ` +
        loadAdvice(trial, plan, plan.scenario.subscribers),
    );
  },
  function loadRefused(_plan, _readings, trial) {
    const refused = tooLargeIn(trial);
    const [first] = refused;
    if (!first) return undefined;
    const count = refused.reduce((sum, problem) => sum + problem.count, 0);
    return invalid(
      'load-refused',
      `the load generator refused what it was sent ${formatNumber(count)} ` +
        `${count === 1 ? 'time' : 'times'} for its size: ${first.message}. What was missed, the latencies, ` +
        "connections and bytes of this trial are therefore not the server's. It reads events with bodies " +
        `up to ${formatBytes(largestBodyBytes)}: send smaller ones, or fewer in one answer.`,
    );
  },
  function loadStarved(plan, _readings, trial) {
    const { used: usualUs, limit } = limitOf(trial, 'loop-delay');
    if (usualUs <= limit) return undefined;
    return invalid(
      'load-starved',
      `the load generator was scheduled at least ${formatUs(usualUs)} late half of the time, ` +
        `where ${latencyTail(trial)}: the latencies are its own. ` +
        coresAdvice(trial, plan, 'load', 'Use less load'),
    );
  },
  function faultForbids(plan) {
    return effects(plan).invalid.map(({ code, message }) => invalid(code, message));
  },
  function faultsNotDone(_plan, _readings, { faults = [] }) {
    const undone = faults.filter(({ atUs }) => atUs === null);
    if (undone.length === 0) return undefined;
    return invalid(
      'fault-not-done',
      'the scenario asks for something that could not be done: ' + `${undone.map(undoneText).join('; ')}.`,
    );
  },
  function publisherLate(plan, _readings, trial) {
    const { used: lagUs, limit } = limitOf(trial, 'publisher-lag');
    if (lagUs <= limit) return undefined;
    const count = trial.latency.publisherLag?.count ?? 0;
    const text =
      `the publisher sent ${slowestOf(trial, 'publisher-lag.p99', count, 'event', 'events')} ` +
      `${formatUs(lagUs)} or more after ` +
      `their planned time, where ${latencyTail(trial)}`;
    return effects(plan).latePublisher
      ? note('publisher-late', `${text}; the scenario's faults explain it.`)
      : invalid('publisher-late', `${text}. ${lateAdvice(plan, trial)}`);
  },
  function offeredRate(plan, { done }, trial) {
    const first = trial.problems[0];
    const sent = trial.latency.publisherLag?.count ?? 0;
    const planned = plan.events;
    if (planned === 0 || effects(plan).latePublisher || sent >= planned * offeredLeast) return undefined;
    return invalid(
      'offered-rate',
      `the schedule planned ${formatNumber(planned)} events (${formatNumber(done.seq.length)} with the ` +
        `warm-up) and ${formatNumber(sent)} of them were sent` +
        (first ? `; most often: ${first.message}.` : '.'),
    );
  },
  function subscribersShort({ scenario }, { subscribers }) {
    if (subscribers === scenario.subscribers) return undefined;
    return invalid(
      'subscribers',
      `${formatNumber(subscribers)} of ${formatNumber(scenario.subscribers)} subscribers were connected ` +
        'when the first event was published.',
    );
  },
  function ledgerOpen(_plan, _readings, trial) {
    const reasons = openLedger(trial);
    return reasons.length === 0
      ? undefined
      : invalid('ledger-open', `deliveries cannot be reconciled: ${reasons.join('; ')}.`);
  },
  function clock(_plan, _readings, trial) {
    const negative = negativeOf(trial);
    return negative === 0
      ? undefined
      : invalid(
          'clock',
          `${formatNumber(negative)} latencies were below zero: the processes ` +
            'do not share a clock, or a stamp was wrong.',
        );
  },
  function outOfRange(_plan, _readings, { latency }) {
    const over = Object.values(latency).reduce((sum, one) => sum + (one?.overRange ?? 0), 0);
    return over === 0
      ? undefined
      : invalid(
          'out-of-range',
          `${formatNumber(over)} latencies were above 35 minutes and are in no percentile.`,
        );
  },
  function countsDisagree(_plan, _readings, trial) {
    const unexplained = trial.checks.filter((check) => !check.agree && check.note === '');
    if (unexplained.length === 0) return undefined;
    const list = unexplained
      .map(({ name, server, client }) => `${name}: ${formatNumber(server)} and ${formatNumber(client)}`)
      .join('; ');
    return invalid(
      'counts-disagree',
      `server and subscribers counted differently (${list}), so some figure is wrong.`,
    );
  },
  function serverKilled(_plan, { serversKilled }) {
    if (serversKilled === 0) return undefined;
    return note(
      'server-killed',
      `a fault ended a server ${counted(serversKilled, 'time')} before it could count a last time: its ` +
        'work after the last sample (up to a second) is missing from the counts of the server side, so the ' +
        "two sides' counts were not compared.",
    );
  },
  function notOurs({ scenario }, { serverReadings, serverGone }, trial) {
    const { ledger } = trial;
    if (serverReadings === 'self') return undefined;
    if (ledger.expected > 0 && ledger.delivered === 0 && tooLargeIn(trial).length === 0) {
      return invalid(
        'target-silent',
        'nothing that was published came back. "pushbench target check FILE" says where it gets lost.',
      );
    }
    if (serverGone) return invalid('target-ended', "the target's process ended before the trial was over.");
    const unread =
      serverReadings === 'none'
        ? ' Its CPU, memory and descriptors were not measured, as the target file names no process.'
        : '';
    const again =
      scenario.repeat > 1 || scenario.variants.length > 1
        ? ' It kept running from trial to trial, while our servers start again for each.'
        : '';
    return note(
      'target',
      `not our server: it reports neither when it accepted an event nor what it counted, so the two ` +
        `sides' counts were not compared.${again}${unread}`,
    );
  },
  function scheduled({ notes }) {
    return notes.map(({ code, message }) => note(code, message));
  },
  function missed(_plan, _readings, trial) {
    const { ledger, recovery } = trial;
    const away = awayWords([timeAwayOf(recovery ? [recovery] : []) ?? []].flat());
    // What the load side refused it cannot blame on the pattern.
    return ledger.missed === 0 || tooLargeIn(trial).length > 0
      ? undefined
      : note(
          'missed',
          `${formatNumber(ledger.missed)} of ${formatNumber(ledger.expected)} deliveries had not arrived ` +
            `when the drain limit was reached${away === undefined ? '' : `; ${away}`}.`,
        );
  },
  function errors(plan, _readings, { counters, problems }) {
    const total = counters.server.errors + counters.client.errors;
    const first = problems[0];
    if (total === 0) return undefined;
    const sides = [
      ['server', counters.server.errors],
      ['load side', counters.client.errors],
    ] as const;
    const told = sides
      .filter(([, count]) => count > 0)
      .map(
        ([side, count]) =>
          `the ${side} counted ${formatNumber(count)} ` +
          (count === 1 ? 'request, attempt or connection' : 'requests, attempts or connections') +
          ' that failed',
      );
    const asked = effects(plan).failures
      ? ', as connections do fail in faults that the scenario asked for'
      : '';
    return note('errors', `${told.join(', and ')}${asked}${first ? `; most often: ${first.message}` : ''}.`);
  },
  function reconnected(plan, _readings, { counters }) {
    if (counters.client.reconnects === 0) return undefined;
    return note(
      'reconnects',
      `subscribers reconnected ${counted(counters.client.reconnects, 'time')}` +
        `${effects(plan).reconnects ? ', as the scenario asked' : ''}.`,
    );
  },
  function fewSamples(plan, _readings, trial) {
    const figure = figureOf('latency.p99', trial);
    const sureness = metrics['latency.p99']!.percentile!.sureness(trial);
    if (figure.value !== undefined || sureness.rests !== 'events') return undefined;
    return note('few-samples', fewSamplesText(plan, trial, sureness.beyond));
  },
];

/**
 * Latencies below zero that the clocks of workers do not explain: further below than those clocks are known,
 * or more than a few of their kind, since the median is far above that bound.
 */
function negativeOf({ latency, workers = [] }: Completed): number {
  const boundUs = Math.max(0, ...workers.map((worker) => worker.boundUs));
  return Object.values(latency).reduce((sum, one) => {
    if (!one) return sum;
    const { negative, count, lowestUs = -Infinity } = one;
    const explained = -lowestUs <= boundUs && negative <= (count + negative) * explainedMost;
    return explained ? sum : sum + negative;
  }, 0);
}

function undoneText({ did, atMs, why }: TrialFault): string {
  return `${did}, at ${writeDuration(atMs)}${why === undefined ? '' : ` (${why})`}`;
}
