// The inspector over real sockets: what it keeps of a request, what it hides, how its knobs make it answer,
// and that its page is not reached by way of the receiver.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, test, type TestContext } from 'vitest';
import type { Exchange } from '../../../receiver/inspector/exchanges.ts';
import { conductSchema, wellBehaved } from '../../../receiver/inspector/conduct.ts';
import { startInspector, type InspectorOptions } from '../../../receiver/inspector/inspector.ts';
import { exchangeLines } from '../../../receiver/inspector/text.ts';
import { talk } from '../../servers/http/raw-http.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

async function start(t: TestContext, options: Partial<InspectorOptions> = {}) {
  const heard: Exchange[] = [];
  const turnedAway: [string, string | undefined][] = [];
  const inspector = await startInspector({
    host: '127.0.0.1',
    port: 0,
    pagePort: 0,
    allowHosts: [],
    secrets: [secret],
    conduct: wellBehaved,
    isStrict: false,
    heard: (exchange) => heard.push(exchange),
    turnedAway: (...why) => turnedAway.push(why),
    ...options,
  });
  t.onTestFinished(() => inspector.close());
  const { url, pageUrl } = inspector;
  return {
    url,
    pageUrl,
    heard,
    turnedAway,
    deliver: (id: string, body = '{"n":1}', more: Record<string, string> = {}) =>
      fetch(`${url}/hook?x=1`, { method: 'POST', headers: { ...signed(id, body), ...more }, body }),
    set: (conduct: object) =>
      fetch(`${pageUrl}conduct`, { method: 'PUT', body: JSON.stringify(conduct) }).then(
        ({ status }) => status,
      ),
    state: async (after = 0) =>
      (await (await fetch(`${pageUrl}exchanges?after=${after}`)).json()) as {
        counts: Record<string, number>;
        exchanges: Exchange[];
        conduct: object;
      },
  };
}

