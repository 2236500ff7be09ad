// The rules by which the validation judges a run that was hit can fail: each is broken once by hand.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judgeRun, type RunSeen, type Stored } from '../../bench/validate/faults/judge.ts';
import {
  trialOf,
  storedWith,
  failed,
  changed,
  nothing,
  killedServer,
  unfinished,
  killedHarness,
  ended,
} from './runs-seen.ts';

test('observations in which all holds are judged so', () => {
  for (const seen of [
    killedServer,
    killedHarness,
    ended,
    { ...ended, exit: { code: null, signal: 'SIGTERM' }, begun: false },
    {
      ...killedServer,
      hit: { victim: 'publisher', act: 'pause', trial: 1 } as const,
      exit: { code: 0, signal: null },
      stored: storedWith([trialOf('sse'), trialOf('websocket')]),
    },
    // Its figures were all in when the signal came.
    {
      ...killedServer,
      exit: { code: 0, signal: null },
      saidBefore: '[2/2] websocket: draining\n',
      stored: storedWith([trialOf('sse'), trialOf('websocket')]),
    },
    {
      ...killedHarness,
      stored: undefined,
      unexplained: ['a'],
      next: { output: 'a: killed before its first trial was over', remaining: ['a'] },
    },
    { ...killedHarness, stored: undefined, unexplained: ['a'], next: { output: '', remaining: [] } },
  ])
    assert.deepEqual(judgeRun(seen), []);
});

const broken: [what: string, seen: RunSeen, aspect: string, text: RegExp][] = [
  [
    'an exit code that is not what the result says',
    { ...killedServer, exit: { code: 0, signal: null } },
    'exit code',
    /exit code 0, and it should be 3/,
  ],
  [
    'a run that ends by a signal',
    { ...killedServer, exit: { code: null, signal: 'SIGSEGV' } },
    'exit code',
    /SIGSEGV/,
  ],
  [
    'a run that is asked to end and fails',
    { ...ended, exit: { code: 3, signal: null } },
    'exit code',
    /should be 130/,
  ],
  [
    'a run that the signal itself ends when it had begun',
    { ...ended, exit: { code: null, signal: 'SIGTERM' } },
    'exit code',
    /should be 130/,
  ],
  ['a run that ends late', { ...ended, endedMs: 3500 }, 'exit code', /3500 ms after the signal/],
  [
    'a process that is left',
    { ...killedServer, left: { ...nothing, processes: ['7 node'] } },
    'nothing left',
    /process 7 node/,
  ],
  [
    'a port that is left',
    { ...killedServer, left: { ...nothing, listeners: ['TCP port 7'] } },
    'nothing left',
    /TCP port 7/,
  ],
  [
    'a file that is left',
    { ...killedServer, left: { ...nothing, files: ['tmp/x'] } },
    'nothing left',
    /file tmp\/x/,
  ],
  [
    'a result that cannot be read',
    { ...killedHarness, stored: 'it is not whole JSON' },
    'account',
    /not whole JSON/,
  ],
  ['no result', { ...killedServer, stored: undefined }, 'account', /no result was stored/],
  [
    'a folder without a result after a run that could tidy up',
    { ...ended, unexplained: ['a'] },
    'account',
    /folder without a result: a/,
  ],
  [
    'a folder of which the next run says nothing',
    { ...killedHarness, stored: undefined, unexplained: ['a'], next: { output: '', remaining: ['a'] } },
    'account',
    /next run said nothing of a/,
  ],
  [
    'a killed process whose trial is completed',
    {
      ...killedServer,
      exit: { code: 0, signal: null },
      stored: storedWith([trialOf('sse'), trialOf('websocket')]),
    },
    'account',
    /websocket is not failed/,
  ],
  [
    'a failed trial that names another process',
    {
      ...killedServer,
      stored: storedWith([trialOf('sse'), failed('websocket', 'the load 1 process ended')]),
    },
    'account',
    /does not name the server/,
  ],
  [
    'a trial that is missing though the run went on',
    { ...killedServer, exit: { code: 0, signal: null }, stored: storedWith([trialOf('websocket')]) },
    'account',
    /no trial of sse/,
  ],
  [
    'a killed run that looks whole',
    { ...killedHarness, stored: storedWith([trialOf('sse')]) },
    'account',
    /does not say that the run is unfinished/,
  ],
  [
    'a killed run whose JUnit is green',
    {
      ...killedHarness,
      stored: { ...storedWith([trialOf('sse')], unfinished), junit: '<testsuites errors="0">' },
    },
    'account',
    /JUnit has no error/,
  ],
  [
    'a killed run whose JUnit does not name what is missing',
    {
      ...killedHarness,
      stored: { ...storedWith([trialOf('sse')], unfinished), junit: '<testsuites errors="1">' },
    },
    'account',
    /JUnit does not name/,
  ],
  [
    'a killed run whose Markdown is green',
    {
      ...killedHarness,
      stored: { ...storedWith([trialOf('sse')], unfinished), markdown: '✅ All held. websocket' },
    },
    'account',
    /expectations held/,
  ],
  [
    'a killed run whose Markdown does not name what is missing',
    { ...killedHarness, stored: { ...storedWith([trialOf('sse')], unfinished), markdown: '' } },
    'account',
    /Markdown does not name/,
  ],
  [
    'JUnit with fewer errors than bad trials',
    { ...killedServer, stored: { ...(killedServer.stored as Stored), junit: '<testsuites errors="0">' } },
    'account',
    /0 errors for 1 trials/,
  ],
  [
    'a ledger that does not close',
    {
      ...killedHarness,
      stored: storedWith([changed('sse', (one) => void one.ledger.delivered--), trialOf('websocket')]),
    },
    'ledger',
    /delivered 999/,
  ],
  [
    'a ledger that closes over fewer deliveries than planned',
    {
      ...killedHarness,
      stored: storedWith([
        changed('sse', (one) => void (one.ledger.expected = one.ledger.delivered = 900)),
        trialOf('websocket'),
      ]),
    },
    'ledger',
    /900 deliveries expected, 1000 planned/,
  ],
  [
    'two sides that count differently',
    {
      ...killedHarness,
      stored: storedWith([
        changed('sse', (one) => void Object.assign(one.checks[0]!, { agree: false })),
        trialOf('websocket'),
      ]),
    },
    'ledger',
    /events: 1000 and 1000/,
  ],
  [
    'a stack trace',
    { ...killedServer, output: 'Error: no\n    at obey (file:///a/b.ts:3:4)\n' },
    'words',
    /at obey/,
  ],
  [
    'a defect',
    { ...killedServer, output: 'This is a defect of pushbench; please report it' },
    'words',
    /defect/,
  ],
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
  const seen: RunSeen = {
    ...killedServer,
    hit: { victim: 'server', act: 'pause', trial: 1 },
    exit,
    stored: storedWith([open, trialOf('websocket')]),
  };
  assert.deepEqual(judgeRun(seen), []);
});
