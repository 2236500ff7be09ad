// One secret replaces another: both sign within the overlap and one after it, over restarts too, and no
// answer tells a secret that was not made in it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, test, type TestContext, vi } from 'vitest';
import { schemeNames, schemes, type SchemeName } from '../../../core/signature/schemes.ts';
import { RequestError } from '../../../servers/http/request.ts';
import { keyRing, replaceSecret, type DatedSecret } from '../../../servers/webhook/secrets.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';

const hour = 3_600_000;

/** An endpoint, and who of the secrets' holders accepts a delivery of now. */
async function setUp(t: TestContext, options: Record<string, unknown> = {}) {
  const scheme = schemes[(options['scheme'] ?? 'standard') as SchemeName];
  const timers = virtualTimers();
  const server = await serveOn(t, timers, options);
  const at = await receiver(t);
  const { id, secret } = (await server.register(at.url)) as { id: string; secret: string };
  return {
    ...server,
    id,
    secret,
    timers,
    at,
    rotate: async (body: object) => {
      const { status, body: answer } = await server.call('POST', `/webhooks/${id}/rotate`, body);
      return {
        status,
        answer: answer as { secret?: string; previousUntil?: string; error?: string; message?: string },
      };
    },
    /** Goes this far in time. */
    wait(ms: number) {
      const past = Promise.withResolvers<void>();
      timers.after(ms, past.resolve);
      for (let left = ms; left > 0;) left -= timers.next();
    },
    async acceptedBy(...secrets: string[]): Promise<boolean[]> {
      const before = at.got.length;
      await server.publish('news');
      await until('it came', () => at.got.length > before);
      const { headers, body } = at.got.at(-1)!;
      return secrets.map(
        (one) =>
          scheme.verify([scheme.key(one)], headers, body, { nowS: Math.floor(timers.nowMs() / 1000) }).ok,
      );
    },
  };
}

