// `pushbench simulate` as a user meets it: what it says, writes and ends with.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { resultSchema } from '../../core/result/result.ts';
import { testProfile } from '../simulation/profile.ts';
import { call, resultFolders, start, temporaryFolder, writeScenario } from './tools.ts';

function folderWithProfile(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'profile.json'), JSON.stringify(testProfile));
  return folder;
}

const simulate = (folder: string, ...args: string[]) =>
  call(['simulate', './small.yaml', '--profile', 'profile.json', ...args], folder);

const resultFile = (folder: string) => join(resultFolders(folder)[0]!, 'result.json'); // one was written

test('result and report are written as those of a run, and marked as simulated', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(
    folder,
    'variants: [websocket, sse, webhook]\nexpect: [missed == 0, { check: latency.p99 < 1s, for: [webhook] }]',
  );
  const end = await simulate(
    folder,
    '--set',
    'subscribers=200000',
    '--set',
    'topics.news.publish=6/m',
    '--for',
    '1m',
  );
  assert.equal(end.code, 0, end.stdout + end.stderr);
  const text = end.stdout.replace(/\s+/g, ' ');
  assert.match(text, /Simulated, not measured: computed from the profile "test machine"/);
  // Six events tell no median.
  assert.match(text, /\d % ±[\d.]+ %/);
  assert.match(text, /Not in the simulated figures: .*Garbage collection and other programs/);
  assert.match(end.stderr, /left out: webhook: the profile test machine has no point of this pattern/);
  assert.match(end.stdout, /All 2 expectations held/, 'that of the webhook went with it');
  const [run] = resultFolders(folder);
  assert.match(run!, /-small-simulated$/);
  assert.match(end.stdout, /Report: results\/.*-small-simulated\/report\.html/);
  assert.ok(existsSync(join(run!, 'report.html')));
  const result = resultSchema.parse(JSON.parse(readFileSync(join(run!, 'result.json'), 'utf8')));
  assert.equal(result.simulated!.profile.name, 'test machine');
  assert.equal(result.scenario.subscribers, 200_000, 'more than a server takes by default');
  assert.equal(result.scenario.phasesMs.measure, 60_000);
  assert.deepEqual(result.environment, testProfile.environment);
  assert.match(
    result.command,
    /simulate \.\/small\.yaml --set subscribers=200000 --set topics\.news\.publish=6\/m --set phases\.measure=1m --profile profile\.json$/,
  );
  assert.deepEqual(
    result.trials.map(({ variant, outcome }) => [variant.label, outcome.status]),
    [
      ['websocket', 'completed'],
      ['sse', 'completed'],
    ],
  );
});

test('the same command gives the same result again, but for when it was computed', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(folder, 'repeat: 2\nvariants: [polling, long-polling, http-stream, sse, websocket]');
  for (let i = 0; i < 2; i++) assert.equal((await simulate(folder, '--quiet')).code, 0);
  const [one, again, ...others] = resultFolders(folder).map((run) =>
    readFileSync(join(run, 'result.json'), 'utf8').replace(/"(?:createdAt|startedAt)": ?"[^"]*"/g, ''),
  );
  assert.deepEqual(others, []);
  assert.equal(resultSchema.parse(JSON.parse(readFileSync(resultFile(folder), 'utf8'))).trials.length, 10);
  assert.ok(one === again, 'the results differ');
});

test('what no model knows is refused before anything is computed, each with what to do', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(
    folder,
    'servers: { count: 2 }\nfaults: [{ freeze: server, at: 500ms, for: 200ms }]\nvariants: [sse]',
  );
  const end = await simulate(folder);
  assert.equal(end.code, 2);
  assert.match(
    end.stderr,
    /small cannot be simulated:\nservers\.broker: .*redis-streams.*\nfaults: .*--set 'faults=\[\]'/,
  );
  assert.deepEqual(resultFolders(folder), []);
  const steady = await simulate(folder, '--set', 'faults=[]', '--set', 'servers.broker=nats');
  assert.equal(steady.code, 2);
  assert.match(steady.stderr, /cannot be simulated:\nservers\.broker: .*no figures of nats; .*calibrate/);
  const set = ['--set', 'servers={}', '--set', 'faults=[]'];
  assert.equal((await simulate(folder, ...set, '--quiet')).code, 0, 'as it says');
  const none = await simulate(folder, ...set, '--set', 'variants=[webhook]');
  assert.equal(none.code, 2);
  assert.match(
    none.stderr,
    /No variant of the scenario small can be simulated:\nwebhook: the profile test machine has no point/,
  );
});

