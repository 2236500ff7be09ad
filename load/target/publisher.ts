// Publishes to a target that is not ours: each event of the plan at its planned time (open model), as our
// envelope inside whatever body the target wants, numbered here, since a target numbers nothing. One request
// of a topic is under way at a time, so that its events keep their order; topics are spread over connections.
// No pipelining: a server may close a connection after so many requests (nginx after 1,000), and what was
// sent behind is lost. An event that waits for its topic's turn waits on our side of the clock: that is
// publisher lag, and shown as such.

import { nowUs } from '../../core/base/clock.ts';
import { newCounters } from '../../core/result/counters.ts';
import type { EventNumber } from '../../core/protocol/control.ts';
import { encodeEnvelope } from '../../core/event/envelope.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { newHistogram, record } from '../../core/result/histogram.ts';
import { quoteBytes, redact } from '../../core/secrets/redact.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { fill } from '../../core/target/target.ts';
import { topicCount, topicName } from '../../core/scenario/topics.ts';
import { createBodyStock } from '../publisher/body-stock.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import { startPacer } from '../publisher/pacer.ts';
import type { LoadContext } from '../pattern.ts';
import { createProblemLog } from '../account/problems.ts';
import type { Published, Publisher, PublisherSetup } from '../publisher/publisher.ts';

const mostLanes = 32;
const answerWithinUs = 5_000_000;
/** Events that wait for their lane at the most, in all. */
const mostWaiting = 100_000;
/**
 * Bodies are made ahead for at most `fillUs` in `fillEveryUs`, and not in the last `clearUs` before an event.
 */
const fillUs = 300;
const fillEveryUs = 5000;
const clearUs = 1000;
const shownLength = 160;

/** One connection and the topics that use it. */
type Lane = { client: Client<Lane>; waiting: number[]; head: number; current: number };

