// Runs the programs of the page on receiving webhooks, each framework with each sender: a delivery is acted
// upon once, a repetition is not, and nothing that somebody else has signed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, test, vi, type TestContext } from 'vitest';
import { sign, type SignOptions } from '../../receiver/index.ts';
import { until } from '../servers/receivers.ts';
import { blocksOf } from './blocks.ts';

type Sender = {
  /** Of the environment. */
  variable: string;
  scheme: SignOptions['scheme'];
  secret: string;
  /** Another of the same form. */
  wrong: string;
  topic?: string;
  body: string;
  prints: string;
};

const standardSecret = (letter: string) => `whsec_${Buffer.from(letter.repeat(24)).toString('base64')}`;
const senders: Record<string, Sender> = {
  stripe: {
    variable: 'STRIPE_WEBHOOK_SECRET',
    scheme: 'stripe',
    secret: 'whsec_for_tests',
    wrong: 'whsec_wrong',
    body: JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type: 'checkout.session.completed',
      data: { object: { id: 'cs_1' } },
    }),
    prints: 'paid cs_1',
  },
  github: {
    variable: 'GITHUB_WEBHOOK_SECRET',
    scheme: 'github',
    secret: 'it is a secret',
    wrong: 'it is another',
    topic: 'issues',
    body: JSON.stringify({ action: 'opened' }),
    prints: 'issue opened',
  },
  slack: {
    variable: 'SLACK_SIGNING_SECRET',
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    wrong: '8f742231b10e8888abcd99yyyzzz85a6',
    body: JSON.stringify({ type: 'event_callback', event_id: 'Ev1', event: { type: 'message' } }),
    prints: 'event Ev1',
  },
  svix: {
    variable: 'SVIX_WEBHOOK_SECRET',
    scheme: 'standard',
    secret: standardSecret('a'),
    wrong: standardSecret('b'),
    body: JSON.stringify({ type: 'invoice.paid', data: { id: 'in_1' } }),
    prints: "invoice { id: 'in_1' }",
  },
};

/** A process starts within it on any machine. */
const withinMs = 60_000;
const blocks = blocksOf('docs/how-to/receive-webhooks.md').filter(({ title }) => title !== undefined);
let folder = '';

/** A folder for each sender, in which every framework has its receiver. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const library = pathToFileURL(resolve('receiver/index.ts')).href;
  for (const sender of Object.keys(senders))
    for (const { title, text } of blocks) {
      const file = join(folder, sender, title!);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(
        file,
        text.replace("'@pushbench/receiver'", `'${library}'`).replace("'./github.mjs'", `'./${sender}.mjs'`),
      );
    }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Tells a program's port, whichever it was given. */
const tellPort = `data:text/javascript,${encodeURIComponent(`
import { Server } from 'node:net';
const { listen } = Server.prototype;
Server.prototype.listen = function (...given) {
  this.once('listening', () => console.log('port ' + this.address().port));
  return listen.apply(this, given);
};`)}`;

/** One of the programs, in a process of its own. */
async function serve(t: TestContext, sender: string, program: string) {
  const { variable, secret } = senders[sender]!;
  const child = spawn(process.execPath, ['--import', tellPort, program], {
    cwd: join(folder, sender),
    env: { ...process.env, PORT: '0', [variable]: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.onTestFinished(() => void child.kill());
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const listens = () => /^port \d+$/m.test(printed);
  await until(`${program} listens`, () => listens() || child.exitCode !== null, withinMs);
  assert.ok(listens(), `${program} ended with ${child.exitCode}`);
  const [, port] = /^port (\d+)$/m.exec(printed)!;
  return {
    url: `http://localhost:${port}`,
    /** What it says besides its port, which of several addresses it may say several times. */
    lines: () => printed.split('\n').filter((line) => line !== '' && !line.startsWith('port ')),
  };
}

/** What is sent: a delivery, the same again, and one that somebody else has signed. */
function requestsOf({ scheme, secret, wrong, topic, body }: Sender): RequestInit[] {
  const headers = (by: string) => ({
    'content-type': 'application/json',
    ...sign({ scheme, secret: by, body, ...(topic !== undefined && { topic }) }),
  });
  const right = headers(secret);
  return [right, right, headers(wrong)].map((one) => ({ method: 'POST', headers: one, body }));
}

async function statusesOf(post: (request: RequestInit) => Promise<Response>, sender: Sender) {
  const statuses: number[] = [];
  for (const request of requestsOf(sender)) statuses.push((await post(request)).status);
  return statuses;
}

const expected = [204, 204, 401];

test('the page has a program for each sender', () => {
  for (const sender of Object.keys(senders)) assert.ok(blocks.some(({ title }) => title === `${sender}.mjs`));
});

for (const [name, sender] of Object.entries(senders)) {
  for (const program of ['node.mjs', 'express.mjs', 'fastify.mjs'])
    test(`${name}, ${program}`, async (t) => {
      const { url, lines } = await serve(t, name, program);
      assert.deepEqual(await statusesOf((request) => fetch(`${url}/hook`, request), sender), expected);
      await until('it has printed the event', () => lines().length > 0, withinMs);
      assert.deepEqual(lines(), [sender.prints]);
    });

  test(`${name}, hono.mjs`, async () => {
    process.env[sender.variable] = sender.secret;
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { default: app } = (await import(pathToFileURL(join(folder, name, 'hono.mjs')).href)) as {
      default: { fetch(request: Request): Response | Promise<Response> };
    };
    const post = async (request: RequestInit) => app.fetch(new Request('http://localhost/hook', request));
    assert.deepEqual(await statusesOf(post, sender), expected);
    assert.equal(log.mock.calls.length, 1);
  });
}

test('the route of Next and the Worker, with the requests of the web', async () => {
  const github = senders['github']!;
  process.env[github.variable] = github.secret;
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const load = (file: string) => import(pathToFileURL(join(folder, 'github', file)).href) as Promise<unknown>;
  const { POST } = (await load('app/hook/route.ts')) as { POST(request: Request): Promise<Response> };
  const { default: worker } = (await load('worker.ts')) as {
    default: { fetch(request: Request, env: Record<string, string>): Promise<Response> };
  };
  const requestOf = (request: RequestInit) => new Request('http://localhost/hook', request);
  assert.deepEqual(await statusesOf((request) => POST(requestOf(request)), github), expected);
  const env = { [github.variable]: github.secret };
  assert.deepEqual(await statusesOf((request) => worker.fetch(requestOf(request), env), github), expected);
  assert.deepEqual(log.mock.calls, [
    ['issue', 'opened'],
    ['issue', 'opened'],
  ]);
});

test('the sender of the page sends, and is answered as the page says', async (t) => {
  const { url, lines } = await serve(t, 'github', 'express.mjs');
  const { text } = blocks.find(({ title }) => title === 'send.mjs')!;
  const library = pathToFileURL(resolve('receiver/index.ts')).href;
  const file = join(folder, 'sender.mjs');
  const sends = text.replace("'@pushbench/receiver'", `'${library}'`).replace('http://localhost:3000', url);
  writeFileSync(file, sends);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed = await child.stdout.setEncoding('utf8').toArray();
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(printed.join(''), 'attempt 1: 204\nattempt 2: 204\n');
  await until('it has printed the event', () => lines().length > 0, withinMs);
  assert.deepEqual(lines(), ['issue opened']);
});
