// The validation's part on faults can fail: each rule by which an observation is judged is broken once by hand, cases
// follow from their numbers, and a process that is killed for real is found with what it left.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgeKills } from '../../bench/validate/faults.ts';
import { allCases, groupOf, quickCases, redrawn } from '../../bench/validate/faults/cases.ts';
import { judgeRun, type RunSeen, type Stored } from '../../bench/validate/faults/judge.ts';
import { faultsOutcome, type Tried } from '../../bench/validate/faults/page.ts';
import { filesLeft, remaining } from '../../bench/validate/faults/runs.ts';
import { listenersOf, newSpace, signalTo, stillListening } from '../../bench/validate/faults/space.ts';
import { judgeRefusals } from '../../bench/validate/faults/store-shortages.ts';
import { judgeStore, type Answer, type StoreSeen } from '../../bench/validate/faults/webhook-server.ts';
import type { Completed, Result, Trial } from '../../core/result.ts';
import { renderJunit } from '../../reports/junit.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { fixtureResult } from '../reports/fixture.ts';

const planned = ['sse', 'websocket'];
const whole = fixtureResult({ measureS: 1 });
const trialOf = (label: string): Trial => structuredClone(whole.trials.find(({ variant }) => variant.label === label)!);

function resultWith(trials: Trial[], more: Partial<Result> = {}): Result {
  return { ...structuredClone(whole), trials, expectations: [], ...more };
}

function storedWith(trials: Trial[], more: Partial<Result> = {}): Stored {
  const result = resultWith(trials, more);
  return { result, junit: renderJunit([result]), markdown: renderMarkdown([result]) };
}

function failed(label: string, message: string): Trial {
  return { ...trialOf(label), warnings: [], outcome: { status: 'failed', valid: false, code: 'child-ended', message } };
}

function changed(label: string, change: (outcome: Completed) => void): Trial {
  const trial = trialOf(label);
  assert.equal(trial.outcome.status, 'completed');
  if (trial.outcome.status === 'completed') change(trial.outcome);
  return trial;
}

const nothing = { processes: [], listeners: [], files: [] };
const killedServer: RunSeen = {
  hit: { victim: 'server', act: 'kill', trial: 2 }, planned, exit: { code: 3, signal: null }, endedMs: 900, begun: true,
  saidBefore: '[2/2] websocket: measuring\n', output: '[2/2] websocket: failed: the server process ended\n', left: nothing,
  stored: storedWith([trialOf('sse'), failed('websocket', 'the server process ended in the middle of the trial (signal SIGKILL)')]), unexplained: [], next: undefined,
};
const unfinished = { interrupted: true };
const killedHarness: RunSeen = {
  ...killedServer, hit: { victim: 'harness', act: 'kill', trial: 1 }, exit: { code: null, signal: 'SIGKILL' }, output: '',
  stored: storedWith([trialOf('sse'), trialOf('websocket')]),
};
const ended: RunSeen = { ...killedHarness, hit: { victim: 'harness', act: 'terminate', trial: 1 }, exit: { code: 130, signal: null }, stored: undefined };

test('observations in which all holds are judged so', () => {
  for (const seen of [
    killedServer, killedHarness, ended,
    { ...ended, exit: { code: null, signal: 'SIGTERM' }, begun: false },
    { ...killedServer, hit: { victim: 'publisher', act: 'pause', trial: 1 } as const, exit: { code: 0, signal: null }, stored: storedWith([trialOf('sse'), trialOf('websocket')]) },
    // Its figures were all in when the signal came.
    { ...killedServer, exit: { code: 0, signal: null }, saidBefore: '[2/2] websocket: draining\n', stored: storedWith([trialOf('sse'), trialOf('websocket')]) },
    { ...killedHarness, stored: undefined, unexplained: ['a'], next: { output: 'a: killed before its first trial was over', remaining: ['a'] } },
    { ...killedHarness, stored: undefined, unexplained: ['a'], next: { output: '', remaining: [] } },
  ]) assert.deepEqual(judgeRun(seen), []);
});