test('what would hold more than fits into memory is refused, with what to do', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(folder, 'faults: [{ disconnect: 50%, at: 500ms }]\nvariants: [sse]');
  const many = ['--set', 'topics.news.publish=10000/s', '--for', '1h'];
  const withFaults = await simulate(folder, ...many);
  assert.equal(withFaults.code, 2);
  assert.match(withFaults.stderr, /with faults holds all events, .* 36,000,000 .*--set 'faults=\[\]'/);
  const each = ['--set', 'faults=[]', '--set', 'subscribers=1000', '--for', '1h'];
  const alone = await simulate(folder, ...each, '--one-by-one');
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /one by one holds all deliveries, .* 72,000,000 .*leave out --one-by-one/);
  assert.deepEqual(resultFolders(folder), []);
  assert.equal((await simulate(folder, ...each, '--quiet')).code, 0, 'as it says');
});

test('a profile that is none is refused', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(folder);
  const of = async (name: string, text?: string) => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    const end = await call(['simulate', './small.yaml', '--profile', name], folder);
    assert.equal(end.code, 2, end.stderr);
    return end.stderr;
  };
  assert.match(await of('missing.json'), /Cannot read the profile missing\.json.*npm start -- calibrate/);
  assert.match(await of('cut.json', '{'), /cut\.json is not whole JSON/);
  assert.match(await of('other.json', '{}'), /not a profile of pushbench/);
  assert.match(await of('later.json', JSON.stringify({ ...testProfile, version: 99 })), /Upgrade pushbench/);
  assert.match(
    await of('bad.json', JSON.stringify({ ...testProfile, name: 1 })),
    /is not valid:\n.*\n.*at name/,
  );
  assert.match(await of('nowhere'), /calibrate makes one of this machine/);
});

test('measured and simulated runs are compared only where asked', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(folder, 'variants: [sse]');
  assert.equal((await simulate(folder, '--quiet')).code, 0);
  const file = resultFile(folder);
  const { simulated: _, ...measured } = resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(join(folder, 'measured.json'), JSON.stringify(measured));
  const refused = await call(['compare', 'measured.json', file], folder);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /was simulated from the profile "test machine".*--simulated-too/);
  const asked = await call(['compare', 'measured.json', file, '--simulated-too'], folder);
  assert.match(asked.stdout, /origin/);
  assert.equal((await call(['baseline', 'save', 'main', file], folder)).code, 0);
  assert.match(
    (await call(['baseline', 'list'], folder)).stdout,
    /simulated from the profile "test machine"/,
  );
  assert.match(
    (await call(['baseline', 'check', 'main', 'measured.json'], folder)).stderr,
    /--simulated-too/,
  );
  const history = await call(['history', 'measured.json', file], folder);
  assert.match(history.stderr, /Left out, as simulated: .*--simulated-too/);
  assert.match(
    (await call(['claims', file], folder)).stderr,
    /was simulated .* only measurements test claims/,
  );
});

test('Ctrl-C ends a long simulation at once; how far it is, and how long it takes, is said', async (t) => {
  const folder = folderWithProfile(t);
  writeScenario(folder, 'variants: [sse, polling]');
  const running = start(
    ['simulate', './small.yaml', '--profile', 'profile.json', '--one-by-one', '--for', '24h'],
    folder,
  );
  await running.saw(/\[1\/2\] sse: [\d.]+ ?% done, (about [\d,]+ (s|min) left|nearly done)/);
  running.child.kill('SIGINT');
  const end = await running.ended;
  assert.equal(end.code, 130, end.stderr);
  assert.match(end.stderr, /SIGINT: ending; what was simulated before is kept/);
});
