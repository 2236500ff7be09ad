// The validation's parts on faults of several servers can fail: each rule by which a trial is judged is
// broken once by hand, every drawn case is a scenario that can be run, and three of them are run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'vitest';
import {
  faultCase,
  faultCases,
  faultsUsually,
  killCases,
  killsEach,
  killTrialsUsually,
  scenarioText,
  timesOf,
  type ClusterCase,
} from '../../bench/validate/cluster/cases.ts';
import { judgeCluster, type ClusterSeen } from '../../bench/validate/cluster/judge.ts';
import { kinds } from '../../bench/validate/cluster/kinds.ts';
import { clusterFaultsOutcome, clusterKillsOutcome } from '../../bench/validate/cluster/page.ts';
import { runCases, type ClusterTried } from '../../bench/validate/cluster/runs.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Completed } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { recovery } from '../core/result/recovery.ts';
import { skipWhen } from '../skip.ts';
import { changed, failed, nothing, storedWith } from './runs-seen.ts';

/** One of its thousand and one has not come back. */
const cut = { ...recovery.cut!, absences: 1000, neverBack: 0, gaveUp: 0 };

function seenWith(change: (trial: Completed) => void = () => {}): ClusterSeen {
  const trial = changed('sse', (one) => {
    one.faults = [{ kind: 'kill', did: 'server 1 was killed', atMs: 5, atUs: 5000 }];
    one.recovery = { ...recovery, cut: { ...cut } };
    change(one);
  });
  return {
    asked: { faults: ['{ at: 5ms, kill: 1 }'], away: 'somebody', ends: false, pattern: 'sse' },
    exit: { code: 0, signal: null },
    output: '',
    left: nothing,
    stored: storedWith([trial]),
  };
}

const whole = seenWith();
const broken: [what: string, seen: ClusterSeen, aspect: string, text: RegExp][] = [
  [
    'a run that hangs',
    { ...whole, exit: { code: null, signal: 'nothing' } },
    'completed',
    /nothing, and its/,
  ],
  ['no result', { ...whole, stored: undefined }, 'completed', /no result/],
  [
    'a failed trial',
    { ...whole, exit: { code: 3, signal: null }, stored: storedWith([failed('sse', 'a server ended')]) },
    'completed',
    /a server ended/,
  ],
  ['a fault that is not told of', seenWith((one) => (one.faults = [])), 'happened', /0 faults/],
  ['a fault that could not be done', seenWith((one) => (one.faults![0]!.atUs = null)), 'happened', /killed/],
  [
    'a deploy that had not ended',
    { ...whole, asked: { ...whole.asked, ends: true } },
    'happened',
    /had not ended/,
  ],
  ['a kill that nobody noticed', seenWith((one) => delete one.recovery), 'happened', /no subscriber/],
  [
    'somebody cut off who must not be',
    { ...whole, asked: { ...whole.asked, away: 'nobody' } },
    'happened',
    /cut off 1000 times/,
  ],
  ['an open ledger', seenWith((one) => one.ledger.delivered--), 'ledger', /delivered 999/],
  ['an unconfirmed event', seenWith((one) => (one.ledger.unconfirmed = 1)), 'ledger', /1 unconfirmed/],
  ['an event that came twice', seenWith((one) => (one.ledger.duplicated = 2)), 'ledger', /2 duplicated/],
  [
    'sides that count differently',
    seenWith((one) => Object.assign(one.checks[0]!, { agree: false, note: '' })),
    'ledger',
    /events: 1000 and 1000/,
  ],
  [
    'a lost delivery',
    seenWith((one) => Object.assign(one.ledger, { delivered: 999, missed: 1 })),
    'resumed',
    /1 of 1000 deliveries/,
  ],
  ['one who comes too late', seenWith((one) => (one.recovery!.cut!.tooLate = 1)), 'resumed', /too late/],
  ['one who does not come back', seenWith((one) => (one.recovery!.cut!.neverBack = 1)), 'resumed', /never/],
  [
    'a broker that is left',
    { ...whole, left: { ...nothing, processes: ['7 redis'] } },
    'nothing left',
    /redis/,
  ],
  ['a stack trace', { ...whole, output: '    at take (/a/b.js:1:2)' }, 'words', /at take/],
];

test('a trial in which all holds is judged so; each way in which it can fail does not hold', () => {
  assert.deepEqual(judgeCluster(whole), []);
  for (const [what, seen, aspect, text] of broken) {
    const misses = judgeCluster(seen);
    assert.ok(
      misses.some((miss) => miss.aspect === aspect && text.test(miss.text)),
      `${what}: ${JSON.stringify(misses)}`,
    );
  }
});

