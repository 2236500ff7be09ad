// Defines the contract between the load process and a pattern's subscribers: what a pattern is given, and
// what it must report. One file for each pattern implements it; registry.ts lists them.

import type { Counters } from '../core/result/counters.ts';
import type { Endpoint, LoadClosed, Window } from '../core/protocol/control.ts';
import type { Conduct } from '../core/scenario/endpoint-conduct.ts';
import type { Random } from '../core/base/random.ts';
import type { ReconnectPolicy } from '../core/scenario/scenario.ts';
import type { ConnectionEnd } from '../core/policy/client/fallback.ts';
import type { AbsenceCause } from '../core/result/recovery.ts';
import type { ConnectLog } from './wire/connect-log.ts';
import type { Connector } from './wire/connection.ts';

/** What all subscribers of one load process share. */
export type LoadContext = {
  endpoint: Endpoint;
  /** The pattern counts requests and what it reads and writes here. */
  counters: Counters;
  reconnect: ReconnectPolicy;
  random: Random;
  /** The topics that a subscriber follows, by name. */
  topicsOf(subscriber: number): string[];
  /** The loopback address that a subscriber connects from (core/base/source-address.ts). */
  sourceAddress(subscriber: number): string;
  /** How webhook endpoints fall short. */
  endpoints?: readonly Conduct[] | undefined;
  /** Where the pattern puts what it gets. */
  sink: Sink;
  /** Makes the connections where they are not plain TCP. */
  connector?: Connector;
  /** Counts the connections that subscribers get events on. */
  connects?: ConnectLog | undefined;
  /** Where subscribers may go over to another transport. */
  handover?: Handover;
};

/** What a pattern tells of each subscriber's connections where another may take the subscriber over. */
export type Handover = {
  /** It is connected and has asked. */
  began(subscriber: number): void;
  /** The first sign of the stream has come: nothing between keeps it back. */
  flows(subscriber: number): void;
  /**
   * The connection has ended, and not because the subscriber left.
   * @param cursor where its events go on, empty for none
   * @returns whether the subscriber has been taken over: it is over here
   */
  ended(subscriber: number, end: ConnectionEnd, cursor: string): boolean;
};

/** Where deliveries go: the ledger and the histograms. Pattern code never looks into an event. */
export type Sink = {
  /**
   * A subscriber is subscribed: events published from now on must reach it. Called again
   * after each reconnection.
   * @param resumes the server got its cursor, or had kept the events that it missed; false when left out
   */
  ready(subscriber: number, atUs: number, resumes?: boolean): void;
  /** A subscriber was cut off, and the pattern is reconnecting it; or it `left` voluntarily. */
  lost(subscriber: number, atUs: number, cause?: AbsenceCause): void;
  /** The server told a subscriber that its cursor came too late: it no longer has all that was missed. */
  reset(subscriber: number): void;
  /** A subscriber that is lost does not come back: it gave up, or the server told it to stay away. */
  gone(subscriber: number): void;
  /**
   * One event: the envelope in bytes `from`..`to`, read at `atUs`. The bytes are valid during the call only.
   * @returns false when they are not an envelope, which the pattern reports as a problem
   */
  event(subscriber: number, bytes: Buffer, from: number, to: number, atUs: number): boolean;
  /** Something that should not happen. The sink counts it in `errors` too, so that the caller does not. */
  problem(code: string, message: string): void;
};

/** A message that a subscriber publishes itself. */
export type Message = {
  topic: string;
  text: string;
  bytes: number;
  crc: number;
  plannedUs: number;
  sentUs: number;
  /** Its number in its topic, where the plan gives it. */
  seq?: number;
};

/** The subscribers of one pattern in one process. */
export type RunningLoad = {
  /**
   * Begins to subscribe one; `sink.ready` tells when it is done.
   * @param cursor where its events begin, where another transport has had those before
   */
  open(subscriber: number, cursor?: string): void;
  /** Ends a subscriber that another transport takes over. @returns where its events go on, empty for none */
  release?(subscriber: number): string;
  /** The phases are known. */
  setWindow?(window: Window): void;
  /** What the pattern alone can tell when all is over. */
  closed?(): Pick<LoadClosed, 'byAttempt' | 'transports' | 'request'>;
  /**
   * One leaves voluntarily, as when a page is closed, and keeps its place:
   * `sink.lost`. Absent for targets.
   */
  leave?(subscriber: number): void;
  /** It comes back and asks for what it missed. */
  comeBack?(subscriber: number): void;
  /**
   * One reads so many bytes a second from now on, 0 for none, undefined for as fast as they come. Absent
   * where nothing comes but short answers.
   */
  slow?(subscriber: number, bytesPerS: number | undefined): void;
  /**
   * Sends a subscriber's message on the connection that it gets events on; absent where that is one-way.
   * @param answered called with the message's sequence number from the server, 0 when the server refused it;
   *   not called when the connection ends before
   * @returns false when it has no connection
   */
  send?(subscriber: number, message: Message, answered: (seq: number, atUs: number) => void): boolean;
  /** Whether that goes for this subscriber; for all of them when left out. */
  sends?(subscriber: number): boolean;
  /**
   * Asks for something else of the server on the connection that a subscriber's events come on; absent where
   * a connection carries one request at a time.
   * @param answered with the status; never when the connection ends before
   */
  get?(subscriber: number, path: string, answered: (status: number, atUs: number) => void): void;
  /** Stops asking, finishes requests that are under way (at most `graceMs`), closes every socket. */
  close(graceMs: number): Promise<void>;
};

export type PatternLoad<Options> = {
  /** May resolve late, for a pattern that must itself listen first. */
  start(context: LoadContext, options: Options): RunningLoad | Promise<RunningLoad>;
};
