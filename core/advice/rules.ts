// Lists the rules by which a pattern is advised, in one table: when a rule applies, what it says for or
// against which patterns, and where it is from: the article, a claim of it that was measured, or the page on
// a pattern. docs/advise.md shows the same table.

import type { PatternName } from '../pattern/registry.ts';
import { deliveriesPerS, mayBeLate, type Needs } from './needs.ts';

/**
 * `article`: the part of *Webhooks, SSE, and WebSockets: Choosing the Right Real-Time Pattern* that says so.
 * `claim`: the id of one of its claims, with the verdict of measurements, in scenarios/article/claims.yaml.
 * `page`: a page of docs/.
 */
export type Source = { article: string } | { claim: string } | { page: string };
export type Rule = {
  id: string;
  /** When it applies, in words. */
  when: string;
  applies(needs: Needs): boolean;
  /**
   * For each pattern that it concerns: points for it (4 and more decide, 1 tips the scales) or against it, 0
   * for a remark that decides nothing, or `out` where the pattern cannot be used.
   */
  weighs: Partial<Record<PatternName, number | 'out'>>;
  says: string;
  source: Source;
};

const [secondMs, minuteMs, hourMs] = [1000, 60_000, 3_600_000];
/** What a person does not notice. */
const soonMs = 100;
const manyPerS = 1000;

