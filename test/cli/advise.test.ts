// `pushbench advise` as a user meets it: the answer from flags, from questions, with figures of results at
// hand, and a command that can be run.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { z } from 'zod';
import { answersOf, type Prompts } from '../../cli/advise-dialogue.ts';
import { needsOf } from '../../cli/advise-flags.ts';
import { measuring } from '../../core/advice/command.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { call, temporaryFolder } from './tools.ts';

const row = z.object({
  label: z.string(),
  figures: z.array(z.object({ metric: z.string(), value: z.number().optional() })),
});

test('3,000 viewers, an update every 2 s for each: which pattern?', async (t) => {
  const folder = temporaryFolder(t);
  const { code, stdout, stderr } = await call(['advise', '--clients', '3000', '--every', '2s'], folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^SSE\.\nFor 3,000 browsers, one way, an update every 2s for each \(1,500 deliveries/);
  assert.match(stdout, /\n {2}\+ made for updates .* \(article, "Use SSE when"\)\n/);
  assert.match(stdout, /\n {2}- over HTTP\/1\.1 six .*\(measured: six-connections\)/);
  assert.match(stdout, /\nOut:\n {2}Webhook: the client must have a public URL/);
  assert.match(stdout, /Polling every 2s: 1,500 requests a second, and an update 1 s late in the median/);
  assert.match(stdout, /\nMeasured: there are no results yet/);
  assert.match(stdout, /\nSimulated from the profile ".*", one server with 3,000 clients \(±/);
  assert.match(stdout, /\n {2}sse: p50 .* ±.*, p99 .* ±.*, .* % ±.* of a core; calibrated range: /);
  assert.match(stdout, /\n {2}Not in these figures:\n {2}.*[Gg]arbage collection/);
  assert.match(
    stdout,
    /\nMeasure it:\n {2}.* run updates --set subscribers=3000 --set 'topics\.own\.publish=0\.5\/s each' /,
  );
});

test('figures are those of the nearest result at hand, and void ones are void', async (t) => {
  const folder = temporaryFolder(t);
  const sizes = [100, 2000];
  for (const subscribers of sizes) {
    const result = fixtureResult({ trouble: true });
    const scenario = { ...result.scenario, subscribers, deliveries: subscribers * 200 };
    mkdirSync(join(folder, `results/${subscribers}`), { recursive: true });
    writeFileSync(
      join(folder, `results/${subscribers}/result.json`),
      JSON.stringify({ ...result, scenario }),
    );
  }
  const near = async (...args: string[]) =>
    (await call(['advise', '--clients', '3000', '--every', '2s', ...args], folder)).stdout;
  const text = await near();
  assert.match(
    text,
    /Measured, in the nearest result at hand, results\/2000 \(compare\): 1\/1\.5 of your clients/,
  );
  assert.match(text, /\nlong-polling: Nothing can be said of its delay: long-polling \(load limited\)/);
  assert.match(text, /\nhttp-stream: Failed: the server process ended/);
  assert.match(await near('results/100'), /results\/100 \(compare\): 1\/30 of your clients/);
  const { nearest, pattern, command } = z
    .object({
      pattern: z.string(),
      command: z.string(),
      nearest: z.object({ load: z.object({ rows: z.array(row) }) }),
    })
    .parse(JSON.parse(await near('--json')));
  assert.equal(pattern, 'sse');
  assert.match(command, /run updates --set subscribers=3000/);
  const late = nearest.load.rows
    .find(({ label }) => label === 'long-polling')!
    .figures.find(({ metric }) => metric === 'latency.p50')!;
  assert.equal(late.value, undefined);
});

test('a result that was simulated says so, and one that was measured goes before it', async (t) => {
  const folder = temporaryFolder(t);
  const keep = (name: string, subscribers: number, isSimulated: boolean) => {
    const result = fixtureResult({});
    const scenario = { ...result.scenario, subscribers, deliveries: subscribers * 200 };
    const profile = { name: 'a machine', createdAt: '2026-01-01T00:00:00Z', pushbench: '0.1.0' };
    const simulated = isSimulated ? { simulated: { profile, model: 1, leftOut: [] } } : {};
    mkdirSync(join(folder, `results/${name}`), { recursive: true });
    writeFileSync(
      join(folder, `results/${name}/result.json`),
      JSON.stringify({ ...result, scenario, ...simulated }),
    );
  };
  const text = async () => (await call(['advise', '--clients', '3000', '--every', '2s'], folder)).stdout;
  keep('near', 3000, true);
  assert.match(
    await text(),
    /\nThere is no measured result\. Simulated from the profile "a machine",[^:]*results\/near/,
  );
  keep('far', 100, false);
  assert.match(await text(), /\nMeasured, in the nearest result at hand, results\/far/);
});

test('a profile that is named is simulated from, also where something was measured', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'results/one'), { recursive: true });
  writeFileSync(join(folder, 'results/one/result.json'), JSON.stringify(fixtureResult({})));
  const ask = (...more: string[]) =>
    call(['advise', '--clients', '3000', '--every', '2s', '--profile', 'epyc-2-cores', ...more], folder);
  const { code, stdout, stderr } = await ask();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\nMeasured, in the nearest result at hand, results\/one/);
  assert.match(stdout, /\nSimulated from the profile "AMD EPYC, 2 cores", one server with 3,000 clients/);
  assert.match((await ask('--both-ways')).stdout, /\nNothing is simulated: no model has clients that send\./);
  const many = await ask('--clients', '1000000', '--shared');
  assert.match(many.stdout, /\nNothing is simulated: a single server gets at most 250,000 clients\./);
  const missing = await call(
    ['advise', '--clients', '3000', '--every', '2s', '--profile', './none.json'],
    folder,
  );
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /Cannot read the profile \.\/none\.json/);
});

