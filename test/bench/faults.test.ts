// The validation's part on faults can fail: each rule by which a store is judged is broken once by hand,
// cases follow from their numbers, and a process that is killed for real is found with what it left.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { judgeKills } from '../../bench/validate/faults.ts';
import { allCases, groupOf, quickCases, redrawn } from '../../bench/validate/faults/cases.ts';
import { leftOf } from '../../bench/validate/faults/command.ts';
import { faultsOutcome, type Tried } from '../../bench/validate/faults/page.ts';
import { listenersOf, newSpace, signalTo } from '../../bench/validate/faults/space.ts';
import { judgeRefusals } from '../../bench/validate/faults/store-shortages.ts';
import { judgeStore, type Answer, type StoreSeen } from '../../bench/validate/faults/webhook-server.ts';

const nothing = { processes: [], listeners: [], files: [] };
const answer = (key: string, seq: number, more: Partial<Answer> = {}): Answer => ({
  key,
  status: 201,
  ms: 5,
  retryAfter: false,
  id: `e-${seq}`,
  seq,
  ...more,
});
const refusal = (key: string, more: Partial<Answer> = {}): Answer => ({
  key,
  status: 503,
  ms: 5,
  retryAfter: true,
  ...more,
});
const got = (key: string, seq: number, id = `e-${seq}`) => ({ key, seq, id });
const taken: StoreSeen = {
  answers: [answer('a', 1), refusal('b'), answer('b', 2)],
  got: [got('a', 1), got('b', 2), got('b', 2)],
  delivered: 2,
  exit: { code: 0, signal: null },
  output: '',
  left: nothing,
};
const brokenStores: [what: string, change: Partial<StoreSeen>, aspect: string, text: RegExp][] = [
  ['a server that does not end', { exit: { code: null, signal: 'SIGABRT' } }, 'exit code', /SIGABRT/],
  ['something left', { left: { ...nothing, files: ['tmp/store'] } }, 'nothing left', /tmp\/store/],
  [
    'a late answer',
    { answers: [answer('a', 1, { ms: 4000 }), answer('b', 2)] },
    'account',
    /1 of 2 publications waited/,
  ],
  [
    'an answer of 500',
    { answers: [answer('a', 1), refusal('b', { status: 500 }), answer('b', 2)] },
    'account',
    /answered 500/,
  ],
  [
    'a refusal without Retry-After',
    { answers: [answer('a', 1), refusal('b', { retryAfter: false }), answer('b', 2)] },
    'account',
    /answered 503/,
  ],
  [
    'no answer',
    { answers: [answer('a', 1), refusal('b', { status: 0 }), answer('b', 2)] },
    'account',
    /not at all/,
  ],
  [
    'nothing taken',
    { answers: [refusal('a')], got: [], delivered: 0 },
    'account',
    /no publication was taken/,
  ],
  ['statistics that cannot be had', { delivered: undefined }, 'account', /statistics could not be had/],
  ['statistics of more than came', { delivered: 4 }, 'ledger', /say 4 delivered; 2 events came, in 3/],
  ['statistics of fewer than came', { delivered: 1 }, 'ledger', /say 1 delivered; 2 events came/],
  [
    'a taken event that is lost',
    { got: [got('a', 1)], delivered: 1 },
    'ledger',
    /1 of 2 events that were taken were not delivered/,
  ],
  [
    'a refused event that is delivered',
    { answers: [answer('a', 1), refusal('b')] },
    'ledger',
    /1 events that were refused were delivered/,
  ],
  [
    'a key that becomes two events',
    { got: [got('a', 1), got('b', 2), got('b', 3)], delivered: 3 },
    'ledger',
    /1 keys became several/,
  ],
  [
    'a gap in the sequence',
    { got: [got('a', 1), got('b', 4, 'e-2')] },
    'ledger',
    /goes to 4 and 2 of its numbers/,
  ],
  ['a stack trace', { output: '    at take (/a/b.js:1:2)' }, 'words', /at take/],
];

test('a store that lost nothing holds; each way in which it can fail does not', () => {
  assert.deepEqual(judgeStore(taken), []);
  // The store's answer was lost, so the event may have been delivered.
  assert.deepEqual(judgeStore({ ...taken, answers: [answer('a', 1), refusal('b', { unknown: true })] }), []);
  for (const [what, change, aspect, text] of brokenStores) {
    const misses = judgeStore({ ...taken, ...change });
    assert.ok(
      misses.some((miss) => miss.aspect === aspect && text.test(miss.text)),
      `${what}: ${JSON.stringify(misses)}`,
    );
  }
});

test('a shortage that refused nothing shows nothing, and with space again events are taken', () => {
  const afterwards = [1, 2, 3].map((i) => answer(`afterwards-${i}`, i + 1));
  const seen: StoreSeen = {
    ...taken,
    answers: [answer('a', 1), refusal('b'), ...afterwards],
    got: [got('a', 1), ...afterwards.map(({ key, seq }) => got(key, seq!))],
    delivered: 4,
  };
  assert.deepEqual(judgeRefusals(seen), []);
  assert.match(
    judgeRefusals({ ...seen, answers: seen.answers.filter(({ status }) => status === 201) })[0]!.text,
    /nothing was refused/,
  );
  assert.match(
    judgeRefusals({ ...seen, answers: [...seen.answers.slice(0, 4), refusal('afterwards-3')] }).at(-1)!.text,
    /2 of 3 publications/,
  );
});

