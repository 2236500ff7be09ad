// Serves long polling: the client asks, and the server holds the request until there is an event or the hold
// is over. Nothing is lost between two requests, since each says in its cursor where the last answer ended.
// core/policy/server/long-poll.ts decides when a request is answered.
//
// A subscriber that is slow to come back falls behind in the history, not in buffered bytes: an answer ends
// with the event that reaches `slowBuffer` bytes, or `answerEndsAtBytes` if that is less, and the next
// request gets the events after it.

import type { Socket } from 'node:net';
import { drawShare } from '../core/base/random.ts';
import { answerEndsAtBytes } from '../core/event/body-size.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { drawAdviceMs } from '../core/policy/server/drain.ts';
import { takeUntil } from '../core/policy/server/history-pieces.ts';
import { decideEvent, decideRequest, type LongPollRules } from '../core/policy/server/long-poll.ts';
import type { HubEvent } from './hub/event.ts';
import type { PatternContext, PatternServer, Response } from './pattern.ts';
import { announcedHeaders } from './http/announce.ts';
import { createAnswers, encodeAnswer } from './http/poll-answer.ts';
import { checkIntake, downText, newIntake } from './http/intake.ts';
import { createPollConnections } from './http/poll-connections.ts';
import { curlAsking, publishExample } from './http/examples.ts';
import { answerFull, cursorOf, endWith, RequestError, topicsOf } from './http/request.ts';
import { sayGoodbye } from './http/say-goodbye.ts';

/** A request, and whether its answer is compressed. */
type Asked = { readonly response: Response; readonly compressed: boolean };

/** One request that waits for its answer. */
type Held = Asked & {
  readonly events: HubEvent[];
  /** What the client has seen. */
  readonly since: string;
  bytes: number;
  /** Ends the hold; once there is an event, the batch. */
  timer: NodeJS.Timeout | undefined;
  unsubscribe: () => void;
};

type Options = PatternOptions<'long-polling'>;

export const longPolling: PatternServer<Options> = {
  start(context, options) {
    const { hub, limits, counters, random } = context;
    const enoughBytes = Math.min(limits.slowBuffer, answerEndsAtBytes);
    const rules = { holdMs: options.hold, batchMs: options.batch, enoughBytes };
    const answers = createAnswers(options.gzip);
    const announced = announcedHeaders(limits);
    const connections = createPollConnections();
    const intake = newIntake();
    let adviceHeader = (): Record<string, string> => ({});

    function headersFor({ req: request }: Response): Record<string, string> {
      const isDue = connections.isDue(request);
      if (isDue) connections.told(request);
      const close = intake.closing || isDue || options.connection === 'close';
      const wait = isDue ? adviceHeader() : {};
      return {
        'cache-control': 'no-store',
        ...announced,
        ...wait,
        ...(close ? { connection: 'close' } : {}),
      };
    }

    function send(
      { response, compressed }: Asked,
      cursor: string,
      reset: boolean,
      events: readonly HubEvent[],
    ): void {
      answers.send(response, compressed, headersFor(response), encodeAnswer(cursor, reset, events));
    }

    function sendNothing(response: Response, since: string): void {
      endWith(response, 204, { ...headersFor(response), 'pushbench-cursor': hub.cursor(since) });
    }

    function answer(asked: Asked, cursor: string, reset: boolean, events: readonly HubEvent[]): void {
      counters[events.length > 0 ? 'fullPolls' : 'emptyPolls']++;
      counters.events += events.length;
      if (reset) counters.resets++;
      send(asked, cursor, reset, events);
    }

    function answerHeld(request: Asked & Pick<Held, 'events' | 'since'>): void {
      const { response, events, since } = request;
      if (events.length > 0) return answer(request, hub.cursor(since), false, events);
      counters.emptyPolls++;
      sendNothing(response, since);
    }

    const { held, hold, heldOn, finish, release } = createHeldRequests(context, rules, answerHeld);

    return {
      routes: {
        'GET /long-poll': (request, response, url) => {
          const topics = topicsOf(url);
          const since = cursorOf(url);
          const askedHoldMs = holdOf(url);
          // Those who were here before are told in their turn, by a whole answer.
          checkIntake({ ...intake, draining: intake.draining && !connections.has(request) });
          connections.add(request);
          const asked = { response, compressed: answers.compresses(request) };
          const isHead = request.method === 'HEAD';
          if (since === undefined) return (isHead ? send : answer)(asked, hub.cursor(), false, []);
          const { events, lost } = hub.since(topics, since);
          const taken = takeUntil(events, enoughBytes);
          const isPart = taken.length < events.length;
          const cursor = isPart ? taken.at(-1)!.id : hub.cursor(since);
          // What can be said now; nobody waits for a head.
          if (isHead)
            return taken.length > 0 || lost ? send(asked, cursor, lost, taken) : sendNothing(response, since);
          const bytes = bytesOf(taken);
          const found = { events: taken.length, bytes, isPart, isLost: lost };
          const decision = decideRequest(rules, askedHoldMs, found);
          if (decision === 'answer') return answer(asked, cursor, lost, taken);
          if (connections.isDue(request)) return answerHeld({ ...asked, events: taken, since });
          hold(asked, topics, since, decision.holdMs, taken, bytes);
        },
      },
      waits: connections.waits,
      subscribers: () => held.size,
      disconnect(share) {
        for (const { response } of drawShare(held, share, random)) response.destroy();
      },
      drain(plan) {
        intake.draining = true;
        adviceHeader = () => {
          const waitMs = drawAdviceMs(plan, random);
          return waitMs === undefined ? {} : { 'pushbench-wait': String(waitMs) };
        };
        return connections.drain(plan, (socket) => heldOn(socket).forEach(finish));
      },
      setDown(isDown) {
        intake.down = isDown;
        if (!isDown) return;
        for (const request of held) {
          release(request);
          counters.refusals++;
          answerFull(request.response, 'dependency-down', downText);
        }
      },
      async close() {
        intake.closing = true;
        const answered = Array.from(
          held,
          ({ response }) => new Promise((resolve) => response.once('close', resolve)),
        );
        sayGoodbye(held, finish);
        await Promise.all(answered);
      },
    };
  },

  examples: ({ gzip }) => [
    {
      what: 'where to begin: answered at once with a cursor',
      command: (url) => `${curlAsking('curl -i', gzip)} '${url}/long-poll?topics=news'`,
    },
    {
      what: 'wait for the first event since the server began; other cursors are in answers',
      command: (url, _publishUrl, cursor) =>
        `${curlAsking('curl -i', gzip)} '${url}/long-poll?topics=news&since=${cursor}'`,
    },
    publishExample,
    {
      what: 'wait for two seconds at most',
      command: (url, _publishUrl, cursor) =>
        `${curlAsking('curl -i', gzip)} '${url}/long-poll?topics=news&since=${cursor}&hold=2000'`,
    },
  ],
};

