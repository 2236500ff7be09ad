// Answers of a target that come compressed.

import assert from 'node:assert/strict';
import { constants, createGzip, gzipSync } from 'node:zlib';
import { describe, test } from 'vitest';
import { until } from '../context.ts';
import { access, event, httpServer, polls, subscribe } from './fixture.ts';

describe('compressed', () => {
  const options = { ...polls, gzip: true };
  for (const [pattern, type, before] of [
    ['sse', 'text/event-stream', 'data: '],
    ['http-stream', 'text/plain', ''],
  ] as const) {
    test(`${pattern}: asked for, read as it is flushed, and counted as it came`, async (t) => {
      const asked: unknown[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(request.headers['accept-encoding']);
        response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
        const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
        gzip.pipe(response);
        for (const seq of [1, 2])
          gzip.write(`${before}{"pad":"${'x'.repeat(2000)}","wrapped":${event(seq)}}\n\n`);
      });
      const seen = await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), options);
      await until(() => seen.bodies.get(0)?.length === 2);
      assert.deepEqual([asked, seen.problems], [['gzip'], []]);
      assert.ok(seen.counters.bytesIn < 1000);
      assert.equal(seen.counters.compressed, 1);
    });
  }

  for (const pattern of ['polling', 'long-polling']) {
    test(`${pattern}: asked for, read and counted as it came`, async (t) => {
      const asked: unknown[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(request.headers['accept-encoding']);
        if (asked.length > 1) return;
        response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(`{"pad":"${'x'.repeat(2000)}","events":[${event(1)}]}`));
      });
      const seen = await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), options);
      await until(() => asked.length === 2);
      assert.deepEqual([asked, seen.bodies.get(0), seen.problems], [['gzip', 'gzip'], ['{"n":1}'], []]);
      assert.ok(seen.counters.bytesIn < 1000);
      assert.equal(seen.counters.compressed, 1);
    });
  }

  test('a target that answers in plain text although it was asked for gzip is counted as that', async (t) => {
    const url = await httpServer(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: {"wrapped":${event(1)}}\n\n`);
    });
    const seen = await subscribe(t, 'sse', access(url, 'subscribe: { sse: /feed }'), options);
    await until(() => seen.bodies.get(0)?.length === 1);
    assert.deepEqual([seen.counters.events, seen.counters.compressed], [1, 0]);
  });

  test('not asked for when the variant does not say so', async (t) => {
    const asked: unknown[] = [];
    const url = await httpServer(t, (request) => void asked.push(request.headers['accept-encoding']));
    for (const pattern of ['sse', 'http-stream', 'polling', 'long-polling'])
      await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), { ...polls, gzip: false });
    await until(() => asked.length === 4);
    assert.deepEqual(asked, [undefined, undefined, undefined, undefined]);
  });
});