function signed(id: string, body: string): Record<string, string> {
  const at = new Date();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

test('keeps what came, as it came, and says what it is worth', async (t) => {
  const { deliver, state, heard } = await start(t);
  const body = '{"a":1.0,"big":12345678901234567890,"b":[],"c":[{"d":"x: {"}]}';
  assert.equal((await deliver('msg_1', body)).status, 204);
  const { exchanges, counts } = await state();
  const [one] = exchanges;
  assert.deepEqual(heard, exchanges);
  assert.deepEqual([one!.number, one!.method, one!.path, one!.answer], [1, 'POST', '/hook?x=1', '204']);
  assert.deepEqual(one!.body, {
    sizeBytes: Buffer.byteLength(body),
    sha256: createHash('sha256').update(body).digest('hex'),
    kind: 'json',
    text:
      '{\n  "a": 1.0,\n  "big": 12345678901234567890,\n  "b": [],\n  "c": [\n    {\n      "d": "x: {"\n' +
      '    }\n  ]\n}',
    isCut: false,
  });
  assert.equal(one!.signature.kind, 'verified');
  assert.deepEqual([one!.id, one!.idFrom], ['msg_1', 'webhook-id']);
  assert.ok(one!.headers.some(([name, value]) => name === 'webhook-id' && value === 'msg_1'));
  assert.equal(counts['verified'], 1);
  assert.match(
    exchangeLines(one!),
    /^#1 {2}\d\d:\d\d:\d\d {2}POST \/hook\?x=1\n {2}verified: Standard Webhooks/,
  );
});

test('a delivery that comes again is one, acted upon once', async (t) => {
  const { deliver, state, set } = await start(t);
  await set({ does: 'lose-answer', times: 1 });
  await assert.rejects(deliver('msg_1'), /fetch failed/);
  assert.equal((await deliver('msg_1')).status, 204);
  assert.equal((await deliver('msg_2')).status, 204);
  const { exchanges, counts } = await state();
  assert.deepEqual(
    exchanges.toReversed().map(({ repeats, isActedUpon }) => [repeats, isActedUpon]),
    [
      [undefined, true],
      [1, false],
      [undefined, true],
    ],
  );
  assert.deepEqual([counts['received'], counts['actedUpon'], counts['repeated']], [3, 2, 1]);
});

describe('answers as it is told to', () => {
  test('with a status, for some requests, late, by cutting the connection', async (t) => {
    const { deliver, set, state } = await start(t);
    assert.equal(await set({ status: 500, times: 2 }), 200);
    const failed = await deliver('msg_1');
    assert.deepEqual([failed.status, ((await failed.json()) as { error: string }).error], [500, 'as-told']);
    assert.equal((await deliver('msg_1')).status, 500);
    assert.equal((await deliver('msg_1')).status, 204);
    assert.deepEqual((await state()).conduct, wellBehaved);
    await set({ status: 410 });
    assert.equal((await deliver('msg_2')).status, 410);
    await set({ byMs: 200 });
    const before = performance.now();
    assert.equal((await deliver('msg_3')).status, 204);
    assert.ok(performance.now() - before > 150, 'it waits');
    await set({ does: 'reset' });
    await assert.rejects(deliver('msg_4'), /fetch failed/);
    const { exchanges } = await state();
    assert.deepEqual(
      exchanges.toReversed().map(({ isActedUpon }) => isActedUpon),
      [false, false, true, false, true, false],
    );
  });

  test('never', async (t) => {
    const { url, set, state } = await start(t);
    await set({ does: 'hang' });
    const hanging = fetch(url, { method: 'POST', signal: AbortSignal.timeout(300) });
    await assert.rejects(hanging, { name: 'TimeoutError' });
    assert.equal((await state()).exchanges[0]!.answer, 'no answer: it hangs');
  });

  test('and says what is no conduct', async (t) => {
    const { pageUrl, set } = await start(t);
    for (const wrong of [{ status: 100 }, { status: 500, tiems: 2 }, { does: 'sleep' }, [], { byMs: -1 }])
      assert.equal(await set(wrong), 422, JSON.stringify(wrong));
    const response = await fetch(`${pageUrl}conduct`, { method: 'PUT', body: '{' });
    assert.equal(response.status, 400);
    assert.deepEqual(await (await fetch(`${pageUrl}conduct`)).json(), wellBehaved);
  });
});

test('a strict one answers 401 to what is not verified, and remembers no id of it', async (t) => {
  const { url, deliver, state } = await start(t, { isStrict: true });
  const forged = await fetch(url, { method: 'POST', headers: signed('msg_1', '{}'), body: '{"n":2}' });
  assert.equal(forged.status, 401);
  assert.equal(((await forged.json()) as { error: string }).error, 'no-match');
  assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 401);
  assert.equal((await deliver('msg_1')).status, 204);
  assert.deepEqual(
    (await state()).exchanges.map(({ repeats }) => repeats),
    [undefined, undefined, undefined],
  );
});

test('bytes are shown as bytes, long bodies cut, too long ones not read', async (t) => {
  const { url, heard } = await start(t);
  const post = (body: Buffer | string) => fetch(url, { method: 'POST', body });
  await post(Buffer.from([0, 1, 0x41, 0xff]));
  await post('x'.repeat(20_000));
  assert.equal((await post('x'.repeat(1024 * 1024 + 1))).status, 413);
  await post('a\u001b[31mred');
  assert.deepEqual(
    heard.map(({ body: { kind, isCut, sizeBytes } }) => [kind, isCut, sizeBytes]),
    [
      ['binary', false, 4],
      ['text', true, 20_000],
      ['empty', false, 0],
      ['binary', false, 9],
    ],
  );
  assert.equal(heard[0]!.body.text, '00000000  00 01 41 ff                                      |..A.|');
  assert.equal(heard[1]!.body.text.length, 16 * 1024);
  assert.match(heard[2]!.signature.message, /more than 1,048,576 bytes/);
});

