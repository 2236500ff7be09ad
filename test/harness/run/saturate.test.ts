// Saturates real endpoints in closed loop for a second: both answer, and the two processes' CPU is told
// apart.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Pattern } from '../../../core/pattern/pattern.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { saturate } from '../../../harness/run/saturate.ts';

test('polls and publishes are answered without an error', async () => {
  const reads = Object.values<Pattern>(patterns).flatMap(({ answersAtOnce, path }) =>
    answersAtOnce ? [`GET ${path}`] : [],
  );
  assert.ok(reads.includes('GET /poll'));
  const endpoints = await saturate({ connections: 5, for: 1000 }, processes, new AbortController().signal);
  assert.deepEqual(
    endpoints.map(({ endpoint }) => endpoint.split(',')[0]),
    [...reads, 'POST /topics/news'],
  );
  for (const { requestsPerS, serverCpuShare, clientCpuShare, errors } of endpoints) {
    assert.ok(requestsPerS > 50, `${requestsPerS} requests a second`);
    assert.equal(errors, 0);
    assert.ok(serverCpuShare > 0 && clientCpuShare > 0);
  }
});

test('it ends when it is told to', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await assert.rejects(saturate({ connections: 5, for: 1000 }, processes, stop.signal), /enough/);
});