test('a series of kills that lost or repeated something does not hold', () => {
  const ledger = {
    kills: 1,
    confirmed: 9,
    endpoints: 4,
    deliveries: 36,
    lost: 0,
    duplicates: 0,
    foretold: 0,
    unexplained: 0,
  };
  assert.deepEqual(judgeKills(ledger), []);
  for (const change of [{ lost: 1 }, { unexplained: 1 }, { confirmed: 0 }])
    assert.equal(judgeKills({ ...ledger, ...change }).length, 1);
});

test('a hundred kills and stops and fifty ends, each by its number; a tenth when it must be quick', () => {
  const cases = allCases();
  assert.deepEqual(
    cases.map(({ number }) => number),
    Array.from({ length: 150 }, (_, i) => i + 1),
  );
  assert.deepEqual(allCases(), cases);
  const moments = cases.flatMap((one) => (one.kind === 'run' ? [one.share] : []));
  assert.ok(moments.every((share) => share >= 0 && share < 1) && new Set(moments).size === moments.length);
  assert.equal(quickCases().length, 15);
  assert.ok(new Set(quickCases().map(groupOf)).size >= 10);
  const one = cases.find((each) => each.kind === 'run')!;
  assert.ok(
    one.kind === 'run' &&
      redrawn(one, 2).share < one.share &&
      redrawn(one, 2).share === redrawn(one, 2).share,
  );
});

test('what did not hold and what was not run are on the page, and no claim counts them as held', () => {
  const tried: Tried[] = [
    { kind: 'harness', number: 1, group: 'harness: SIGKILL', moment: '812 ms after its start', misses: [] },
    {
      kind: 'harness',
      number: 2,
      group: 'harness: SIGKILL',
      moment: '99 ms after its start',
      misses: [{ aspect: 'nothing left', text: 'process 7 | node' }],
    },
    {
      kind: 'broker',
      number: 91,
      group: 'Redis: SIGKILL',
      moment: '',
      misses: [],
      notRun: 'not run: redis-server is not installed',
    },
    { kind: 'end', number: 101, group: 'harness: SIGTERM', moment: '', misses: [] },
  ];
  const { claims, markdown } = faultsOutcome(tried, 'question: x\nsubscribers: 5\n');
  assert.deepEqual(
    claims.map(({ text, held }) => [/^\d+ of \d+/.exec(text)![0], held]),
    [
      ['1 of 2', false],
      ['0 of 1', false],
      ['1 of 1', true],
    ],
  );
  assert.match(claims[1]!.text, /1 not run: redis-server is not installed/);
  assert.match(markdown, /^\| harness: SIGKILL \| 2 \| 2 of 2 \| 1 of 2 \| 2 of 2 \| 2 of 2 \| 2 of 2 \|$/m);
  assert.match(markdown, /^\| Redis: SIGKILL \| 1 \| not run \|/m);
  assert.match(
    markdown,
    /^\| 2 \| harness: SIGKILL, 99 ms after its start \| nothing left: process 7 &#124; node \|$/m,
  );
});

test('what a killed process leaves is found: its children, their ports, their temporary files', async () => {
  const space = newSpace();
  try {
    // The child of the child is nobody's when its parent has been killed, and is stopped besides.
    const listener = join(space.folder, 'listener.cjs');
    writeFileSync(listener, 'require("net").createServer().listen(0, "127.0.0.1", () => process.send("up"))');
    const child =
      `const child = require("child_process").fork(${JSON.stringify(listener)}); child.on("message", () => ` +
      'console.log(child.pid))';
    const parent = spawn(process.execPath, ['-e', child], {
      env: space.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]; // its only output
    const orphan = Number(String(line));
    writeFileSync(join(space.temporary, 'half'), '');
    assert.deepEqual(space.processes().sort(), [parent.pid, orphan].sort());
    const listeners = listenersOf(space.processes());
    assert.equal(listeners.size, 1);
    signalTo(orphan, 'SIGSTOP');
    signalTo(parent.pid!, 'SIGKILL');
    await once(parent, 'exit');
    let left = await leftOf(space, listeners, true, 0);
    assert.equal(left.listeners.length, 1);
    assert.deepEqual(left.files, ['tmp/half']);
    // The kernel stops it a moment after it was told to.
    for (let i = 0; i < 500 && !left.processes.join().includes('(stopped)'); i++)
      left = await leftOf(space, listeners, true, 10);
    assert.match(left.processes.join(), new RegExp(`^${orphan} .*\\(stopped\\)$`));
    signalTo(orphan, 'SIGKILL');
    rmSync(join(space.temporary, 'half'));
    assert.deepEqual(await leftOf(space, listeners, true, 10_000), nothing);
  } finally {
    await space.remove();
  }
  assert.ok(!existsSync(space.folder));
});