describe('a rotation', () => {
  test('lets both secrets verify for as long as it overlaps, and one after it', async (t) => {
    const { secret, rotate, wait, acceptedBy, timers, at } = await setUp(t);
    const { status, answer } = await rotate({ overlapS: 3600 });
    assert.equal(status, 200);
    assert.equal(answer.previousUntil, new Date(timers.nowMs() + hour).toISOString());
    const fresh = answer.secret!;
    assert.deepEqual(await acceptedBy(fresh, secret), [true, true]);
    assert.equal(String(at.got.at(-1)!.headers['webhook-signature']).split(' ').length, 2);
    wait(hour - 1);
    assert.deepEqual(await acceptedBy(fresh, secret), [true, true]);
    wait(1);
    assert.deepEqual(await acceptedBy(fresh, secret), [true, false]);
    assert.equal(String(at.got.at(-1)!.headers['webhook-signature']).split(' ').length, 1);
  });

  test('lasts a day when it says nothing, and no time at all with an overlap of 0', async (t) => {
    const { secret, rotate, acceptedBy, timers } = await setUp(t);
    const day = await rotate({});
    assert.equal(day.answer.previousUntil, new Date(timers.nowMs() + 24 * hour).toISOString());
    const now = await rotate({ overlapS: 0 });
    assert.deepEqual(await acceptedBy(now.answer.secret!, day.answer.secret!, secret), [true, false, false]);
  });

  test('takes a secret that is given and does not repeat it', async (t) => {
    const { rotate, acceptedBy, call } = await setUp(t);
    const given = schemes.standard.newSecret();
    const { answer } = await rotate({ secret: given });
    assert.deepEqual(Object.keys(answer), ['previousUntil']);
    assert.deepEqual(await acceptedBy(given), [true]);
    assert.ok(!JSON.stringify((await call('GET', '/webhooks')).body).includes('whsec_'));
  });

  test('of an ed25519 pair shows the public key alone', async (t) => {
    const { secret, rotate, acceptedBy } = await setUp(t, { scheme: 'standard-ed25519' });
    const { answer } = await rotate({});
    assert.match(answer.secret!, /^whpk_/);
    assert.deepEqual(await acceptedBy(answer.secret!, secret), [true, true]);
  });

  test('where there is room for one signature signs with the newest at once', async (t) => {
    const { secret, rotate, acceptedBy } = await setUp(t, { scheme: 'github' });
    const { answer } = await rotate({});
    assert.deepEqual(await acceptedBy(answer.secret!, secret), [true, false]);
  });

  test('is refused when the secret is none, is the one in use, or there are too many', async (t) => {
    const { rotate, call } = await setUp(t);
    const broken = await rotate({ secret: 'whsec_c2hvcnQ' });
    assert.equal(broken.status, 422);
    assert.match(broken.answer.message!, /this one holds 5/);
    assert.ok(!broken.answer.message!.includes('c2hvcnQ'));
    assert.equal((await rotate({ overlapS: -1 })).status, 422);
    const given = schemes.standard.newSecret();
    assert.equal((await rotate({ secret: given })).status, 200);
    assert.equal((await rotate({ secret: given })).answer.error, 'same-secret');
    for (let i = 0; i < 2; i++) assert.equal((await rotate({})).status, 200);
    const full = await rotate({});
    assert.equal(full.status, 409);
    assert.match(full.answer.message!, /4 secrets of this endpoint are good at the same time.*overlap of 0/);
    assert.equal((await rotate({ overlapS: 0 })).status, 200);
    assert.equal((await call('POST', '/webhooks/ep_nobody/rotate', {})).status, 404);
  });

  test('survives a restart', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'store.db');
    const timers = virtualTimers();
    const at = await receiver(t);
    const first = await serveOn(t, timers, { store: 'sqlite', file });
    const { id, secret } = (await first.register(at.url)) as { id: string; secret: string };
    const fresh = ((await first.call('POST', `/webhooks/${id}/rotate`, {})).body as { secret: string })
      .secret;
    await first.close();
    const second = await serveOn(t, timers, { store: 'sqlite', file });
    await second.publish('news');
    await until('it came', () => at.got.length === 1);
    const { headers, body } = at.got[0]!;
    const { key, verify } = schemes.standard;
    for (const one of [secret, fresh])
      assert.equal(verify([key(one)], headers, body, { nowS: Math.floor(timers.nowMs() / 1000) }).ok, true);
  });
});

test(
  'whatever is replaced when: the newest is always good, an older one ' +
    'until its overlap or a shorter later one ends',
  () => {
    const scheme = schemes.github; // its keys are their text
    const step = fc.record({ afterMs: fc.nat(50), overlapMs: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let secrets: readonly DatedSecret[] = [{ secret: 's0' }];
        let ends: [secret: string, untilMs: number][] = [['s0', Infinity]];
        let nowMs = 1000;
        steps.forEach(({ afterMs, overlapMs }, i) => {
          nowMs += afterMs;
          try {
            secrets = replaceSecret(secrets, `s${i + 1}`, nowMs, overlapMs);
          } catch (error) {
            assert.ok(error instanceof RequestError && error.code === 'too-many-secrets');
            assert.ok(ends.filter(([, untilMs]) => Math.min(untilMs, nowMs + overlapMs) > nowMs).length >= 4);
            return;
          }
          ends = [
            [`s${i + 1}`, Infinity],
            ...ends.map(([secret, untilMs]): [string, number] => [
              secret,
              Math.min(untilMs, nowMs + overlapMs),
            ]),
          ];
        });
        const keysAt = keyRing(secrets, scheme);
        for (const laterMs of [0, 1, 30, 100, 101]) {
          const expected = ends.filter(([, untilMs]) => untilMs > nowMs + laterMs).map(([secret]) => secret);
          assert.deepEqual(
            keysAt(nowMs + laterMs).map((key) => key.export().toString()),
            expected,
          );
        }
      }),
    );
  },
);

