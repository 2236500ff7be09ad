// Recognises patterns from answers: of our servers as they answer today, of others by type and status.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { askOnce } from '../../../load/follow/ask-once.ts';
import { acceptAny, recognise } from '../../../load/follow/recognise.ts';
import { serve } from '../../servers/http/gate-clients.ts';
import { httpServer } from '../target/fixture.ts';

async function found(address: string, withinMs = 10_000) {
  const url = new URL(address);
  const answer = await askOnce(url, { accept: acceptAny }, undefined, withinMs);
  return 'head' in answer ? recognise(url, answer) : { kind: answer.code };
}

test('our servers, at their address and at that of their pattern', async (t) => {
  for (const pattern of ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'] as const) {
    const { url } = (await serve(t, pattern)).endpoint;
    const ours = { kind: 'ours', pattern, base: new URL(url) };
    assert.deepEqual(await found(url), { ...ours, topics: [] });
    assert.deepEqual(
      await found(`${url}${patterns[pattern].path}?topics=a,b`),
      { ...ours, topics: ['a', 'b'] },
      pattern,
    );
  }
});

test('others by what their answer says it is', async (t) => {
  const rows: [status: number, headers: Record<string, string>, body: string, expected: object][] = [
    [200, { 'content-type': 'text/event-stream; charset=utf-8' }, ': hi\n\n', { pattern: 'sse' }],
    [200, { 'content-type': 'application/x-ndjson' }, '{"stream":"open"}\n', { pattern: 'http-stream' }],
    [200, { 'content-type': 'text/plain' }, 'a line\n', { pattern: 'http-stream' }],
    [200, { 'content-type': 'application/json' }, '[1]', { pattern: 'polling' }],
    [200, { 'content-type': 'application/json' }, '{"pattern":"sse"}', { pattern: 'polling' }],
    [426, {}, 'Upgrade Required', { pattern: 'websocket' }],
    [200, { 'content-type': 'text/html' }, '<p>', { kind: 'unknown', type: 'text/html' }],
    [404, {}, '{"error":"x","message":"not here"}', { kind: 'refused', status: 404, message: 'not here' }],
    [
      302,
      { location: 'http://elsewhere.example/' },
      '',
      { kind: 'refused', status: 302, message: '', location: 'http://elsewhere.example/' },
    ],
  ];
  for (const [status, headers, body, expected] of rows) {
    const url = await httpServer(t, (_request, response) => response.writeHead(status, headers).end(body));
    assert.deepEqual(await found(url), { ...('kind' in expected ? {} : { kind: 'foreign' }), ...expected });
  }
});

test('an answer that has no end or never comes is left', async (t) => {
  const flood = await httpServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write(`data: ${'x'.repeat(100_000)}\n\n`), 1);
    response.once('close', () => clearInterval(timer));
  });
  assert.deepEqual(await found(flood), { kind: 'foreign', pattern: 'sse' });
  const silent = await httpServer(t, () => {});
  assert.deepEqual(await found(silent, 50), { kind: 'silent' });
  assert.deepEqual(await found('http://127.0.0.1:1/'), { kind: 'ECONNREFUSED' });
});
