// Publishes as subscribers do: each message of the plan goes out at its planned time from the subscriber that
// the plan names (open model). It goes over the connection that the subscriber gets its events on where the
// pattern has that way (`RunningLoad.send`), and else as `POST /messages/{topic}` on a second, kept
// connection of the subscriber's own over HTTP/1.1, one message at a time. A message whose subscriber has no
// connection waits for none: it fails.

import { later, nowUs } from '../../core/base/clock.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import type { LoadCommand, LoadReport, Window } from '../../core/protocol/control.ts';
import { newHistogram, record, toSparse } from '../../core/result/histogram.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { chooseServer } from '../../core/policy/client/choose-server.ts';
import { urlsOf } from '../wire/connection.ts';
import { createBodyStock } from './body-stock.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import { pathBelow } from '../wire/http-head.ts';
import { startPacer } from './pacer.ts';
import { answerWithinUs, eventsOf, isMeasured, plannedUs, seqIn } from './publishing.ts';
import type { LoadContext, Message, RunningLoad } from '../pattern.ts';
import { createProblemLog } from '../account/problems.ts';

export type Senders = {
  /**
   * Sends the plan. Resolves when every message was answered or has failed, at the latest 5 s after the last
   * was due.
   */
  run(window: Window): Promise<Extract<LoadReport, { kind: 'sent' }>>;
  /** Closes the connections that are its own. */
  close(): void;
};

type Answered = (seq: number, atUs: number) => void;
type Send = (subscriber: number, message: Message, answered: Answered) => boolean;

/**
 * Messages that one subscriber may have waiting for the answers before them. Those of all together have at
 * most `largestQueueBytes`, but for the last.
 */
const mostWaiting = 1000;

export function createSenders(
  command: Extract<LoadCommand, { kind: 'messages' }>,
  context: LoadContext,
  running: RunningLoad,
): Senders {
  const { plan, sender, topics, seed } = command;
  const events = eventsOf(command);
  const posts = running.send && !running.sends ? undefined : createPosts(context);
  const send: Send = (subscriber, ...message) =>
    running.send && (running.sends?.(subscriber) ?? true)
      ? running.send(subscriber, ...message)
      : posts!.send(subscriber, ...message); // made unless all send on their connections
  const bodies = createBodyStock(plan, seed);
  const problems = createProblemLog();
  const seq = new Int32Array(events);
  const [lag, upstream] = [newHistogram(), newHistogram()];

  return {
    run(window) {
      const done = Promise.withResolvers<void>();
      let next = 0;
      let open = 0;
      const timetable = { plan, window };

      function finishIfDone(): void {
        if (next === events && open === 0) done.resolve();
      }

      function sendNext(i: number): void {
        const atUs = nowUs();
        const dueUs = plannedUs(timetable, i);
        const measured = isMeasured(timetable, i);
        if (measured) record(lag, atUs - dueUs);
        open++;
        const message = {
          ...bodies.take(i),
          topic: topicName(topics, plan.topic[i]!),
          plannedUs: dueUs,
          sentUs: atUs,
          ...(plan.seq && { seq: plan.seq[i]! }),
        };
        const went = send(sender[i]!, message, (given, answeredUs) => {
          open--;
          seq[i] = given;
          if (given > 0 && measured) record(upstream, answeredUs - dueUs);
          finishIfDone();
        });
        if (went) return;
        open--;
        problems.add(
          'message-unsent',
          'a message was not sent, because its subscriber had no connection or too much to send',
        );
      }

      const pacer = startPacer(() => {
        while (next < events && plannedUs(timetable, next) <= nowUs()) sendNext(next++);
        if (next < events) return plannedUs(timetable, next);
        finishIfDone();
        return Infinity;
      });
      pacer.wake();
      const lastMs = events === 0 ? 0 : (plannedUs(timetable, events - 1) - nowUs()) / 1000;
      const stopWaiting = later(Math.max(0, lastMs) + answerWithinUs / 1000, () => {
        for (let i = 0; i < open; i++)
          problems.add(
            'message-unanswered',
            `the server had not answered a message ${answerWithinUs / 1e6} s after the last was due`,
          );
        done.resolve();
      });
      return done.promise.then(() => {
        stopWaiting();
        pacer.stop();
        return {
          kind: 'sent' as const,
          seq,
          lag: toSparse(lag),
          upstream: toSparse(upstream),
          problems: problems.list(),
        };
      });
    },
    close: () => posts?.close(),
  };
}

type Post = { message: Message; answered: Answered };
/** `turns`: requests that had no answer, after which it goes to another server. */
type Poster = { client: Client<Poster>; turns: number; waiting: Post[]; underWay: Post | undefined };

/** Subscribers' messages as requests of their own. */
function createPosts(context: LoadContext): { send: Send; close(): void } {
  const { counters, sink } = context;
  const urls = urlsOf(context.endpoint);
  const posters = new Map<number, Poster>();
  let waitingBytes = 0;
  // No events come on these connections.
  const withoutLog = { ...context, connects: undefined };
  const clients = createHttpClients<Poster>(withoutLog, {
    response(poster, { status }, bytes, from, to, atUs) {
      const text = bytes.toString('utf8', from, Math.min(to, from + 1000));
      const given = seqIn(text);
      if (status !== 201)
        sink.problem(
          'message-refused',
          `a message was answered with status ${status}: ${text.slice(0, 200)}`,
        );
      settle(poster, status === 201 ? given : 0, atUs);
    },
    failed(poster) {
      poster.client.server = chooseServer(poster.client.subscriber, ++poster.turns, urls.length);
      settle(poster, 0, nowUs());
    },
  });

  function settle(poster: Poster, seq: number, atUs: number): void {
    const { underWay } = poster;
    poster.underWay = undefined;
    underWay?.answered(seq, atUs);
    sendWaiting(poster);
  }

  function sendWaiting(poster: Poster): void {
    if (poster.underWay) return;
    poster.underWay = poster.waiting.shift();
    if (!poster.underWay) return;
    waitingBytes -= poster.underWay.message.bytes;
    counters.messageRequests++;
    const { topic, text, bytes, crc, plannedUs, sentUs, seq } = poster.underWay.message;
    const url = urls[poster.client.server]!; // chosen from this list
    clients.send(
      poster.client,
      Buffer.from(
        `POST ${pathBelow(url, '/messages/')}${topic} HTTP/1.1\r\nhost: ${url.host}\r\n` +
          'content-type: application/json\r\n' +
          `content-length: ${bytes}\r\n` +
          (seq === undefined ? '' : `pushbench-seq: ${seq}\r\n`) +
          `pushbench-planned: ${plannedUs}\r\npushbench-sent: ` +
          `${sentUs}\r\npushbench-crc: ${crc}\r\n\r\n${text}`,
      ),
    );
  }

  return {
    send(subscriber, message, answered) {
      let poster = posters.get(subscriber);
      if (!poster) {
        // The client needs its owner first.
        poster = { turns: 0, waiting: [], underWay: undefined } as unknown as Poster;
        poster.client = clients.add(poster, subscriber);
        poster.client.server = chooseServer(subscriber, 0, urls.length);
        posters.set(subscriber, poster);
      }
      if (poster.waiting.length >= mostWaiting || waitingBytes > largestQueueBytes) return false;
      poster.waiting.push({ message, answered });
      waitingBytes += message.bytes;
      sendWaiting(poster);
      return true;
    },
    close() {
      for (const { client } of posters.values()) clients.drop(client);
    },
  };
}
