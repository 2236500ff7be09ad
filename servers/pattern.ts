// Defines the contract between the server process and a pattern's reference server: what a pattern gets and
// what it must offer. One file per pattern implements it; registry.ts lists them.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerBacklog } from '../core/protocol/control.ts';
import type { Counters } from '../core/result/counters.ts';
import type { DrainCount, DrainPlan } from '../core/policy/server/drain.ts';
import type { OpenedListener } from '../core/http/access.ts';
import type { ServerLimits } from '../core/scenario/scenario.ts';
import type { Place, PublishOptions, Stamps } from './hub/event.ts';
import type { Hub } from './hub/hub.ts';

/** Node's compatibility API makes one handler serve HTTP/1.1 and HTTP/2. */
export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;
export type Handler = (request: Request, response: Response, url: URL) => void | Promise<void>;

export type PatternContext = {
  hub: Hub;
  limits: ServerLimits;
  /**
   * The pattern counts its own work here. The listener counts incoming connections and their bytes.
   */
  counters: Counters;
  /** Counts a connection that the pattern has opened itself, and its bytes. */
  countConnection: (socket: Socket) => void;
  /** A number in [0, 1) from the run's seed, for jitter. */
  random: () => number;
};

/** One line of `pushbench serve`: something to try in a terminal, as it stands. */
export type Example = {
  what: string;
  /**
   * @param cursor of the server's start, behind which everything comes
   * @param invocation what goes before the arguments of a command of ours
   */
  command: (url: string, publishUrl: string, cursor: string, invocation: string) => string;
};

/**
 * Resolves when the event is in safe keeping, with its place.
 * Rejects with a `RequestError` of status 503 when the store did not take it: there is no such event then,
 * its number goes to the next one, and nobody counts it. Its code is `unknown` where the store's answer was
 * lost, so that the event may be there or not.
 * @throws TooManyTopics
 */
export type Publish = (
  topic: string,
  body: string,
  stamps: Stamps,
  options?: PublishOptions,
) => Promise<Place>;

/** A pattern that is up. */
export type RunningPattern = {
  /**
   * Keyed `METHOD /path`; the path is matched whole, but for stars: a star is one segment, whatever it says.
   Publishing is not among them: all patterns share it.
   */
  routes: Readonly<Record<string, Handler>>;
  /** For patterns that close idle connections while draining: this request's token is being looked up. */
  waits?(request: Request, response: Response): void;
  /**
   * Takes HTTP/1.1 requests for the protocol `websocket`, for the pattern that has it. Without
   * `mayPublish` a page may only read.
   */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer, url: URL, mayPublish: boolean) => void;
  /**
   * Web pages that may read besides the server's own (core/http/access.ts): those of loopback when left out.
   */
  readers?: OpenedListener['readers'];
  /**
   * Subscribers right now: held requests, open streams, registered endpoints; for polling,
   * those that polled lately.
   */
  subscribers(): number;
  /**
   * The path of a page for people, where there is one; from `beyond` this machine,
   * with the token needed there.
   */
  page?(beyond: boolean): string;
  /**
   * For patterns that store events themselves: called in place of the hub's `publish`, by every publisher.
   */
  publish?: Publish;
  /** For patterns that queue: deliveries accepted and not made yet. */
  backlog?(): ServerBacklog;
  /** The emulator that stands in for a service it uses, whose timings differ; undefined for the real one. */
  emulator?: string | undefined;
  /** Cuts this share of the connections or held requests without a goodbye; a fault, not a shutdown. */
  disconnect(share: number): void;
  /**
   * Before a server is replaced: takes no new subscribers, and tells those there are, one after the other,
   * to go and come back, which they do elsewhere. Publishing goes on. Called once, and not after `close`.
   */
  drain(plan: DrainPlan): Promise<DrainCount>;
  /**
   * A fault: what subscribers are served from is down, or there again. While it is down those there are have
   * been let go with the pattern's own word for a failure, and new ones are refused with it.
   */
  setDown(isDown: boolean): void;
  /** Says goodbye for good in the pattern's own way and resolves when nothing of it is left. */
  close(): Promise<void>;
};

export type PatternServer<Options> = {
  /** May resolve late, for a pattern that has others to reach first. */
  start(context: PatternContext, options: Options): RunningPattern | Promise<RunningPattern>;
  /** They show what the options change. */
  examples(options: Options): readonly Example[];
};
