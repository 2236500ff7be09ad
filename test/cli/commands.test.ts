// Runs the command line as a user does: what it prints, what it says of mistakes, its exit codes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { openScenario, shippedScenarios } from '../../api/scenarios.ts';
import { resultSchema } from '../../core/result/result.ts';
import { call, resultFolders, start, startScripted, temporaryFolder, writeScenario } from './tools.ts';

test('--help names every command and every exit code', async (t) => {
  const { code, stdout } = await start(['--help'], temporaryFolder(t)).ended;
  assert.equal(code, 0);
  for (const word of ['run', 'serve', 'validate', 'list', 'report', 'Exit codes'])
    assert.match(stdout, new RegExp(word));
});

test('wrong arguments end with exit code 2 and a hint', async (t) => {
  const folder = temporaryFolder(t);
  const rows: [string[], RegExp][] = [
    [['run', '--sett', 'a=b'], /unknown option '--sett'[\s\S]*--set\?/],
    [['run', 'compair'], /no scenario called "compair"; did you mean "compare"\?/],
    [['run', './nothing.yaml'], /Cannot read the scenario \.\/nothing\.yaml/],
    [['run', 'compare', '--set', 'subscriber=5'], /subscribers/],
    [['serve', 'ses'], /no pattern called "ses"; did you mean "sse"\?/],
    [['serve', 'sse', '--port', 'http'], /--port http is not a port/],
    [
      ['serve', 'sse', '--port', '0', '--host', '203.0.113.1'],
      /--host 203\.0\.113\.1 is not an address of this machine: give 127\.0\.0\.1/,
    ],
    [
      ['serve', 'sse', '--allow-host', 'https://bench.example'],
      /--allow-host https:\/\/bench\.example is not a host: give a name or an address alone, such as bench\.example/,
    ],
    [['open', '.', '--allow-host', '*.example'], /--allow-host \*\.example is not a host/],
    [['serve', 'sse', '--set', 'heartbeat'], /write it as option=value/],
    [
      ['serve', 'sse', '--set', 'hartbeat=5s'],
      /options do not fit sse:\n {2}hartbeat: unknown key; did you mean "heartbeat"\?/,
    ],
    [
      ['serve', 'sse', '--set', 'heartbeat=5', '--set', 'over=h3'],
      /over: expected one of h1, h2, h2c; got "h3"\n {2}heartbeat: expected a duration with its unit.*; got 5/,
    ],
    [['report', 'nothing.json'], /nothing\.json/],
    [['validate'], /missing required argument/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await call(args, folder);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace for a user's mistake");
  }
});

test('what list prints as values is what --set takes', { timeout: 400_000 }, async (t) => {
  const { stdout } = await call(['list'], temporaryFolder(t));
  const blocks = [...stdout.matchAll(/^(\S+): .*\n(?: .*\n)*? {2}--set takes: (.*)$/gm)];
  assert.deepEqual(
    blocks.map(([, name]) => name),
    shippedScenarios(),
  );
  for (const [, name = '', words = ''] of blocks) {
    const all = execFileSync('bash', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    assert.ok(all.includes(`subscribers=${openScenario(name, []).scenario.subscribers}`), name);
    for (const one of all)
      assert.deepEqual(openScenario(name, [one]).scenario, openScenario(name, []).scenario, `${name} ${one}`);
  }
});

test('list and validate say what each scenario asks', async (t) => {
  const folder = temporaryFolder(t);
  const list = await start(['list'], folder).ended;
  assert.equal(list.code, 0);
  assert.match(list.stdout, /compare/);
  assert.match(list.stdout, /github-webhooks/);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, 'question: What?\nsubscribrs: 5\ntopics: { news: { publish: 5 } }\n');
  const { code, stdout, stderr } = await start(['validate', 'compare', wrong], folder).ended;
  assert.equal(code, 2);
  assert.match(stdout, /compare/);
  assert.match(stderr, /wrong\.yaml:2:1[\s\S]*subscribers/);
  assert.match(stderr, /wrong\.yaml:3:/, 'every mistake at once');
});

test('validate says what a schedule comes to, and refuses with run what would test nothing', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'inbox.yaml');
  const scenario = (rate: string) =>
    writeFileSync(
      file,
      'question: What?\nsubscribers: 50\nvariants: [sse]\n' +
        `topics: { inbox: { count: per-subscriber, publish: ${rate} } }\nphases: { measure: 8s }\n`,
    );
  scenario('0.5/s');
  const { stdout: all } = await start(['validate', file], folder).ended;
  assert.match(all, / {2}inbox +50 +0\.5\/s +36\/h +36\/h +4 +4\n {2}note: .*write "0\.5\/s each"\./);
  scenario('0.5/s each');
  const { stdout: each } = await start(['validate', file], folder).ended;
  assert.match(each, / {2}inbox +50 +25\/s +0\.5\/s +0\.5\/s +200 +200\n {2}about/);
  // The burst of an hour lies beside the phase, with this seed.
  scenario('{ bursts: { size: 5000, every: 1h } }');
  for (const command of ['validate', 'run']) {
    const { code, stderr } = await start([command, file], folder).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /no event of topic "inbox" falls into the measured phase of 8s/);
  }
});