export const rules: readonly Rule[] = [
  {
    id: 'to-a-server',
    when: 'to a server that can be called',
    applies: ({ to, reachable }) => to === 'server' && reachable,
    weighs: { webhook: 3 },
    says: 'made for delivery from server to server: nothing is held, the receiver need not be running',
    source: { article: 'Use webhooks when' },
  },
  {
    id: 'no-address',
    when: 'the receiver has no address that can be called',
    applies: ({ reachable }) => !reachable,
    weighs: { webhook: 'out' },
    says: 'the client must have a public URL',
    source: { article: 'What webhooks struggle with' },
  },
  {
    id: 'both-ways',
    when: 'both sides send',
    applies: ({ bothWays }) => bothWays,
    weighs: { websocket: 4 },
    says: 'both sides send on one connection',
    source: { article: 'Use WebSockets when' },
  },
  {
    id: 'way-back',
    when: 'both sides send',
    applies: ({ bothWays }) => bothWays,
    weighs: { polling: -1, 'long-polling': -1, 'http-stream': -1, sse: -1, webhook: -1 },
    says: 'each message of a client is a request of its own, on a second connection',
    source: { claim: 'both-ways' },
  },
  {
    id: 'to-browsers',
    when: 'to browsers, one way',
    applies: ({ to, bothWays }) => to === 'browser' && !bothWays,
    weighs: { sse: 3 },
    says: 'made for updates from a server to browsers: plain HTTP, no library',
    source: { article: 'Use SSE when' },
  },
  {
    id: 'one-way',
    when: 'one way',
    applies: ({ bothWays }) => !bothWays,
    weighs: { websocket: -1 },
    says: 'the way back is not needed, and reconnecting, resuming and heartbeats are yours to write',
    source: { claim: 'notifications' },
  },
  {
    id: 'fetch',
    when: 'to browsers',
    applies: ({ to }) => to === 'browser',
    weighs: { 'http-stream': -1 },
    says: 'fetch neither reconnects nor resumes by itself, as EventSource does',
    source: { page: 'patterns/http-stream.md' },
  },
  {
    id: 'between-programs',
    when: 'to apps or servers, one way',
    applies: ({ to, bothWays }) => to !== 'browser' && !bothWays,
    weighs: { 'http-stream': 2, sse: 1 },
    says: 'every HTTP client that reads a body in pieces can read it',
    source: { page: 'patterns/http-stream.md' },
  },
  {
    id: 'no-streams',
    when: 'no stream may stay open',
    applies: ({ hold }) => hold !== 'streams',
    weighs: { 'http-stream': 'out', sse: 'out', websocket: 'out' },
    says: 'it is a connection that stays open, and something on the way does not allow that',
    source: { claim: 'sse-proxies' },
  },
  {
    id: 'held-requests',
    when: 'a request may be held, a stream not',
    applies: ({ hold }) => hold === 'requests',
    weighs: { 'long-polling': 3 },
    says: 'push where streams break: proxies that buffer answers, old clients',
    source: { page: 'patterns/long-polling.md' },
  },
  {
    id: 'nothing-held',
    when: 'nothing may be held',
    applies: ({ hold }) => hold === 'nothing',
    weighs: { 'long-polling': 'out' },
    says: 'its request is held until there is an update',
    source: { page: 'patterns/long-polling.md' },
  },
  {
    id: 'cannot-be-pushed-to',
    when: 'nothing may be held',
    applies: ({ hold }) => hold === 'nothing',
    weighs: { polling: 3 },
    says: 'nothing can be pushed to the client',
    source: { article: 'FAQ, when to use polling' },
  },
  {
    id: 'hourly',
    when: 'an update an hour or fewer, and a minute of delay is fine',
    applies: (needs) => needs.everyMs >= hourMs && mayBeLate(needs, minuteMs),
    weighs: { polling: 5 },
    says: 'updates are very rare, so asking is simpler than holding a connection',
    source: { article: 'FAQ, when to use polling' },
  },
  {
    id: 'every-minute',
    when: 'an update a minute or fewer, and 30 s of delay are fine',
    applies: (needs) =>
      needs.everyMs >= minuteMs && needs.everyMs < hourMs && mayBeLate(needs, 30 * secondMs),
    weighs: { polling: 5 },
    says: 'for an update a minute, polling every 30 s is simpler than holding a connection',
    source: { claim: 'rarely' },
  },
  {
    id: 'polls-late',
    when: 'more than an update a minute',
    applies: ({ everyMs }) => everyMs < minuteMs,
    weighs: { polling: -2 },
    says: 'an update waits for the next poll, up to the whole interval',
    source: { claim: 'poll-delay' },
  },
  {
    id: 'polls-empty',
    when: 'an update may be late by less than a tenth of the time between two',
    applies: ({ withinMs = Infinity, everyMs }) => withinMs < everyMs / 10,
    weighs: { polling: -2 },
    says: 'nearly all polls find nothing',
    source: { claim: 'polls-empty' },
  },
  {
    id: 'polls-too-often',
    when: 'an update may be late by less than 100 ms',
    applies: ({ withinMs = Infinity }) => withinMs < soonMs,
    weighs: { polling: 'out' },
    says: 'it would have to ask more than ten times a second',
    source: { claim: 'poll-delay' },
  },
  {
    id: 'at-once',
    when: 'an update may be late by at most a second',
    applies: ({ withinMs = Infinity }) => withinMs <= secondMs,
    weighs: { sse: 1, 'http-stream': 1, websocket: 1 },
    says: 'a stream delivers within milliseconds, and a WebSocket hardly sooner than SSE',
    source: { claim: 'websocket-latency' },
  },
  {
    id: 'frequent',
    when: 'ten updates a second and client or more',
    applies: ({ everyMs }) => everyMs <= 100,
    weighs: { webhook: -2, 'long-polling': -1 },
    says: 'a request for nearly each delivery',
    source: { claim: 'long-polling' },
  },
  {
    id: 'thousands',
    when: 'a thousand updates a second and client or more',
    applies: ({ everyMs }) => everyMs <= 1,
    weighs: { sse: 1, 'http-stream': 1, websocket: 1 },
    says: 'a stream carries thousands of updates a second, SSE on a par with WebSocket',
    source: { claim: 'sse-frequency' },
  },
  {
    id: 'must-arrive',
    when: 'nothing may be missed, to a server that can be called',
    applies: ({ missed, to, reachable }) => missed === 'never' && to === 'server' && reachable,
    weighs: { webhook: 3 },
    says: 'stored, signed and retried until the receiver has it, through outages and restarts',
    source: { claim: 'at-least-once' },
  },
  {
    id: 'history-ends',
    when: 'nothing may be missed',
    applies: ({ missed }) => missed === 'never',
    weighs: { polling: 0, 'long-polling': 0, 'http-stream': 0, sse: 0, websocket: 0 },
    says:
      'a client gets what it missed only as far as the history of the server reaches back: store it, or ' +
      'let clients ask for the state',
    source: { claim: 'current-status' },
  },
  {
    id: 'resumes-itself',
    when: 'a client that was away catches up, to browsers',
    applies: ({ missed, to }) => missed !== 'ok' && to === 'browser',
    weighs: { sse: 1 },
    says: 'browsers reconnect and resume by themselves (Last-Event-ID)',
    source: { claim: 'browser-reconnects' },
  },
  {
    id: 'order',
    when: 'the order matters',
    applies: ({ ordered }) => ordered,
    weighs: { webhook: -2 },
    says: 'deliveries overtake one another, unless one is sent at a time or the receiver sorts them',
    source: { claim: 'webhook-order' },
  },
  {
    id: 'simplest',
    when: 'the simplest that does it',
    applies: ({ simplest }) => simplest,
    weighs: { polling: 1, sse: 1 },
    says: 'simple to write and to run: plain HTTP',
    source: { article: 'FAQ, when to use polling' },
  },
  {
    id: 'not-simplest',
    when: 'the simplest that does it',
    applies: ({ simplest }) => simplest,
    weighs: { websocket: -1 },
    says: 'more to write and to run than SSE',
    source: { article: 'What WebSockets struggle with' },
  },
  {
    id: 'request-each',
    when: 'a thousand deliveries a second or more',
    applies: (needs) => deliveriesPerS(needs) >= manyPerS,
    weighs: { webhook: -1, 'long-polling': -1 },
    says: 'a request for each delivery costs the server a multiple of what a stream does',
    source: { claim: 'webhook-fan-out' },
  },
  {
    id: 'descriptors',
    when: 'a thousand clients or more',
    applies: ({ clients }) => clients >= manyPerS,
    weighs: { 'long-polling': 0, 'http-stream': 0, sse: 0, websocket: 0 },
    says:
      'each client holds a connection and a descriptor of the server, whose limit is often 1,024: ' +
      'raise it as far as the system allows; beyond that more server processes are needed',
    source: { claim: 'a-descriptor-each' },
  },
  {
    id: 'six-connections',
    when: 'to browsers',
    applies: ({ to }) => to === 'browser',
    weighs: { sse: 0, 'http-stream': 0, 'long-polling': 0 },
    says: 'over HTTP/1.1 six open streams take all connections of a browser to a host: serve HTTP/2',
    source: { claim: 'six-connections' },
  },
  {
    id: 'stateful',
    when: 'always',
    applies: () => true,
    weighs: { websocket: 0 },
    says:
      'connections are stateful: several servers need a pub/sub layer, and some proxies block the ' +
      'upgrade',
    source: { article: 'What WebSockets struggle with' },
  },
  {
    id: 'at-least-once',
    when: 'always',
    applies: () => true,
    weighs: { webhook: 0 },
    says: 'deliveries come at least once: the receiver verifies signatures and recognises repetitions',
    source: { claim: 'at-least-once' },
  },
];