/**
 * Holds requests until they are to be answered.
 * @param answer answers one, which is held no longer
 */
function createHeldRequests(
  { hub, limits, counters }: Pick<PatternContext, 'hub' | 'limits' | 'counters'>,
  rules: LongPollRules,
  answer: (request: Held) => void,
) {
  const held = new Set<Held>();
  /** The same by their connection, from the first question of a drain on. */
  let bySocket: Map<Socket, Set<Held>> | undefined;

  function index(byThem: Map<Socket, Set<Held>>, request: Held): void {
    const { socket } = request.response.req;
    const those = byThem.get(socket);
    if (those) those.add(request);
    else byThem.set(socket, new Set([request]));
  }

  function heldOn(socket: Socket): Held[] {
    if (!bySocket) {
      bySocket = new Map();
      for (const request of held) index(bySocket, request);
    }
    return [...(bySocket.get(socket) ?? [])];
  }

  function release(request: Held): void {
    held.delete(request);
    bySocket?.get(request.response.req.socket)?.delete(request);
    clearTimeout(request.timer);
    request.unsubscribe();
  }

  /** Answers a request now; does nothing when it is not held any more. */
  function finish(request: Held): void {
    if (!held.has(request)) return;
    release(request);
    answer(request);
  }

  function collect(event: HubEvent, request: Held): void {
    request.events.push(event);
    request.bytes += Buffer.byteLength(event.json);
    switch (decideEvent(rules, request.events.length, request.bytes)) {
      case 'answer':
        return finish(request);
      case 'begin-batch':
        clearTimeout(request.timer);
        request.timer = setTimeout(finish, rules.batchMs, request);
        return;
      case 'collect':
        return;
    }
  }

  function hold(
    { response, compressed }: Asked,
    topics: readonly string[],
    since: string,
    holdMs: number,
    events: HubEvent[],
    bytes: number,
  ): void {
    if (held.size >= limits.maxSubscribers) {
      counters.refusals++;
      return answerFull(
        response,
        'too-many-subscribers',
        `${limits.maxSubscribers} requests are held, which is the limit`,
      );
    }
    const request: Held = { response, compressed, events, since, bytes, timer: undefined, unsubscribe() {} };
    request.unsubscribe = hub.subscribe(topics, collect, request, since);
    request.timer = setTimeout(finish, holdMs, request);
    held.add(request);
    if (bySocket) index(bySocket, request);
    response.once('close', () => release(request)); // the client may go before there is an answer
  }

  return { held, hold, heldOn, finish, release };
}

function bytesOf(events: readonly HubEvent[]): number {
  return events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
}

function holdOf(url: URL): number | undefined {
  const text = url.searchParams.get('hold');
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new RequestError(
      400,
      'bad-hold',
      `hold=${text.slice(0, 40)} is not a whole number of milliseconds`,
    );
  return Number(text);
}
