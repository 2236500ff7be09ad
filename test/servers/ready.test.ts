// Asks servers of each pattern whether they take subscribers, as a load balancer does.

import assert from 'node:assert/strict';
import { request } from 'undici';
import { test } from 'vitest';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { serve } from './streams.ts';

const cases = (Object.keys(patterns) as PatternName[]).map((pattern) => [pattern, {}] as const);

test.for<readonly [PatternName, Record<string, unknown>]>([...cases, ['sse', { over: 'h2' }]])(
  '%s %j: 200 while it takes subscribers, 503 with the reason while it does not; nothing of it is counted',
  async ([pattern, options], t) => {
    const server = await serve(t, pattern, options);
    const before = server.counters();
    const ask = async (method: 'GET' | 'HEAD' = 'GET') => {
      const { statusCode, body } = await request(`${server.endpoint.publishUrl}/readyz`, {
        method,
        reset: true,
      });
      const text = await body.text();
      return [statusCode, text === '' ? '' : (JSON.parse(text) as { error?: string }).error];
    };
    assert.deepEqual(await ask(), [200, undefined]);
    assert.deepEqual(await ask('HEAD'), [200, '']);
    server.refuse('dependency-down');
    assert.deepEqual(await ask(), [503, 'dependency-down']);
    server.refuse('off');
    assert.deepEqual(await ask(), [200, undefined]);
    await server.drain({ windowMs: 0, limitMs: 1000 });
    assert.deepEqual(await ask(), [503, 'draining']);
    assert.deepEqual(await ask('HEAD'), [503, '']);
    assert.deepEqual(server.counters(), before);
    server.refuse('accept-then-close');
    await assert.rejects(ask());
  },
);
