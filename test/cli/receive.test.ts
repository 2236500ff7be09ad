// Runs `pushbench receive` and `serve webhook --receiver` as a user does: what they print of what other
// people's libraries sign, the lines that they offer, and what they say of wrong flags.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Webhooks } from '@octokit/webhooks';
import Stripe from 'stripe';
import { Webhook } from 'standardwebhooks';
import { test, type TestContext } from 'vitest';
import type { Exchange } from '../../receiver/inspector/exchanges.ts';
import { offered } from '../../receiver/inspector/conduct.ts';
import { skipWhen } from '../skip.ts';
import { until } from '../servers/receivers.ts';
import { call, start, temporaryFolder } from './tools.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const run = promisify(execFile);
const shell = async (line: string) => (await run('sh', ['-c', line.replace(/^curl/, 'curl -sS')])).stdout;
const curlMissing = await run('curl', ['--version']).then(
  () => false as const,
  () => 'curl is not installed',
);

async function started(t: TestContext, args: string[]) {
  const running = start(args, temporaryFolder(t));
  t.onTestFinished(() => void running.child.kill('SIGKILL'));
  let said = '';
  for (const stream of [running.child.stdout!, running.child.stderr!])
    stream.on('data', (text: string) => (said += text));
  await running.saw(/Ctrl-C ends it/);
  return { ...running, said: () => said };
}

const address = (text: string, before: RegExp): string =>
  new RegExp(`${before.source}(http://127\\.0\\.0\\.1:\\d+)`).exec(text)![1]!;