const broken: [what: string, seen: RunSeen, aspect: string, text: RegExp][] = [
  ['an exit code that is not what the result says', { ...killedServer, exit: { code: 0, signal: null } }, 'exit code', /exit code 0, and it should be 3/],
  ['a run that ends by a signal', { ...killedServer, exit: { code: null, signal: 'SIGSEGV' } }, 'exit code', /SIGSEGV/],
  ['a run that is asked to end and fails', { ...ended, exit: { code: 3, signal: null } }, 'exit code', /should be 130/],
  ['a run that the signal itself ends when it had begun', { ...ended, exit: { code: null, signal: 'SIGTERM' } }, 'exit code', /should be 130/],
  ['a run that ends late', { ...ended, endedMs: 3500 }, 'exit code', /3500 ms after the signal/],
  ['a process that is left', { ...killedServer, left: { ...nothing, processes: ['7 node'] } }, 'nothing left', /process 7 node/],
  ['a port that is left', { ...killedServer, left: { ...nothing, listeners: ['TCP port 7'] } }, 'nothing left', /TCP port 7/],
  ['a file that is left', { ...killedServer, left: { ...nothing, files: ['tmp/x'] } }, 'nothing left', /file tmp\/x/],
  ['a result that cannot be read', { ...killedHarness, stored: 'it is not whole JSON' }, 'account', /not whole JSON/],
  ['no result', { ...killedServer, stored: undefined }, 'account', /no result was stored/],
  ['a folder without a result after a run that could tidy up', { ...ended, unexplained: ['a'] }, 'account', /folder without a result: a/],
  ['a folder of which the next run says nothing', { ...killedHarness, stored: undefined, unexplained: ['a'], next: { output: '', remaining: ['a'] } }, 'account', /next run said nothing of a/],
  ['a killed process whose trial is completed', { ...killedServer, exit: { code: 0, signal: null }, stored: storedWith([trialOf('sse'), trialOf('websocket')]) }, 'account', /websocket is not failed/],
  ['a failed trial that names another process', { ...killedServer, stored: storedWith([trialOf('sse'), failed('websocket', 'the load 1 process ended')]) }, 'account', /does not name the server/],
  ['a trial that is missing though the run went on', { ...killedServer, exit: { code: 0, signal: null }, stored: storedWith([trialOf('websocket')]) }, 'account', /no trial of sse/],
  ['a killed run that looks whole', { ...killedHarness, stored: storedWith([trialOf('sse')]) }, 'account', /does not say that the run is unfinished/],
  ['a killed run whose JUnit is green', { ...killedHarness, stored: { ...storedWith([trialOf('sse')], unfinished), junit: '<testsuites errors="0">' } }, 'account', /JUnit has no error/],
  ['a killed run whose JUnit does not name what is missing', { ...killedHarness, stored: { ...storedWith([trialOf('sse')], unfinished), junit: '<testsuites errors="1">' } }, 'account', /JUnit does not name/],
  ['a killed run whose Markdown is green', { ...killedHarness, stored: { ...storedWith([trialOf('sse')], unfinished), markdown: '✅ All held. websocket' } }, 'account', /expectations held/],
  ['a killed run whose Markdown does not name what is missing', { ...killedHarness, stored: { ...storedWith([trialOf('sse')], unfinished), markdown: '' } }, 'account', /Markdown does not name/],
  ['JUnit with fewer errors than bad trials', { ...killedServer, stored: { ...killedServer.stored as Stored, junit: '<testsuites errors="0">' } }, 'account', /0 errors for 1 trials/],
  ['a ledger that does not close', { ...killedHarness, stored: storedWith([changed('sse', (one) => void one.ledger.delivered--), trialOf('websocket')]) }, 'ledger', /delivered 999/],
  ['a ledger that closes over fewer deliveries than planned', { ...killedHarness, stored: storedWith([changed('sse', (one) => void (one.ledger.expected = one.ledger.delivered = 900)), trialOf('websocket')]) }, 'ledger', /900 deliveries expected, 1000 planned/],
  ['two sides that count differently', { ...killedHarness, stored: storedWith([changed('sse', (one) => void Object.assign(one.checks[0]!, { agree: false })), trialOf('websocket')]) }, 'ledger', /events: 1000 and 1000/],
  ['a stack trace', { ...killedServer, output: 'Error: no\n    at obey (file:///a/b.ts:3:4)\n' }, 'words', /at obey/],
  ['a defect', { ...killedServer, output: 'This is a defect of pushbench; please report it' }, 'words', /defect/],
];

for (const [what, seen, aspect, text] of broken) {
  test(`${what} does not hold`, () => {
    const found = judgeRun(seen).filter((miss) => miss.aspect === aspect && text.test(miss.text));
    assert.equal(found.length, 1, JSON.stringify(judgeRun(seen)));
  });
}