test(
  'a run writes result and report, prints the table, and ' + 'both can be had again from the result',
  async (t) => {
    const folder = temporaryFolder(t);
    const end = await startScripted(
      ['run', writeScenario(folder, 'variants: [sse, websocket]\nexpect: [missed == 0]')],
      folder,
    ).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.match(end.stdout, /sse[\s\S]*websocket[\s\S]*Report: results\//);
    const [runFolder] = resultFolders(folder);
    const result = resultSchema.parse(JSON.parse(readFileSync(join(runFolder!, 'result.json'), 'utf8')));
    assert.equal(result.trials.length, 2);
    assert.deepEqual(
      result.expectations.map(({ held }) => held),
      result.trials.map(({ outcome }) => outcome.valid),
    );
    const again = join(folder, 'again.html');
    const report = await call(['report', runFolder!, runFolder!, '--out', again], folder);
    assert.equal(report.code, 0, report.stderr);
    assert.ok(existsSync(again));
    assert.ok(existsSync(join(runFolder!, 'report.html')));
  },
);

test(
  '--json prints the result and nothing else on standard ' + 'output; --quiet prints nothing while it runs',
  async (t) => {
    const folder = temporaryFolder(t);
    const end = await startScripted(
      ['run', writeScenario(folder, 'variants: [sse]'), '--json', '--quiet'],
      folder,
    ).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.equal(resultSchema.parse(JSON.parse(end.stdout)).trials.length, 1);
    assert.equal(end.stderr, '');
  },
);

test('an expectation that fails is shown with the measured value, and the exit code is 1', async (t) => {
  const folder = temporaryFolder(t);
  const end = await startScripted(
    ['run', writeScenario(folder, 'variants: [sse]\nexpect: [latency.p50 < 1us]')],
    folder,
  ).ended;
  assert.equal(end.code, 1, end.stdout + end.stderr);
  assert.match(end.stdout, /latency\.p50 < 1us/);
});

test('more subscribers than descriptors are refused, with the shortfall and the way out', async (t) => {
  const folder = temporaryFolder(t);
  const scenario = writeScenario(folder, 'variants: [sse]');
  const limited: [string, ...string[]] = [
    'sh',
    '-c',
    'ulimit -n 256; exec "$@"',
    'sh',
    process.execPath,
    join(process.cwd(), 'cli/main.ts'),
  ];
  const { code, stderr } = await start(['run', scenario, '--set', 'subscribers=1000'], folder, limited).ended;
  const asked = await start(['validate', scenario, '--set', 'subscribers=1000'], folder, limited).ended;
  assert.equal(code, 3);
  assert.equal(asked.code, 0, 'the file is right');
  assert.match(asked.stdout, /\n {2}this machine cannot run it: the server process needs 1,064 file/);
  assert.match(
    stderr,
    /needs 1,064 file descriptors .* limit is 256: short of 808\. (Raise it with "ulimit -n 1064"|This system lets no process have so many)/,
  );
});
