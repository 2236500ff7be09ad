// Defines what an entry of the registry says about a pattern. Whatever the harness, the reports or a server
// must know of one pattern in particular is asked here, so that no other file names it.

import type { z } from 'zod';
import type { TargetEntry } from './target-entry.ts';

/** What the contract suite (test/contract.test.ts) asks of a pattern. One that lacks an ability says why. */
export const abilities = {
  resume: 'a subscriber that was away can ask for what it missed',
  order: "a subscriber gets each topic's events in sequence",
  upstream: 'a subscriber can send messages over the connection it receives on',
  'behind-nat': 'a subscriber needs no address that the server can reach',
} as const;

export type Ability = keyof typeof abilities;

/** The reason of patterns that lack `upstream`. */
export const oneWay = 'one way only: a client sends messages by separate requests';

export type Compression = 'gzip' | 'permessage-deflate';
export type HttpVersion = 'h1' | 'h2' | 'h2c';

/**
 * Subscribers that share a connection over HTTP/2: servers commonly allow as many streams (RFC 9113, section
 * 6.5.2, advises no fewer).
 */
export const streamsPerConnection = 100;

/** One entry of the registry. `Options` is the schema of its options; methods get them parsed. */
export type Pattern<Options extends z.ZodObject = z.ZodObject> = {
  title: string;
  /** One sentence on how an event reaches the subscriber. */
  how: string;
  /** Where its server is asked first: the path of `docs/wire.md`. */
  path: string;
  /** As a scenario writes them; parsing fills in the defaults. */
  options: Options;
  /** Options that a label writes without their name: `sse h2`, not `sse over=h2`. */
  unnamedInLabels?: readonly (keyof z.output<Options>)[];
  /** Options, as a scenario writes them, under which it shows all that it does within a second. */
  quick?: z.input<Options>;
  /**
   * Options with a choice (true or false, or one of several words) that does not show on the wire, with the
   * reason. The contract suite tries every choice of all others.
   */
  offWire?: { readonly [Name in keyof z.output<Options>]?: string };
  /** Abilities that it lacks, with the reason that reports show. */
  lacks: Partial<Record<Ability, string>>;
  /** Whether a subscriber holds a connection open while nothing happens. */
  holdsConnection: boolean;
  /**
   * Whether that is an HTTP/1.1 request under way, one of the six that a browser has to a host at once
   * (WebSockets are not among them). It is not when left out.
   */
  holdsRequest?(options: z.output<Options>): boolean;
  /** What its subscribers ask to have answers or messages compressed with; nothing when left out. */
  compression?(options: z.output<Options>): Compression | undefined;
  /** What its subscribers speak; HTTP/1.1 when left out. */
  httpVersion?(options: z.output<Options>): HttpVersion;
  /** Patterns whose subscribers its own may become, in this order: its server has their paths too. */
  fallsBackTo?(options: z.output<Options>): readonly string[];
  /**
   * How a page of a browser opens its path; left out where nobody can tell whether a page is waiting.
   */
  pageOpens?: 'EventSource' | 'WebSocket' | 'fetch';
  /** Subscribers fetch events from the server's history, and nothing waits for them elsewhere. */
  fromHistory?: true;
  /** How long an event may wait by design, in milliseconds; 0 when left out. A drain must not be shorter. */
  waitMs?(options: z.output<Options>): number;
  /**
   * Deliveries wait for their turn by design, so that a burst before the warm-up would leave some waiting
   * into the measured phase; they do not when left out.
   */
  pacesDeliveries?(options: z.output<Options>): boolean;
  /** Milliseconds between two requests of a subscriber, where it asks on a schedule. */
  asksEveryMs?(options: z.output<Options>): number;
  /**
   * Milliseconds after which a subscriber and its server meet again though nothing happens: at a poll, at the
   * end of a held request, at a sign of life. Left out where they do not.
   */
  meetsEveryMs?(options: z.output<Options>): number;
  /**
   * Whether its path answers `topics` and `since` at once, with the next `cursor` in JSON, however little
   * there is to say: what a closed loop saturates.
   */
  answersAtOnce?: boolean;
  /**
   * For a sender: how its servers share their deliveries. Trials start a Redis for it where the options name
   * none. Left out by a sender that cannot share.
   */
  sharedStore?: SharedStore<z.output<Options>>;
  /** Of a sender that may use a queue of others: trials start an emulator where the options name none. */
  queue?: NamedQueue<z.output<Options>>;
  /** Why no run can use these options of the variant called `label`; undefined where one can. */
  cannotRun?(options: z.output<Options>, label: string): string | undefined;
  /** How it runs against a system that is not ours, or why it cannot. */
  target: AtTarget<Options> | { impossible: string };
};

/** What several servers of a sender share. */
export type SharedStore<Options> = {
  /** Whether servers with these options share theirs. */
  isShared(options: Options): boolean;
  /** Whether the options say where it is. */
  isNamed(options: Options): boolean;
  /** The options with `url` as the place of it. */
  at(options: Options, url: string): Options;
  /** What an option has to be for it, as a scenario writes it. */
  by: string;
};

/** A queue of others that has an emulator. */
export type QueueKind = 'sqs' | 'kafka';

export type NamedQueue<Options> = {
  /** Which queue the options want and do not name; undefined where they want none or name it. */
  unnamed(options: Options): QueueKind | undefined;
  /** The options with the queue of an emulator at this address. */
  at(options: Options, address: string): Options;
};

/** A pattern that a target file can describe. */
export type AtTarget<Options extends z.ZodObject = z.ZodObject> = {
  /** What the file says of it below `subscribe`, by `targetEntry` of target-entry.ts. */
  entry: z.ZodType<TargetEntry>;
  /** Options that are the client's own. What the others set, a target has set for itself. */
  clientOptions: readonly (keyof z.output<Options>)[];
};

/** Patterns by name, in the order reports show them. */
export type PatternRegistry = Readonly<Record<string, Pattern>>;