test('what a trial that does not count says of itself is no miss', () => {
  const open = changed('sse', (one) => {
    one.ledger.unconfirmed = 1;
    one.valid = false;
  });
  open.warnings.push({ code: 'ledger-open', level: 'invalid', message: 'the ledger does not close' });
  const exit = { code: 4, signal: null };
  const seen: RunSeen = { ...killedServer, hit: { victim: 'server', act: 'pause', trial: 1 }, exit, stored: storedWith([open, trialOf('websocket')]) };
  assert.deepEqual(judgeRun(seen), []);
});

const answer = (key: string, seq: number, more: Partial<Answer> = {}): Answer => ({ key, status: 201, ms: 5, retryAfter: false, id: `e-${seq}`, seq, ...more });
const refusal = (key: string, more: Partial<Answer> = {}): Answer => ({ key, status: 503, ms: 5, retryAfter: true, ...more });
const got = (key: string, seq: number, id = `e-${seq}`) => ({ key, seq, id });
const taken: StoreSeen = {
  answers: [answer('a', 1), refusal('b'), answer('b', 2)], got: [got('a', 1), got('b', 2), got('b', 2)], delivered: 2, exit: { code: 0, signal: null }, output: '', left: nothing,
};
const brokenStores: [what: string, change: Partial<StoreSeen>, aspect: string, text: RegExp][] = [
  ['a server that does not end', { exit: { code: null, signal: 'SIGABRT' } }, 'exit code', /SIGABRT/],
  ['something left', { left: { ...nothing, files: ['tmp/store'] } }, 'nothing left', /tmp\/store/],
  ['a late answer', { answers: [answer('a', 1, { ms: 4000 }), answer('b', 2)] }, 'account', /1 of 2 publications waited/],
  ['an answer of 500', { answers: [answer('a', 1), refusal('b', { status: 500 }), answer('b', 2)] }, 'account', /answered 500/],
  ['a refusal without Retry-After', { answers: [answer('a', 1), refusal('b', { retryAfter: false }), answer('b', 2)] }, 'account', /answered 503/],
  ['no answer', { answers: [answer('a', 1), refusal('b', { status: 0 }), answer('b', 2)] }, 'account', /not at all/],
  ['nothing taken', { answers: [refusal('a')], got: [], delivered: 0 }, 'account', /no publication was taken/],
  ['statistics that cannot be had', { delivered: undefined }, 'account', /statistics could not be had/],
  ['statistics of more than came', { delivered: 3 }, 'ledger', /say 3 delivered, and 2/],
  ['a taken event that is lost', { got: [got('a', 1)], delivered: 1 }, 'ledger', /1 of 2 events that were taken were not delivered/],
  ['a refused event that is delivered', { answers: [answer('a', 1), refusal('b')] }, 'ledger', /1 events that were refused were delivered/],
  ['a key that becomes two events', { got: [got('a', 1), got('b', 2), got('b', 3)], delivered: 3 }, 'ledger', /1 keys became several/],
  ['a gap in the sequence', { got: [got('a', 1), got('b', 4, 'e-2')] }, 'ledger', /goes to 4 and 2 of its numbers/],
  ['a stack trace', { output: '    at take (/a/b.js:1:2)' }, 'words', /at take/],
];

test('a store that lost nothing holds; each way in which it can fail does not', () => {
  assert.deepEqual(judgeStore(taken), []);
  // The store's answer was lost, so the event may have been delivered.
  assert.deepEqual(judgeStore({ ...taken, answers: [answer('a', 1), refusal('b', { unknown: true })] }), []);
  for (const [what, change, aspect, text] of brokenStores) {
    const misses = judgeStore({ ...taken, ...change });
    assert.ok(misses.some((miss) => miss.aspect === aspect && text.test(miss.text)), `${what}: ${JSON.stringify(misses)}`);
  }
});

test('a shortage that refused nothing shows nothing, and with space again events are taken', () => {
  const afterwards = [1, 2, 3].map((i) => answer(`afterwards-${i}`, i + 1));
  const seen: StoreSeen = { ...taken, answers: [answer('a', 1), refusal('b'), ...afterwards], got: [got('a', 1), ...afterwards.map(({ key, seq }) => got(key, seq!))], delivered: 4 };
  assert.deepEqual(judgeRefusals(seen), []);
  assert.match(judgeRefusals({ ...seen, answers: seen.answers.filter(({ status }) => status === 201) })[0]!.text, /nothing was refused/);
  assert.match(judgeRefusals({ ...seen, answers: [...seen.answers.slice(0, 4), refusal('afterwards-3')] }).at(-1)!.text, /2 of 3 publications/);
});

