// The publisher: sends each event of the plan at its planned time, over one pipelined HTTP/1.1 connection and
// without waiting for answers (open model). One that is late sends all that is due at once and leaves nothing
// out. No event is sent twice: one whose answer is lost with its connection counts as unconfirmed.

import { later, nowUs } from '../../core/base/clock.ts';
import type { EventNumber, Problem, Window } from '../../core/protocol/control.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { newHistogram, record, type Histogram } from '../../core/result/histogram.ts';
import { random } from '../../core/base/random.ts';
import { topicName, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import { formatBytes } from '../../core/base/units.ts';
import { createBodyStock } from './body-stock.ts';
import { backoffMs, type Cause } from '../wire/connection.ts';
import { startPacer } from './pacer.ts';
import { createProblemLog } from '../account/problems.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { createPublishConnection } from './publish-connection.ts';

export type PublisherSetup = {
  publishUrl: string;
  topics: TopicGroupPlan[];
  plan: PublishPlan;
  seed: number;
};

export type Published = {
  /** What the server gave event `i`, 0 where it gave none. */
  seq: Int32Array;
  /**
   * Of a target's publisher, which numbers events itself: numbers given to measured events
   * that were not confirmed.
   */
  unconfirmed?: EventNumber[];
  /** Planned to sent, of the measured events. */
  lag: Histogram;
  /** Sent to answered, of the measured events. */
  roundTrip: Histogram;
  problems: Problem[];
};

export type Publisher = {
  /**
   * Resolves when the connection stands.
   * @throws UserError `publisher-unreachable` when it does not after 5 s of trying
   */
  readonly ready: Promise<void>;
  /**
   * Publishes the plan. Resolves when every event was answered or has failed; at the latest 5 s after the
   * last one was sent, or was due and could not be, or when the measured phase is over if that is later.
   * @throws UserError `publisher-backlog` when more than `largestQueueBytes` wait for the server to take them
   */
  run(window: Window): Promise<Published>;
  sent(): number;
  confirmed(): number;
  close(): void;
};

const connectWithinUs = 5_000_000;
const answerWithinUs = 5_000_000;
const reconnect = { base: 20, cap: 1000 };
/**
 * Written in one turn of the event loop at the most: events, and characters but for the last
 * event; then answers are read.
 */
const batchEvents = 64;
const batchLength = 256 * 1024;
/**
 * Bodies are made ahead for at most `fillUs` in `fillEveryUs`, and not in the last `clearUs` before an event.
 */
const fillUs = 300;
const fillEveryUs = 5000;
const clearUs = 1000;

export function startPublisher({ publishUrl, topics, plan, seed }: PublisherSetup): Publisher {
  const events = plan.offsetUs.length;
  const published = { seq: new Int32Array(events), lag: newHistogram(), roundTrip: newHistogram() };
  const problems = createProblemLog();
  const sentUs = new Float64Array(events);
  const bodies = createBodyStock(plan, seed);
  const jitter = random(seed, 'publisher-reconnect');
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<Published>();
  const startedUs = nowUs();

  let window: Window | undefined;
  /** The next event to send. */
  let next = 0;
  /** The oldest event that may still be answered; those below have been, or never will be. */
  let oldest = 0;
  let confirmed = 0;
  let attempts = 0;
  let connected = false;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  /** Takes the limit on the wait for answers away. */
  let clearLimit = () => {};

  const connection = createPublishConnection(publishUrl, {
    opened() {
      attempts = 0;
      connected = true;
      ready.resolve();
      pacer.wake();
    },
    answered,
    closed(cause) {
      if (over) return;
      unconfirmed(
        'publish-cut',
        'the connection ended before the server had answered; whether it took the event is not known',
      );
      if (window && next === events) finish();
      else reconnectAfter(cause);
    },
    problem: problems.add,
  });
  const pacer = startPacer(step);
  connection.dial();

  const plannedUs = (i: number) => (window ? window.warmupFromUs + plan.offsetUs[i]! : Infinity);
  const measured = (i: number) => window !== undefined && plannedUs(i) >= window.fromUs;

  /** Does what is due; returns when there will be more to do. */
  function step(): number {
    if (over || !connection.isOpen()) return Infinity;
    sendDue();
    if (over) return Infinity;
    if (next === events && window) {
      clearLimit();
      clearLimit = later(Math.max(answerWithinUs, window.toUs - nowUs()) / 1000, giveUp);
      return Infinity;
    }
    const dueUs = plannedUs(next);
    // While no answer is awaited, the time until the next event is free, also for a large body.
    const freeUntilUs = oldest === next ? dueUs - clearUs : 0;
    const full = bodies.fill(Math.min(nowUs() + fillUs, dueUs - clearUs), freeUntilUs);
    return full ? dueUs : Math.min(dueUs, nowUs() + fillEveryUs);
  }

  function sendDue(): void {
    const batchTo = Math.min(events, next + batchEvents);
    if (next === batchTo || plannedUs(next) > nowUs()) return;
    let requests = '';
    for (; next < batchTo && plannedUs(next) <= nowUs() && requests.length < batchLength; next++) {
      const body = bodies.take(next);
      const atUs = nowUs();
      sentUs[next] = atUs;
      if (measured(next)) record(published.lag, atUs - plannedUs(next));
      requests += connection.encode(topicName(topics, plan.topic[next]!), body, plannedUs(next), atUs);
    }
    connection.send(requests);
    if (connection.backlogBytes() <= largestQueueBytes) return;
    const message =
      'the server takes events more slowly than they are published: more than ' +
      `${formatBytes(largestQueueBytes)} of them wait. Publish less, or smaller ones`;
    close();
    done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
  }

  function answered(status: number, text: string, atUs: number): void {
    if (oldest === next)
      throw new ProtocolError('publish-unasked', 'the server sent an answer that no event had asked for');
    const i = oldest++;
    const seq = Number(/"seq":([1-9]\d{0,8})\b/.exec(text)?.[1] ?? 0);
    if (status !== 201) {
      problems.add(
        'publish-refused',
        `an event was answered with status ${status}: ${text.slice(0, 200).trim()}`,
      );
    } else if (seq === 0) {
      problems.add('publish-answer', 'the answer to an event gives it no "seq"');
    } else {
      published.seq[i] = seq;
      confirmed++;
      if (measured(i)) record(published.roundTrip, atUs - sentUs[i]!);
    }
    if (oldest === events) finish();
  }

  function reconnectAfter(cause: Cause): void {
    if (!connected && nowUs() - startedUs > connectWithinUs) {
      ready.reject(
        new UserError(
          'publisher-unreachable',
          `cannot connect to ${publishUrl} to publish: ${cause.message}`,
          exitCodes.failed,
        ),
      );
    } else if (window && nowUs() > Math.max(plannedUs(events - 1) + answerWithinUs, window.toUs)) {
      giveUp();
    } else {
      // At once at first: servers close idle connections, and the next event may be near.
      timer = setTimeout(connection.dial, attempts === 0 ? 0 : backoffMs(reconnect, attempts, jitter));
      attempts++;
    }
  }

  function giveUp(): void {
    unconfirmed(
      'publish-unanswered',
      `the server had not answered ${answerWithinUs / 1e6} s after the last event`,
    );
    for (let i = next; i < events; i++)
      problems.add('publish-unsent', 'an event was not sent, for want of a connection');
    finish();
  }

  /** No answer is to be had for what was sent. */
  function unconfirmed(code: string, message: string): void {
    for (; oldest < next; oldest++) problems.add(code, message);
  }

  function finish(): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    clearLimit();
    done.resolve({ ...published, problems: problems.list() });
  }

  function close(): void {
    over = true;
    clearTimeout(timer);
    clearLimit();
    pacer.stop();
    connection.close();
  }

  return {
    ready: ready.promise,
    run(given) {
      window = given;
      if (events === 0) finish();
      else pacer.wake();
      return done.promise;
    },
    sent: () => next,
    confirmed: () => confirmed,
    close,
  };
}
