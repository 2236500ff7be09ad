// What each kind of answer means for a delivery and its endpoint, seen through the API, over receivers that
// follow a script: success, another attempt and when, or never again.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'vitest';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';

type Meaning = 'delivered' | { againAfterS: number } | 'disabled';
type Row = [
  what: string,
  answer: (socket: Socket) => void,
  meaning: Meaning,
  log: { status: number; truncated?: boolean } | RegExp,
];

const says =
  (head: string, body = '') =>
  (socket: Socket) =>
    void socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
const status = (code: number, meaning: Meaning, headers = ''): Row => [
  `${code}${headers && `, ${headers}`}`,
  says(`${code} Said${headers && `\r\n${headers}`}`),
  meaning,
  { status: code },
];
const again: Meaning = { againAfterS: 10 };
const endless = (code: number) => (socket: Socket) => {
  socket.write(`HTTP/1.1 ${code} Said\r\n\r\n`);
  const more = (): void =>
    void (socket.destroyed || socket.write(Buffer.alloc(16_384, 120), () => setImmediate(more)));
  more();
};
const dribble = (begin: string, text: string) => (socket: Socket) => {
  socket.write(begin);
  let i = 0;
  const timer = setInterval(
    () => (socket.destroyed ? clearInterval(timer) : socket.write(text[i++ % text.length]!)),
    5,
  );
};
/** Of the tests' clock, in the form that HTTP has for it. */
const date = (afterS: number) => new Date(1_700_000_000_000 + afterS * 1000).toUTCString();

const rows: Row[] = [
  ...[200, 201, 202, 204, 299].map((code) => status(code, 'delivered')),
  ...[301, 302, 303, 307, 308].map((code) => status(code, again, 'location: http://127.0.0.1:9/')),
  ...[300, 304, 400, 401, 403, 404, 408, 409, 422, 500, 501, 502, 504].map((code) => status(code, again)),
  status(410, 'disabled'),
  status(410, 'disabled', 'retry-after: 15'),
  ...[429, 503].flatMap((code) => [
    status(code, again),
    status(code, { againAfterS: 15 }, 'retry-after: 15'),
    status(code, { againAfterS: 15 }, `retry-after: ${date(15)}`),
    status(code, { againAfterS: 20 }, 'retry-after: 86400'), // the longest wait of the schedule
    status(code, again, 'retry-after: 1'),
    status(code, again, `retry-after: ${date(-60)}`),
    status(code, again, 'retry-after: soon'),
  ]),
  ['closed without an answer', (socket) => void socket.end(), again, /hang up/],
  ['reset without an answer', (socket) => socket.resetAndDestroy(), again, /ECONNRESET|hang up/],
  [
    'reset in the middle of a 200',
    (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      ),
    again,
    /aborted|ECONNRESET|closed before/,
  ],
  ['silence', () => {}, again, /no answer within 100 ms/],
  ['slow headers', dribble('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'), again, /no answer within 100 ms/],
  [
    'a slow body',
    dribble('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n', 'x'),
    again,
    /no whole answer within 250 ms/,
  ],
  ['an endless body under a 200', endless(200), 'delivered', { status: 200, truncated: true }],
  ['an endless body under a 500', endless(500), again, { status: 500, truncated: true }],
  ['an endless body under a 410', endless(410), 'disabled', { status: 410, truncated: true }],
  [
    'something that is no HTTP',
    (socket) => void socket.end('220 smtp.example.com ESMTP\r\n'),
    again,
    /Parse Error/,
  ],
];

describe('an answer of', () => {
  for (const [what, answer, meaning, log] of rows) {
    test(
      `${what} means ` +
        `${typeof meaning === 'string' ? meaning : `another attempt after ${meaning.againAfterS} s`}`,
      async (t) => {
        const { url, requests } = await bareReceiver(t, answer);
        const elsewhere = await receiver(t);
        const timers = virtualTimers();
        const server = await serveOn(t, timers, {
          retries: ['10s', '20s'],
          timeout: '250ms',
          headersTimeout: '100ms',
        });
        const { id } = await server.register(url);
        await server.publish('news');
        let underWay = 1;
        let attempted = 0;
        await until('it was judged', () => {
          void server.stats().then((stats) => ([underWay, attempted] = [stats.underWay, stats.attempts]));
          return underWay === 0 && attempted === 1;
        });
        const { state, nextAttemptAt, attemptLog } = await server.delivery('1');
        const { disabled, lastFailure } = await server.endpoint(id);
        assert.equal(
          state,
          meaning === 'delivered' ? 'delivered' : meaning === 'disabled' ? 'cancelled' : 'pending',
        );
        assert.equal(disabled, meaning === 'disabled' ? 'answered 410 Gone' : undefined);
        const [one] = attemptLog;
        assert.equal(nextAttemptAt, one!.nextAttemptAt);
        if (typeof meaning === 'object')
          assert.equal(Date.parse(one!.nextAttemptAt!) - Date.parse(one!.at), meaning.againAfterS * 1000);
        else assert.equal(one!.nextAttemptAt, undefined);
        if (log instanceof RegExp) {
          assert.match(one!.failure!, log);
          assert.match(lastFailure!, log);
          assert.equal(one!.status, undefined);
        } else {
          assert.deepEqual([one!.status, one!.truncated], [log.status, log.truncated ?? false]);
          assert.ok(one!.answer.length <= 2048);
        }
        assert.ok(one!.latencyMs > 0);
        assert.deepEqual([attemptLog.length, requests(), elsewhere.got.length], [1, 1, 0]);
      },
    );
  }
});
