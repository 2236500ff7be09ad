// A target that sends more than the load clients read: the trial does not count, it is said why, and nothing
// of it is counted against the pattern. All that is sent is small: it inflates, or it says that it is long.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { test, type TestContext } from 'vitest';
import { largestAnswerBytes, largestMessageBytes } from '../../../core/event/body-size.ts';
import { metrics } from '../../../core/metrics/registry.ts';
import { exitCodes } from '../../../core/base/errors.ts';
import { exitCodeOf } from '../../../cli/run.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { listen } from '../../load/context.ts';
import { runAgainst, writeTarget } from './foreign.ts';

type Subscribe = (request: IncomingMessage, response: ServerResponse, published: boolean) => void;

/** A system that says something too large to anyone who asks it after the first event. */
async function system(t: TestContext, subscribe: Subscribe, sockets = new Set<Duplex>()): Promise<string> {
  let published = false;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'GET') return subscribe(request, response, published);
      published = true;
      for (const socket of sockets) socket.write(longFrame);
      response.end();
    });
  });
  server.on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${hash('sha1', key, 'base64')}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  return listen(t, server);
}

/** The head of a text frame (RFC 6455, section 5.2) that is a byte longer than a message may be. */
const longFrame = Buffer.alloc(10);
longFrame[0] = 0x81;
longFrame[1] = 127;
longFrame.writeBigUInt64BE(BigInt(largestMessageBytes + 1), 2);

const rows: [pattern: string, subscribe: Subscribe, code: string, message: string][] = [
  [
    'websocket',
    () => assert.fail('it asks for a socket'),
    'too-long',
    `a frame is longer than ${largestMessageBytes} bytes`,
  ],
  [
    'sse: { gzip: true }',
    (_request, response, published) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      // Who came before the first event is sent away, and comes back.
      if (published) return void response.end(longLine);
      response.write(opening);
      setTimeout(() => response.destroy(), 500).unref();
    },
    'too-long',
    `an SSE line is longer than ${largestMessageBytes} bytes`,
  ],
  [
    'polling: { every: 200ms, gzip: true }',
    (_request, response, published) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(published ? longAnswer : gzipSync('[]'));
    },
    'http-body-too-large',
    `an answer's body is larger than ${largestAnswerBytes} bytes when it is inflated`,
  ],
];
const opening = gzipSync(': open\n\n');
const longLine = gzipSync(Buffer.alloc(largestMessageBytes + 1, 'x'));
const longAnswer = gzipSync(Buffer.alloc(largestAnswerBytes + 1, ' '));

for (const [pattern, subscribe, code, message] of rows) {
  test(`${pattern.split(':')[0]}: what is too large for the load side makes the trial invalid`, async (t) => {
    const url = await system(t, subscribe);
    const name = pattern.split(':')[0]!;
    const file = writeTarget(t, `name: feed\nurl: ${url}\npublish: /p/{topic}\nsubscribe:\n  ${name}: /s\n`);
    const { result, trial } = await runAgainst(file, {
      overrides: ['subscribers=1', 'phases.drain=4s'],
      yaml: `variants: [${pattern.includes(':') ? `{ ${pattern} }` : pattern}]\nexpect: [missed == 0]`,
    });
    const { outcome, warnings } = trial;
    assert.ok(outcome.status === 'completed', JSON.stringify(outcome));
    const problem = outcome.problems.find((one) => one.code === code);
    assert.equal(problem?.message, message);
    assert.equal(outcome.valid, false);
    const refused = warnings.filter((one) => one.code === 'load-refused');
    assert.deepEqual(
      refused.map(({ level }) => level),
      ['invalid'],
    );
    assert.ok(
      refused[0]!.message.startsWith('the load generator refused what it was sent ') &&
        refused[0]!.message.includes(` for its size: ${message}. What was missed`),
      refused[0]!.message,
    );
    // Nobody is blamed for what the load side did not read.
    assert.ok(metrics['missed']!.read(outcome)! > 0);
    const codes = warnings.map((one) => one.code);
    assert.ok(!codes.includes('missed') && !codes.includes('target-silent'), codes.join());
    assert.deepEqual([result.expectations[0]!.held, exitCodeOf(result)], [false, exitCodes.invalid]);
    const text = renderTable([result], { columns: 1000, color: false });
    assert.match(
      text,
      /^Events too large for the load generator \(voids everything but descriptors and memory\): .*the load generator refused what it was sent [\d,]+ times? for its size/m,
    );
  });
}