test('credentials and the secret itself are in nothing that is kept, shown or printed', async (t) => {
  const { url, heard, state } = await start(t);
  await fetch(`${url}/hook?access_token=tok-12345&n=1&to=${encodeURIComponent(secret)}`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer tok-12345',
      cookie: 'session=tok-12345',
      'x-api-key': 'tok-12345',
      'x-gitlab-token': 'tok-12345',
      'x-note': `it is ${secret}`,
      'idempotency-key': 'order-7',
    },
    body: JSON.stringify({ echo: secret, coded: Buffer.from(secret).toString('base64') }),
  });
  const kept = JSON.stringify((await state()).exchanges) + exchangeLines(heard[0]!);
  for (const hidden of [
    'tok-12345',
    secret,
    secret.slice(6),
    Buffer.from(secret).toString('base64').slice(4, 30),
  ])
    assert.ok(!kept.includes(hidden), kept);
  assert.match(kept, /\?access_token=\(hidden\)&n=1&to=\$\{SECRET\}/);
  assert.match(kept, /authorization: Bearer \(hidden\)/);
  assert.equal(heard[0]!.id, 'order-7');
});

describe('who may ask', () => {
  test('a tunnel needs its name added, and is told so; web pages are not let in', async (t) => {
    const { url, turnedAway, state } = await start(t, { allowHosts: ['hooks.example'] });
    const post = (host: string, more = '') =>
      talk(
        url,
        `POST /hook HTTP/1.1\r\nHost: ${host}\r\n${more}Content-Length: 2\r\nConnection: close\r\n\r\n{}`,
      );
    assert.match(await post('hooks.example'), /^HTTP\/1\.1 204 /);
    assert.match(await post('other.example'), /^HTTP\/1\.1 421 /);
    assert.match(await post('hooks.example', 'Origin: https://evil.example\r\n'), /^HTTP\/1\.1 403 /);
    assert.match(turnedAway[0]![0], /start it with --allow-host other\.example$/);
    assert.deepEqual(
      turnedAway.map(([, host]) => host),
      ['other.example', undefined],
    );
    const { counts } = await state();
    assert.deepEqual([counts['received'], counts['turnedAway']], [1, 2]);
  });

  test('what came is read on the other port alone, under a name of loopback', async (t) => {
    const { url, pageUrl, deliver, heard } = await start(t, { allowHosts: ['hooks.example'] });
    await deliver('msg_1');
    for (const path of ['/', '/exchanges', '/conduct', '/inspector.js']) {
      const response = await fetch(url + path);
      assert.deepEqual([response.status, await response.text()], [204, ''], path);
    }
    assert.equal(heard.length, 5, 'they are requests like any other');
    const ask = (host: string) =>
      talk(pageUrl, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await ask('hooks.example'), /^HTTP\/1\.1 421 /);
    assert.match(
      await ask('localhost'),
      /^HTTP\/1\.1 200 [\s\S]*content-security-policy: default-src 'none'/i,
    );
    const foreign = await fetch(`${pageUrl}conduct`, {
      method: 'PUT',
      headers: { origin: 'https://evil.example' },
      body: '{}',
    });
    assert.equal(foreign.status, 403);
    assert.equal((await fetch(`${pageUrl}nothing`)).status, 404);
  });
});

test('only the newest requests are kept, and the list can be cleared', async (t) => {
  const { url, pageUrl, state } = await start(t);
  for (let i = 0; i < 205; i++) await fetch(url, { method: 'POST', body: '1' });
  const { exchanges, counts } = await state();
  assert.deepEqual([exchanges.length, exchanges[0]!.number, exchanges.at(-1)!.number], [200, 205, 6]);
  assert.equal(counts['received'], 205);
  assert.equal((await state(203)).exchanges.length, 2);
  await fetch(`${pageUrl}exchanges`, { method: 'DELETE' });
  assert.deepEqual((await state()).exchanges, []);
});

test('a conduct has the defaults of a receiver that does well', () =>
  assert.deepEqual(conductSchema.parse({}), { does: 'answer', status: 204, byMs: 0 }));