test('receive shows what Stripe, GitHub and Standard Webhooks sign, and does as told', async (t) => {
  const { said, saw, child, ended } = await started(t, ['receive', '--port', '0', '--secret', secret]);
  const url = address(said(), /Receiving webhooks on /);
  const body = '{"id":"evt_1"}';
  const post = async (headers: Record<string, string>, text = body) =>
    (await fetch(`${url}/any/path`, { method: 'POST', headers, body: text })).status;
  const at = new Date();
  const stripe = new Stripe('sk_test_none').webhooks.generateTestHeaderString({ payload: body, secret });
  assert.equal(await post({ 'stripe-signature': stripe, authorization: 'Bearer tok-12345' }), 204);
  await post({ 'x-hub-signature-256': await new Webhooks({ secret }).sign(body), 'x-github-delivery': 'd1' });
  const standard = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  };
  await post(standard);
  await post(standard, body.replace('1', '2'));
  await saw(/#4 .*\n.*\n/);
  const text = said();
  assert.match(text, /#1 {2}[\d:]{8} {2}POST \/any\/path\n {2}verified: Stripe, signed \d s ago\n/);
  assert.match(
    text,
    /#2 .*\n {2}verified: GitHub; this scheme signs no time\n {2}id d1 \(x-github-delivery\)/,
  );
  assert.match(
    text,
    /#4 .*\n {2}NOT VERIFIED: Standard Webhooks: .*1 request has verified before.*\n {2}repeats #3: id msg_1/,
  );
  assert.match(text, /\n {4}"id": "evt_1"\n/);
  assert.ok(!text.includes('tok-12345') && !text.includes(secret));
  const lines = [...text.matchAll(/^curl .*$/gm)].map(([line]) => line);
  assert.equal(lines.length, 3);
  if (curlMissing === false) {
    await shell(lines[0]!);
    assert.deepEqual([await post({}), await post({}), await post({})], [500, 500, 204]);
  }
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('receive --json prints a line for each request, and all else on standard error', async (t) => {
  const { said, child, ended } = await started(t, ['receive', '--port', '0', '--json', '--status', '202']);
  const url = address(said(), /Receiving webhooks on /);
  const { status } = await fetch(url, { method: 'POST', body: 'a\u001b[31m' });
  assert.equal(status, 202);
  await until('it is printed', () => /\n\{.*\}\n/.test(said()) || said().includes('"number":1'));
  child.kill('SIGINT');
  const { stdout, stderr } = await ended;
  const one = JSON.parse(stdout) as Exchange;
  assert.deepEqual([one.number, one.answer, one.signature.kind], [1, '202', 'unsigned']);
  assert.match(stderr, /start it with --secret to check them/);
});

test('serve webhook --receiver registers a receiver; each line that it prints works', async (t) => {
  skipWhen(t, curlMissing);
  const { said, child, ended } = await started(t, [
    'serve',
    'webhook',
    '--port',
    '0',
    '--receiver',
    'news,orders',
    '--set',
    'retries=[100ms, 100ms, 100ms]',
    '--set',
    'timeout=500ms',
  ]);
  const text = said();
  const server = address(text, /Listening on /);
  const page = address(text, /Receiver's page: /);
  assert.match(text, /Receiver: http:\/\/127\.0\.0\.1:\d+\/hook, registered as ep_\S+ for news, orders\n/);
  const lines = [...text.slice(text.indexOf('Receiver: ')).matchAll(/^curl .*$/gm)].map(([line]) => line);
  const [publish, ...knobs] = lines;
  assert.equal(knobs.pop(), `curl ${page}/exchanges`);
  assert.equal(knobs.length, offered.length);
  const state = async () =>
    JSON.parse(await shell(`curl ${page}/exchanges`)) as {
      counts: Record<string, number>;
      exchanges: Exchange[];
    };
  const listed = async () =>
    (
      (await (await fetch(`${server}/webhooks`)).json()) as {
        webhooks: { events: string[]; disabled?: string }[];
      }
    ).webhooks[0]!;
  assert.deepEqual((await listed()).events, ['news', 'orders']);

  /** Until nothing of the events before is on its way. */
  async function calm(): Promise<void> {
    await shell(knob("'{}'"));
    for (let depth = 1; depth > 0;)
      ({ depth } = (await (await fetch(`${server}/webhooks/stats`)).json()) as { depth: number });
  }

  /** Publishes one event under a conduct, and gives what came of it until there is so much. */
  async function under(line: string, came: number): Promise<Exchange[]> {
    await calm();
    await shell(line);
    const before = (await state()).counts['received']!;
    await shell(publish!);
    const limit = performance.now() + 15_000;
    for (;;) {
      const { exchanges } = await state();
      const fresh = exchanges.filter(({ number }) => number > before).toReversed();
      if (fresh.length >= came) return fresh.slice(0, came); // a busy machine may see more
      assert.ok(performance.now() < limit, `${line}: ${fresh.length} of ${came}`);
    }
  }
  const knob = (part: string) => knobs.find((line) => line.includes(part))!;
  const [well] = await under(knob("'{}'"), 1);
  assert.deepEqual([well!.signature.kind, well!.answer, well!.isActedUpon], ['verified', '204', true]);
  const twice = await under(knob('"times":2'), 3);
  assert.deepEqual(
    twice.map(({ answer, repeats }) => [answer, repeats]),
    [
      ['500', undefined],
      ['500', twice[0]!.number],
      ['204', twice[0]!.number],
    ],
  );
  const lost = await under(knob('lose-answer'), 2);
  assert.deepEqual(
    lost.map(({ isActedUpon }) => isActedUpon),
    [true, false],
    'the second is recognised',
  );
  assert.equal((await under(knob('hang'), 2))[1]!.answer, 'no answer: it hangs');
  assert.equal((await under(knob('byMs'), 1)).at(-1)!.answer, '204 after 3000 ms');
  await under(knob('410'), 1);
  while ((await listed()).disabled === undefined); // the test's own limit ends it
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('flags that are wrong are said in a sentence', async (t) => {
  const folder = temporaryFolder(t);
  for (const [args, message] of [
    [['receive', '--port', 'x'], /--port x is not a port/],
    [['receive', '--page-port', '70000'], /--page-port 70000 is not a port/],
    [['receive', '--status', '100'], /--status 100 is not a final status/],
    [['receive', '--tolerance', '5'], /--tolerance 5: give a duration/],
    [['receive', '--scheme', 'svix', '--secret', 'x'], /--scheme svix is not a scheme: there are standard, /],
    [['receive', '--scheme', 'github'], /--scheme says how a secret is read, and there is none/],
    [['receive', '--port', '0', '--secret', 'x', '--scheme', 'standard'], /a webhook secret is "whsec_"/],
    [['receive', '--allow-host', 'https://x'], /is not a host/],
    [['serve', 'sse', '--receiver'], /--receiver goes with serve webhook/],
    [['serve', 'webhook', '--port', '0', '--receiver', 'a b'], /could not be registered: events/],
  ] as const) {
    const { code, stderr } = await call([...args], folder);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
});