describe('mistakes are told all at once, each with what to write', () => {
  const rows: [string[], RegExp][] = [
    [[], /say it with flags, --clients and --every at least.*On a terminal it asks/],
    [['--clients', '10'], /^--every is missing: .*--rate 0\.5\/s/m],
    [['--clients', 'many', '--every', '2'], /^--clients many: write a number .*\n--every 2: write a time/m],
    [['--clients', '1', '--every', '1s', '--rate', '1/s'], /say the same thing twice/],
    [
      ['--clients', '1', '--every', '1s', '--to', 'browsers'],
      /did you mean "browser"\? Write one of browser, app/,
    ],
    [['--clients', '1', '--every', '1s', '--within', 'soon'], /--within soon: .*--within 500ms/],
    [['--clients', '1', '--every', '1s', '--within', '1095d'], /--within 1095d: .* at most 30d/],
    [['--clients', '1', '--every', '1s', '--reachable'], /a browser has no address/],
    [['--clients', '1', '--every', '1s', '--payload', 'big'], /--payload big: write a size/],
    [['--clients', '1', '--every', '90d'], /--every 90d: from .* to 30d/],
    [['nowhere', '--clients', '1', '--every', '1s'], /Cannot read a result at nowhere/],
  ];
  for (const [args, message] of rows)
    test(args.join(' ') || 'nothing', async (t) => {
      const { code, stdout, stderr } = await call(['advise', ...args], temporaryFolder(t));
      assert.equal(code, 2, stdout);
      assert.match(stderr, message);
    });
});

describe('the command can be run as it is', () => {
  const rows: string[][] = [
    ['--clients', '3000', '--every', '2s'],
    ['--clients', '2,000,000', '--every', '1m', '--within', '10s'],
    ['--clients', '20', '--rate', '1500/s', '--payload', '112B'],
    ['--clients', '500', '--every', '700ms', '--shared'],
    ['--clients', '205', '--every', '700ms', '--both-ways'],
    ['--clients', '1', '--every', '30d'],
  ];
  for (const row of rows)
    test(row.join(' '), async (t) => {
      const flag = (name: string) => (row.includes(name) ? row[row.indexOf(name) + 1]! : undefined);
      const [clients, every, rate, within] = ['--clients', '--every', '--rate', '--within'].map(flag);
      const { needs } = needsOf({
        ...(clients !== undefined && { clients }),
        ...(every !== undefined && { every }),
        ...(rate !== undefined && { rate }),
        ...(within !== undefined && { within }),
        shared: row.includes('--shared'),
        bothWays: row.includes('--both-ways'),
      });
      const { args, notes } = measuring(needs, flag('--payload'));
      const [, name, ...sets] = args;
      const { code, stdout, stderr } = await call(['validate', name!, ...sets], temporaryFolder(t));
      assert.equal(code, 0, stdout + stderr);
      const subscribers = Number(/^subscribers=(\d+)$/.exec(sets[1] ?? '')?.[1] ?? 0);
      assert.equal(name, needs.bothWays ? 'chat' : needs.everyMs > 86_400_000 ? 'rarely' : 'updates');
      assert.equal(notes.length > 0, name !== 'updates' || subscribers < needs.clients);
    });
});

test('on a terminal it asks, checks what is typed, and takes the answers as flags', async () => {
  const asked: string[] = [];
  const typed = ['3,000', '2s', ''];
  const prompts: Prompts = {
    select: async ({ message, choices }) => {
      asked.push(message);
      return message.startsWith('Who needs') ? 'server' : choices[0]!.value;
    },
    input: async ({ message, validate }) => {
      asked.push(message);
      assert.notEqual(validate('x'), true, message);
      const text = typed.shift()!;
      assert.equal(validate(text), true, message);
      return text;
    },
  };
  const { needs } = needsOf(await answersOf({}, prompts));
  assert.equal(asked.length, 9);
  assert.deepEqual(
    [needs.to, needs.reachable, needs.clients, needs.everyMs, needs.withinMs, needs.missed],
    ['server', true, 3000, 2000, undefined, 'catch-up'],
  );
});
