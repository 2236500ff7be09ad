// Runs `pushbench calibrate` as a user does, on scripted processes: the profile that it writes, what it says
// of mistakes, its exit codes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { profileSchema } from '../../core/profile/profile.ts';
import { call, start, startScripted, temporaryFolder, writeScenario } from './tools.ts';

test('--help says how long it takes and what it writes', async (t) => {
  const { code, stdout } = await call(['calibrate', '--help'], temporaryFolder(t));
  assert.equal(code, 0);
  for (const word of ['--full', '--patterns', '--minutes', '--name', '--output', 'profile.json', '80'])
    assert.match(stdout, new RegExp(word));
});

test('wrong arguments end with exit code 2 and a sentence, and nothing is run', async (t) => {
  const folder = temporaryFolder(t);
  const rows: [string[], RegExp][] = [
    [
      ['--patterns', 'ses'],
      /--patterns ses: there is no such pattern; did you mean "sse"\? There are: polling,/,
    ],
    [
      ['--minutes', 'ten'],
      /--minutes ten is not possible: one trial of each pattern takes about .*Give more/,
    ],
    [['--minutes', '0.1', '--patterns', 'sse'], /one trial of sse takes about 13\.5 s/],
    [['--name', ' '], /--name is what reports call the profile/],
    [['--output', 'nowhere/profile.json'], /Cannot write nowhere\/profile\.json/],
    [['sse'], /too many arguments/],
  ];
  for (const [args, message] of rows) {
    const { code, stdout, stderr } = await call(['calibrate', ...args], folder);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});

test('it writes a profile with all points of the patterns that were asked for', async (t) => {
  const folder = temporaryFolder(t);
  const args = ['calibrate', '--no-cluster', '--patterns', 'sse,polling', '--name', 'my machine'];
  args.push('--output', 'mine.json');
  const { code, stdout, stderr } = await startScripted(args, folder).ended;
  assert.equal(code, 0, stderr);
  const profile = profileSchema.parse(JSON.parse(readFileSync(join(folder, 'mine.json'), 'utf8')));
  assert.equal(profile.name, 'my machine');
  assert.deepEqual(Object.keys(profile.variants).toSorted(), ['polling', 'sse']);
  const points = profile.variants['sse']!.points;
  assert.deepEqual(
    points.map(({ subscribers, perS }) => [subscribers, perS]),
    [
      [40, 5],
      [40, 25],
      [40, 120],
      [200, 5],
      [200, 25],
      [200, 120],
      [1000, 5],
      [1000, 25],
    ],
  );
  assert.equal(profile.variants['sse']!.atRest.subscribers, 1000);
  assert.match(stdout, /^my machine\n {2}sse: 8 points[^]*\nProfile: mine\.json\n$/);
  assert.match(stderr, /^16 trials, about .*at most 10 min\. Keep the machine quiet/);
  assert.match(stderr, /^(?:The server is kept to core|No process is pinned to cores)/m);
  assert.match(stderr, /^\[1\/16\] 1,000 subscribers, 5 events\/s \(sse\): measuring/m);
  // What calibrate writes, simulate reads.
  writeScenario(folder, 'variants: [sse, polling]');
  const simulated = await call(['simulate', './small.yaml', '--profile', 'mine.json'], folder);
  assert.equal(simulated.code, 0, simulated.stdout + simulated.stderr);
  assert.match(simulated.stdout, /computed from the profile "my machine"/);
});

test('a signal keeps what was measured in a file beside, and leaves a whole profile alone', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'mine.json'), 'a whole profile\n');
  const args = ['calibrate', '--no-cluster', '--patterns', 'sse,polling,http-stream,websocket'];
  const run = startScripted([...args, '--output', 'mine.json'], folder);
  await run.saw(/\[3\/\d+\]/);
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 130, stderr);
  const [, count] = /^Profile, interrupted after (\d+) trials: mine\.interrupted\.json$/m.exec(stdout) ?? [];
  assert.ok(Number(count) >= 2, stdout);
  assert.equal(readFileSync(join(folder, 'mine.json'), 'utf8'), 'a whole profile\n');
  const kept = profileSchema.parse(JSON.parse(readFileSync(join(folder, 'mine.interrupted.json'), 'utf8')));
  const points = Object.values(kept.variants).flatMap((variant) => variant.points);
  assert.equal(points.length, Number(count));
});

test('a signal before anything was measured writes nothing', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'profile.json'), 'a whole profile\n');
  const run = start(['calibrate', '--patterns', 'sse'], folder);
  await run.saw(/connecting/);
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /SIGINT: ending\./);
  assert.match(stdout, /Interrupted before a trial had valid figures; nothing was written\./);
  assert.equal(readFileSync(join(folder, 'profile.json'), 'utf8'), 'a whole profile\n');
  assert.ok(!existsSync(join(folder, 'profile.interrupted.json')));
});
