// Holds what the two ways of computing long polling have in common: sizes on the wire, the times between an
// answer and the next request, and the counting of answers.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { answerEndsAtBytes } from '../../core/event/body-size.ts';
import { longPollAgainMs } from '../../core/policy/client/poll-times.ts';
import type { Costs } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { ModelInput } from '../model.ts';
import { since, type FanOut } from './fan-out.ts';
import type { Times } from './held-requests.ts';
import type { Cluster } from './cluster.ts';
import type { Prepared } from './prepare.ts';
import type { ServerFanOuts } from './server-fan-outs.ts';
import type { Tally } from './tally.ts';
import type { Part } from './windows.ts';
import { answerFields, cursorOf, headBytes, pollBodyBytes, requestBytes } from './wire-sizes.ts';

export type Options = PatternOptions<'long-polling'>;

/** @param frontUs what HAProxy adds on each of a request's two ways; 0 where there is none */
export function timesOf(
  { hold, batch }: Options,
  { scenario }: ModelInput,
  { perS, measured }: Prepared,
  costs: Costs,
  frontUs: number,
): Times {
  const payloadBytes = measured.points[0]!.payloadBytes;
  const one = costs.at({ receivers: 1, perS: Math.max(perS, 1e-6), payloadBytes });
  // From the publisher to the server and from there to the client: the two are alike.
  const oneWayUs = drawUs(one.firstUs, 0.5) / 2;
  const enoughBytes = Math.min(scenario.server.slowBuffer, answerEndsAtBytes);
  return {
    rules: { holdMs: Math.round(hold), batchMs: batch, enoughBytes },
    toServerUs: oneWayUs,
    backUs: oneWayUs + frontUs,
    againUs: longPollAgainMs * 1000 + oneWayUs + frontUs,
  };
}

/**
 * When those who got a fan-out are held again: in its order, and until the server is done with all of
 * them.
 */
export function againAfter(fanOut: FanOut, againUs: number): { firstUs: number; stepUs: number } {
  const { count, firstUs, lastUs, doneUs } = fanOut;
  if (count < 2) return { firstUs: lastUs + againUs, stepUs: 0 };
  const endUs = Math.max(lastUs, doneUs);
  return { firstUs: firstUs + againUs, stepUs: (endUs - firstUs) / (count - 1) };
}

/** Many of a server's clients are answered at a moment that is not an event's: their batch is over. */
export function answerTogether(
  { fanOuts, cluster, tally, times, prepared }: Parts,
  server: number,
  { atUs, count }: { atUs: number; count: number },
): FanOut {
  const payloadBytes = prepared.measured.points[0]!.payloadBytes;
  const fanOut = fanOuts.later(server, { atUs, payloadBytes, receivers: count });
  // HAProxy's work counts in the measured phase alone; batches also end before and after it.
  if (tally.isMeasured(atUs)) cluster.front?.passed(atUs, count);
  // The way from the publisher to the server lies behind them.
  const less = (us: number) => Math.max(0, us - times.toServerUs);
  const { firstUs, medianUs, lastUs } = fanOut;
  const own = { ...fanOut, firstUs: less(firstUs), medianUs: less(medianUs), lastUs: less(lastUs) };
  return since(own, cluster.front?.usuallyAddsUs ?? 0);
}

/** What groups and one by one compute with. */
export type Parts = {
  prepared: Prepared;
  cluster: Cluster;
  tally: Tally;
  fanOuts: ServerFanOuts;
  times: Times;
  answers: Answers;
  /** Of a request and its answer. */
  answerCpuUs: number;
  /** Until all subscribers have asked. */
  connectUs: number;
  computed: ModelInput['computed'];
};

/** Until when, why until then, and how many deliveries of the events up to then are still to come. */
export type Computed = { untilUs: number; part: Part; onTheWay: number };

export type Answers = {
  full(atUs: number, stepUs: number, count: number): void;
  empty(atUs: number, stepUs: number, count: number): void;
  finish(): void;
};

/** Counts answers; the bytes of events are counted with their deliveries. */
export function createAnswers(
  { gzip, connection, hold }: Options,
  prepared: Prepared,
  tally: Tally,
): Answers {
  const { measureUs, perS, topicListBytes, warmUpEvents } = prepared;
  const cursor = cursorOf(warmUpEvents + (perS * measureUs) / 2e6);
  const asked = requestBytes(
    `/long-poll?topics=${'x'.repeat(Math.round(topicListBytes))}&since=${cursor}&hold=${Math.round(hold)}`,
    gzip && 'accept-encoding: gzip',
    `connection: ${connection}`,
  );
  const fields = ['cache-control: no-store', ...answerFields(connection)];
  const body = pollBodyBytes(cursor);
  const head = (eventBytes: number) =>
    headBytes(
      'HTTP/1.1 200 OK',
      'content-type: application/json',
      `content-length: ${Math.round(body + eventBytes)}`,
      ...fields,
    );
  const nothing = headBytes('HTTP/1.1 204 No Content', ...fields, `pushbench-cursor: ${cursor}`);
  const counts = { fullPolls: 0, emptyPolls: 0 };

  function count(name: keyof typeof counts, atUs: number, stepUs: number, answers: number): void {
    counts[name] += tally.countWithin(atUs, stepUs, answers);
    tally.spread('requests', atUs, atUs + stepUs * (answers - 1), answers);
  }

  return {
    full: (atUs, stepUs, answers) => count('fullPolls', atUs, stepUs, answers),
    empty: (atUs, stepUs, answers) => count('emptyPolls', atUs, stepUs, answers),
    finish() {
      const { fullPolls, emptyPolls } = counts;
      const all = fullPolls + emptyPolls;
      tally.add('fullPolls', fullPolls);
      tally.add('emptyPolls', emptyPolls);
      tally.add('rearms', all);
      tally.add('bytesIn', all * asked);
      // Between the events of an answer are commas, and before the first none.
      const eachFull = fullPolls === 0 ? 0 : body + head(tally.bytesOut() / fullPolls) - 1;
      tally.addOut(fullPolls * eachFull + emptyPolls * nothing);
      if (connection === 'close') {
        tally.add('connectionsOpened', all);
        tally.add('connectionsClosed', all);
      }
    },
  };
}