test('a series of kills that lost or repeated something does not hold', () => {
  const ledger = { kills: 1, confirmed: 9, endpoints: 4, deliveries: 36, lost: 0, duplicates: 0, foretold: 0, unexplained: 0 };
  assert.deepEqual(judgeKills(ledger), []);
  for (const change of [{ lost: 1 }, { unexplained: 1 }, { confirmed: 0 }]) assert.equal(judgeKills({ ...ledger, ...change }).length, 1);
});

test('a hundred kills and stops and fifty ends, each by its number; a tenth when it must be quick', () => {
  const cases = allCases();
  assert.deepEqual(cases.map(({ number }) => number), Array.from({ length: 150 }, (_, i) => i + 1));
  assert.deepEqual(allCases(), cases);
  const moments = cases.flatMap((one) => (one.kind === 'run' ? [one.share] : []));
  assert.ok(moments.every((share) => share >= 0 && share < 1) && new Set(moments).size === moments.length);
  assert.equal(quickCases().length, 15);
  assert.ok(new Set(quickCases().map(groupOf)).size >= 10);
  const one = cases.find((each) => each.kind === 'run')!;
  assert.ok(one.kind === 'run' && redrawn(one, 2).share < one.share && redrawn(one, 2).share === redrawn(one, 2).share);
});

test('what did not hold and what was not run are on the page, and no claim counts them as held', () => {
  const tried: Tried[] = [
    { kind: 'harness', number: 1, group: 'harness: SIGKILL', moment: '812 ms after its start', misses: [] },
    { kind: 'harness', number: 2, group: 'harness: SIGKILL', moment: '99 ms after its start', misses: [{ aspect: 'nothing left', text: 'process 7 | node' }] },
    { kind: 'broker', number: 91, group: 'Redis: SIGKILL', moment: '', misses: [], notRun: 'not run: redis-server is not installed' },
    { kind: 'end', number: 101, group: 'harness: SIGTERM', moment: '', misses: [] },
  ];
  const { claims, markdown } = faultsOutcome(tried, 'question: x\nsubscribers: 5\n');
  assert.deepEqual(claims.map(({ text, held }) => [/^\d+ of \d+/.exec(text)![0], held]), [['1 of 2', false], ['0 of 1', false], ['1 of 1', true]]);
  assert.match(claims[1]!.text, /1 not run: redis-server is not installed/);
  assert.match(markdown, /^\| harness: SIGKILL \| 2 \| 2 of 2 \| 1 of 2 \| 2 of 2 \| 2 of 2 \| 2 of 2 \|$/m);
  assert.match(markdown, /^\| Redis: SIGKILL \| 1 \| not run \|/m);
  assert.match(markdown, /^\| 2 \| harness: SIGKILL, 99 ms after its start \| nothing left: process 7 &#124; node \|$/m);
});

test('what a killed process leaves is found: its children, their ports, their temporary files', async () => {
  const space = newSpace();
  try {
    // The child of the child is nobody's when its parent has been killed, and is stopped besides.
    const listener = join(space.folder, 'listener.cjs');
    writeFileSync(listener, 'require("net").createServer().listen(0, "127.0.0.1", () => process.send("up"))');
    const child = `const child = require("child_process").fork(${JSON.stringify(listener)}); child.on("message", () => console.log(child.pid))`;
    const parent = spawn(process.execPath, ['-e', child], { env: space.env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]; // its only output
    const orphan = Number(String(line));
    writeFileSync(join(space.temporary, 'half'), '');
    assert.deepEqual(space.processes().sort(), [parent.pid, orphan].sort());
    const listeners = listenersOf(space.processes());
    assert.equal(listeners.size, 1);
    signalTo(orphan, 'SIGSTOP');
    signalTo(parent.pid!, 'SIGKILL');
    await once(parent, 'exit');
    let left = '';
    // The kernel stops it a moment after it was told to.
    for (let i = 0; i < 500 && !left.includes('(stopped)'); i++) left = (await remaining(space, 10)).join();
    assert.match(left, new RegExp(`^${orphan} .*\\(stopped\\)$`));
    assert.equal(stillListening(listeners).length, 1);
    assert.deepEqual(filesLeft(space, true), ['tmp/half']);
    signalTo(orphan, 'SIGKILL');
    assert.deepEqual(await remaining(space, 10_000), []);
    assert.deepEqual(stillListening(listeners), []);
  } finally {
    await space.remove();
  }
  assert.ok(!existsSync(space.folder));
});