export function startTargetPublisher({
  topics,
  plan,
  seed,
  target,
}: PublisherSetup & { target: TargetAccess }): Publisher {
  const events = plan.offsetUs.length;
  const published = { seq: new Int32Array(events), lag: newHistogram(), roundTrip: newHistogram() };
  const unconfirmed: EventNumber[] = [];
  const problems = createProblemLog();
  const bodies = createBodyStock(plan, seed);
  const bodyOf = new Map<number, ReturnType<typeof bodies.take>>();
  const sentUs = new Float64Array(events);
  const numbers = new Int32Array(topicCount(topics));
  const done = Promise.withResolvers<Published>();
  const { publish, run, secrets } = target;
  const url = new URL(fill(publish.url, { topic: 'x', topics: 'x' }));
  const path = publish.url.slice(publish.url.indexOf('/', publish.url.indexOf('//') + 2));
  const head = Object.entries(publish.headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

  let fromUs = Infinity;
  let warmUntilUs = Infinity;
  let next = 0;
  let confirmed = 0;
  let answered = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let over = false;
  let limit: NodeJS.Timeout | undefined;
  let lanes: Lane[] = [];
  let send: (lane: Lane, request: Buffer) => void = () => {};
  let drop = () => {};
  const pacer = startPacer(step);
  const problem = (code: string, message: string) => problems.add(code, redact(message, secrets));

  const ready = start();

  async function start(): Promise<void> {
    const context: Pick<LoadContext, 'endpoint' | 'counters' | 'sourceAddress' | 'sink' | 'connector'> = {
      endpoint: { url: url.origin, publishUrl: url.origin, over: 'h1' },
      counters: newCounters(), // publishing is no part of what a pattern costs
      sourceAddress: () => '127.0.0.1',
      sink: { ready() {}, lost() {}, event: () => false, problem },
      ...(url.protocol === 'https:' && {
        connector: (await import('../wire/secure.ts')).secureConnector(target.ca),
      }),
    };
    const clients = createHttpClients<Lane>(context, {
      response(lane, { status }, bytes, from, to, atUs) {
        settle(lane, status, bytes, from, to, atUs);
      },
      failed(lane, cause) {
        fail(
          lane,
          'publish-cut',
          `the connection ended before an event was answered (${cause.message}); ` +
            'whether the target took it is not known',
        );
      },
    });
    lanes = Array.from({ length: Math.min(mostLanes, Math.max(1, numbers.length)) }, () => {
      // The client needs its owner first.
      const lane = { waiting: [], head: 0, current: -1 } as unknown as Lane;
      lane.client = clients.add(lane, 0);
      return lane;
    });
    send = (lane, request) => clients.send(lane.client, request);
    drop = () => lanes.forEach(({ client }) => clients.drop(client));
  }

  const plannedUs = (i: number) => fromUs + plan.offsetUs[i]!;
  const measured = (i: number) => plannedUs(i) >= warmUntilUs;

  /** Does what is due; returns when there will be more to do. */
  function step(): number {
    if (over || fromUs === Infinity) return Infinity;
    for (; next < events && plannedUs(next) <= nowUs(); next++) {
      if (waiting >= mostWaiting || waitingBytes > largestQueueBytes) {
        const message =
          `the target takes events more slowly than they are published: ${waiting} of them wait. ` +
          'Publish less, or smaller ones, or on more topics';
        close();
        done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
        return Infinity;
      }
      const lane = lanes[plan.topic[next]! % lanes.length]!;
      const body = bodies.take(next);
      bodyOf.set(next, body);
      lane.waiting.push(next);
      waiting++;
      waitingBytes += body.bytes;
      if (lane.current < 0) sendNext(lane);
    }
    if (next === events) {
      limit ??= setTimeout(giveUp, answerWithinUs / 1000);
      return Infinity;
    }
    const dueUs = plannedUs(next);
    return bodies.fill(Math.min(nowUs() + fillUs, dueUs - clearUs))
      ? dueUs
      : Math.min(dueUs, nowUs() + fillEveryUs);
  }

  function sendNext(lane: Lane): void {
    const i = lane.waiting[lane.head];
    if (i === undefined || over) return;
    if (++lane.head === lane.waiting.length) {
      lane.waiting = [];
      lane.head = 0;
    }
    waiting--;
    lane.current = i;
    const topic = topicName(topics, plan.topic[i]!);
    const { text, bytes, crc } = bodyOf.get(i)!; // set when it was queued
    waitingBytes -= bytes;
    bodyOf.delete(i);
    const atUs = nowUs();
    sentUs[i] = atUs;
    if (measured(i)) record(published.lag, atUs - plannedUs(i));
    const seq = ++numbers[plan.topic[i]!]!;
    const event = encodeEnvelope({
      id: `${run}-${i + 1}`,
      topic,
      seq,
      plannedUs: plannedUs(i),
      sentUs: atUs,
      acceptedUs: 0,
      crc,
      body: text,
    });
    const channel = target.topics === 'fresh' ? `${topic}.${run}` : topic;
    const body =
      publish.body === '{event}'
        ? event
        : fill(publish.body, { event, eventString: JSON.stringify(event), topic: channel });
    send(
      lane,
      Buffer.from(
        `${publish.method} ${fill(path, { topic: channel, topics: channel })} HTTP/1.1\r\n` +
          `host: ${url.host}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${head}\r\n${body}`,
      ),
    );
  }

  function settle(lane: Lane, status: number, bytes: Buffer, from: number, to: number, atUs: number): void {
    const i = lane.current;
    if (status < 200 || status > 299) {
      const text = quoteBytes(bytes, from, to, shownLength, secrets);
      fail(
        lane,
        'publish-refused',
        `an event was answered with status ${status}${text === '' ? '' : `: ${text}`}`,
      );
      return;
    }
    published.seq[i] = numbers[plan.topic[i]!]!;
    confirmed++;
    if (measured(i)) record(published.roundTrip, atUs - sentUs[i]!);
    ended(lane);
  }

  function fail(lane: Lane, code: string, message: string): void {
    problem(code, message);
    const topic = plan.topic[lane.current]!;
    // Its number is used up: had the target taken it after all, the next one with that
    // number would be a duplicate.
    if (measured(lane.current)) unconfirmed.push({ topic, seq: numbers[topic]! });
    ended(lane);
  }

  function ended(lane: Lane): void {
    lane.current = -1;
    answered++;
    if (answered === events) finish();
    else sendNext(lane);
  }

  function giveUp(): void {
    for (const { current, waiting: queue, head: first } of lanes) {
      if (current >= 0)
        problem(
          'publish-unanswered',
          `the target had not answered ${answerWithinUs / 1e6} s after the last event`,
        );
      for (let i = first; i < queue.length; i++)
        problem(
          'publish-unsent',
          'an event was not sent, as the one before it on its topic had no answer yet',
        );
    }
    finish();
  }

  function finish(): void {
    if (over) return;
    over = true;
    clearTimeout(limit);
    done.resolve({ ...published, unconfirmed, problems: problems.list() });
  }

  function close(): void {
    over = true;
    clearTimeout(limit);
    pacer.stop();
    drop();
  }

  return {
    ready,
    run(window) {
      fromUs = window.warmupFromUs;
      warmUntilUs = window.fromUs;
      if (events === 0) finish();
      else pacer.wake();
      return done.promise;
    },
    sent: () => next - waiting,
    confirmed: () => confirmed,
    close,
  };
}
