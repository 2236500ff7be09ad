// Sends crowds of load clients at servers whose lookups are slow: nobody hangs, those beyond the bound are
// told to come back and do, and all of them get in.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import type { AuthSetup } from '../../../core/scenario/server-options.ts';
import { ownConnectorOf } from '../../../load/ramp.ts';
import { loads } from '../../../load/registry.ts';
import { testContext, until } from '../../load/context.ts';
import { serve } from '../http/gate-clients.ts';

// 8 of 40 ms at once are 200 a second: a crowd takes seconds, and most of it comes too early.
const auth: AuthSetup = {
  takes: 0,
  lookup: { kind: 'wait', ms: 40 },
  concurrency: 8,
  queue: 20,
  seed: 1,
};

describe.concurrent.each([
  ['sse', 500],
  ['websocket', 250],
  ['long-polling', 250],
] as const)('%s', (pattern, crowd) => {
  test(`${crowd} at once against 8 lookups of 40 ms: some get 503, and all get in`, async (t) => {
    const server = await serve(t, pattern, {}, { auth });
    const seen = testContext(server.endpoint.url, { ...server.endpoint, reconnect: { base: 50, cap: 500 } });
    const load = await (
      await loads[pattern]()
    ).start(
      seen.context,
      patterns[pattern].options.parse({}) as never, // by this very pattern's schema
    );
    t.onTestFinished(() => load.close(1000));
    for (let i = 0; i < crowd; i++) load.open(i);
    await until(() => new Set(seen.ready).size === crowd, 'all are in');
    const { authChecks, authRefused, refusals } = server.counters();
    assert.ok(refusals > 0, 'some came too early');
    assert.equal(authRefused, 0);
    assert.ok(authChecks >= crowd + refusals);
    const told = seen.problems.filter(({ message }) => !/503/.test(message));
    assert.deepEqual(told, [], 'nothing but 503 went wrong');
  });
});

test('a crowd that comes back over TLS resumes its sessions, where it keeps them', async (t) => {
  for (const resume of [true, false]) {
    const server = await serve(
      t,
      'sse',
      { retry: '20ms' },
      { auth: { ...auth, queue: 1000 }, tls: { resume } },
    );
    const seen = testContext(server.endpoint.url, server.endpoint);
    Object.assign(seen.context, await ownConnectorOf(server.endpoint, seen.counters));
    const load = await (await loads.sse()).start(seen.context, patterns.sse.options.parse({}));
    t.onTestFinished(() => load.close(1000));
    for (let i = 0; i < 50; i++) load.open(i);
    await until(() => server.subscribers() === 50, 'all are in');
    server.disconnect(1);
    await until(() => seen.ready.length === 100, 'all are back');
    const handshakes = [100, resume ? 50 : 0];
    assert.deepEqual([seen.counters.tlsHandshakes, seen.counters.tlsResumed], handshakes);
    const { tlsHandshakes, tlsResumed } = server.counters();
    assert.deepEqual([tlsHandshakes, tlsResumed], handshakes, 'both sides count the same');
    await load.close(1000);
  }
});