test.for(['kill', 'stop'])('a server with a second %s before it listens has not failed to start', (how) => {
  const asked = {
    ...whole.asked,
    faults: [`{ at: 1ms, ${how}: 1 }`, '{ at: 2ms, restart: 1 }', `{ at: 3ms, ${how}: 1 }`],
  };
  const played = (...at: (number | null)[]) =>
    seenWith((one) => {
      one.faults = at.map((atUs, i) => ({ kind: i === 1 ? 'restart' : how, did: 'it', atMs: i, atUs }));
    });
  assert.deepEqual(judgeCluster({ ...played(1000, null, 3000), asked }), []);
  assert.equal(judgeCluster({ ...played(1000, null, null), asked }).length, 2);
  assert.equal(judgeCluster({ ...played(1000, 2000, null), asked }).length, 1);
});

test('cases follow from their numbers, and are scenarios that can be run', () => {
  const drawn = faultCases(faultsUsually);
  assert.deepEqual(faultCase(drawn.at(-1)!.number), drawn.at(-1));
  const kills = killCases(killTrialsUsually);
  assert.equal(kills.length * killsEach, 200);
  for (const one of [...drawn, ...kills]) {
    const text = scenarioText(one);
    const read = () => parseScenario(text, { file: 'case.yaml', registry: patterns, overrides: [] });
    assert.doesNotThrow(read, `${one.number}: ${text}`);
  }
  const values = (group: string, of: (one: ClusterCase) => string | number) =>
    new Set(drawn.filter((one) => one.group === group).map(of)).size;
  for (const kind of kinds) {
    const { name, streams, inFront } = kind;
    const trials = drawn.filter((one) => one.group === name);
    assert.equal(trials.length * timesOf(kind), faultsUsually, name);
    const lines = new Set(trials.flatMap(({ faults }) => faults));
    assert.ok(lines.size > 0.8 * faultsUsually, `${name}: ${lines.size} moments`);
    assert.equal(
      values(name, ({ broker }) => broker),
      2,
      name,
    );
    assert.equal(
      values(name, ({ pattern }) => pattern),
      streams ? 3 : 4,
      name,
    );
    assert.equal(
      values(name, (one) => one.inFront),
      inFront ? 1 : 2,
      name,
    );
  }
});

const tried: ClusterTried = {
  number: 3,
  group: 'kill',
  what: 'jetstream, sse, 2 servers, list: { at: 5ms, kill: 1 }',
  misses: [],
  happened: { kill: 4, restart: 3 },
  delivered: 1000,
  absences: 10,
};

test('what did not hold and what was not run are on the page, and no claim counts them as held', () => {
  const bad: ClusterTried = { ...tried, number: 4, misses: [{ aspect: 'resumed', text: '1 | missed' }] };
  const notRun: ClusterTried = { ...tried, happened: {}, notRun: 'not run: haproxy is not installed' };
  const { claims, markdown } = clusterFaultsOutcome(
    [tried, bad, { ...notRun, group: 'in front: reload' }],
    'cluster-servers',
  );
  assert.deepEqual(
    claims.map(({ text, held }) => [/^\d+ of \d+/.exec(text)![0], held]),
    [
      ['1 of 2', false],
      ['0 of 1', false],
    ],
  );
  assert.match(claims[1]!.text, /1 not run: haproxy is not installed/);
  assert.match(
    markdown,
    /^\| kill \| 2 \| 14 \| somebody \| 20 \| 2 of 2 \|.* 1 of 2 \| 2 of 2 \| 2 of 2 \|$/m,
  );
  assert.match(markdown, /^\| 4 \| kill \| .* \| resumed: 1 &#124; missed \|$/m);
  const kills = clusterKillsOutcome([tried, tried]);
  assert.match(kills.claims[0]!.text, /^2 of 2 trials with 8 kills of servers and 6 restarts/);
  assert.ok(kills.claims[0]!.held);
});

test('a server killed and back, a broker that stands still, HAProxy reloaded', async (t) => {
  for (const [program, flag] of [
    ['redis-server', '--version'],
    ['nats-server', '--version'],
    ['haproxy', '-v'],
  ] as const)
    skipWhen(t, spawnSync(program, [flag]).status === 0 ? undefined : `${program} is not installed`);
  const names = ['kill, then restart', 'broker: freeze', 'in front: reload'];
  const cases = names.map((name) => faultCase(1 + kinds.findIndex((kind) => kind.name === name)));
  const came = await runCases(cases, () => {});
  for (const { number, what, misses } of came) assert.deepEqual(misses, [], `${number}: ${what}`);
  const [killed, frozen, reloaded] = came.map(({ happened }) => happened);
  // On a busy machine a server may be killed again before it listens.
  assert.ok(killed!['kill'] === 5 && killed!['restart']! >= 1, JSON.stringify(killed));
  assert.deepEqual([frozen, reloaded], [{ broker: 5 }, { 'in-front': 5 }]);
});