for (const scheme of schemeNames) {
  test(
    `${scheme}: nothing but the answer that made it shows a secret: no other answer, no message of the ` +
      'stream, no error, no line of the log',
    async (t) => {
      const said: string[] = [];
      for (const name of ['log', 'error', 'warn', 'info'] as const)
        vi.spyOn(console, name).mockImplementation(
          (...things: unknown[]) => void said.push(things.map(String).join(' ')),
        );
      const { newSecret } = schemes[scheme];
      const server = await serveOn(t, realTimers, { scheme, retries: [] });
      const at = await receiver(t, ({ path }) => (path === '/good' ? 204 : 500));
      const stream = await fetch(`${server.url}/webhooks/stream`);
      void stream
        .body!.pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: (text) => void said.push(text) }))
        .catch(() => {});
      t.onTestFinished(() => server.close());
      const [given, second, never] = [newSecret(), newSecret(), newSecret()];
      const post = async (path: string, body: string) => {
        const response = await fetch(`${server.url}${path}`, { method: 'POST', body });
        const text = await response.text();
        said.push(text, JSON.stringify([...response.headers]));
        return { status: response.status, text };
      };
      const made = (await server.register(`${at.url}/good`)) as { id: string; secret: string };
      const { status, text } = await post(
        '/webhooks',
        JSON.stringify({ url: `${at.url}/bad`, events: ['news'], secret: given }),
      );
      assert.equal(status, 201);
      const { id } = JSON.parse(text) as { id: string };
      assert.equal((await post(`/webhooks/${id}/rotate`, JSON.stringify({ secret: second }))).status, 200);
      for (const [path, body, expected] of [
        ['/webhooks', JSON.stringify({ url: 'nowhere', events: ['news'], secret: never }), 422],
        [
          '/webhooks',
          JSON.stringify({ url: at.url, events: ['news'], secret: `${never}${'x'.repeat(600)}` }),
          422,
        ],
        ['/webhooks', `{"url":"${at.url}","events":["news"],"secret":"${never}`, 400],
        ['/webhooks', `{"secret":"${never}"x`, 400],
        ['/webhooks', `{"secret":${never}}`, 400],
        ['/webhooks', never, 400],
        [`/webhooks/${id}/rotate`, JSON.stringify({ secret: second }), 409],
        [`/webhooks/${id}/rotate`, JSON.stringify({ secret: [never] }), 422],
        [`/webhooks/${id}/recover`, JSON.stringify({ since: never }), 422],
      ] as const)
        assert.equal((await post(path, body)).status, expected, body);
      await server.publish('news');
      await until('both were tried', () => at.got.length === 2);
      const limitMs = performance.now() + 10_000;
      while ((await server.stats()).depth > 0) assert.ok(performance.now() < limitMs);
      await post(`/webhooks/${id}/test`, '');
      await post('/webhooks/deliveries/1/replay', '');
      for (const path of [
        '/webhooks',
        `/webhooks/${made.id}`,
        `/webhooks/${id}`,
        '/webhooks/events',
        '/webhooks/deliveries',
        '/webhooks/deliveries/1',
        '/webhooks/deliveries/2',
        '/webhooks/stats',
        '/dashboard',
        '/openapi.json',
        '/webhooks?cursor=x',
        '/webhooks/none',
      ]) {
        said.push(await (await fetch(`${server.url}${path}`)).text());
      }
      await until('the stream told of it', () => said.some((one) => one.includes('"kind":"attempt"')));
      // Any ten letters in a row of it would be too much.
      const parts = [made.secret, given, second, never].flatMap((secret) => {
        const bare = secret.replace(/^wh(?:sec|sk|pk)_/, '');
        return Array.from({ length: bare.length - 10 }, (_, i) => bare.slice(i, i + 10));
      });
      const all = said.join('\n');
      assert.deepEqual(
        parts.filter((part) => all.includes(part)),
        [],
      );
    },
  );
}
