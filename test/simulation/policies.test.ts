// Holds the simulator to the code of the real thing: what it decides by of core/policy/ is what servers, load
// clients and the harness decide by, and what these decide by is simulated, or left out with a reason.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'vitest';
import { goodbyeSpreadMs } from '../../core/policy/server/goodbye.ts';

const policies = 'core/policy';

/** What of core/policy/ runs in some rooms, as `client/choose-server.ts chooseServer`. */
function decisionsIn(rooms: readonly string[]): Set<string> {
  const files = globSync(`{${rooms.join(',')},none}/**/*.ts`);
  assert.ok(files.length > 50, `${files.length} files`);
  return new Set(files.flatMap((file) => decisionsOf(readFileSync(file, 'utf8'), file)));
}

function decisionsOf(text: string, file: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s+\{([^}]*)\}\s+from\s+'(\.[^']+)'/gm)].flatMap(
    ([, names, path]) => {
      const from = join(dirname(file), path!);
      if (!from.startsWith(`${policies}/`)) return [];
      return names!
        .split(',')
        .map((name) => name.trim().split(' as ')[0]!)
        .filter((name) => name !== '' && !name.startsWith('type '))
        .map((name) => `${relative(policies, from)} ${name}`);
    },
  );
}

const allRead = 'models have no subscribers that read too slowly, and say so';
const allPoll = 'polling and long polling are simulated without faults: every poll is answered, and in time';
const told = 'what a client makes of a close is told to its policy (simulation/connections/pattern-rules.ts)';
const byHand = 'for operators and for several workers at one store, which models do not have';

/** What only real servers and clients decide by: a whole file, or one name of it. */
const leftOut: Readonly<Record<string, string>> = {
  'client/close-codes.ts': told,
  'client/fallback.ts': 'variants that fall back are refused in faults (simulation/refusals.ts)',
  'client/poll-status.ts': allPoll,
  'client/poll-times.ts isOverdue': allPoll,
  'client/poll-times.ts longPollAnswerWithinMs': allPoll,
  'client/poll-times.ts pollAnswerWithinMs': allPoll,
  'client/reconnect.ts heardMs': allPoll,
  'client/reconnect.ts longestAskedMs': 'a number in words for readers',
  'client/reconnect.ts noteRetryAfter': 'reads a header; models give its number to noteAsked',
  'server/drain.ts idleCloseMs': allPoll,
  'server/goodbye.ts goodbyeAtMs': 'drainTimesMs has it',
  'server/goodbye.ts goodbyeLimits': 'nothing hangs in a model',
  'server/goodbye.ts goodbyeSpreadMs': 'models let all go in one turn, as the test below expects',
  'server/heartbeat.ts decidePing': 'clients of models answer every ping',
  'server/history-pieces.ts': 'models send a history at once, and say so',
  'server/slow-subscriber.ts': allRead,
  'server/unread-limit.ts': allRead,
  'webhook/answer.ts failureOf': 'words for readers',
  'webhook/breaker.ts breakerState': 'words for readers',
  'webhook/breaker.ts resetBreaker': byHand,
  'webhook/dispatch.ts dropDeliveries': byHand,
  'webhook/dispatch.ts readAgain': byHand,
  'webhook/dispatch.ts recountEndpoint': byHand,
  'webhook/dispatch.ts releaseHeld': byHand,
  'webhook/endpoint-queue.ts endpointConcurrency': 'of stores in Redis and in queues, which have no model',
};

const lackingIn = (set: ReadonlySet<string>, all: Iterable<string>): string[] =>
  [...all].filter((one) => !set.has(one));

const simulated = decisionsIn(['simulation']);
const real = decisionsIn(['servers', 'load', 'harness']);

test('imports of policies are found, those of types left out', () => {
  const text = `import { type A, b,\n  c as d } from '../core/policy/client/one.ts';
import type { E } from '../core/policy/client/one.ts';
export { f } from '../core/policy/server/two.ts';
import { g } from '../core/base/three.ts';`;
  assert.deepEqual(decisionsOf(text, 'load/file.ts'), [
    'client/one.ts b',
    'client/one.ts c',
    'server/two.ts f',
  ]);
});

test("no policy is the simulator's alone", () => {
  assert.deepEqual(lackingIn(real, simulated), []);
  for (const one of [
    'client/poll-times.ts nextPollDueMs',
    'client/reconnect.ts takeWaitMs',
    'client/choose-server.ts chooseServer',
    'server/heartbeat.ts decideHeartbeat',
    'server/long-poll.ts decideEvent',
    'server/deploy-plan.ts deploySteps',
    'webhook/dispatch.ts beginNext',
    'webhook/judge.ts judgeDelivery',
  ])
    assert.ok(simulated.has(one), one);
});

test('what servers and clients decide by is simulated, or left out with a reason', () => {
  const only = lackingIn(simulated, real);
  const keyOf = (one: string) => (one in leftOut ? one : one.split(' ')[0]!);
  assert.deepEqual(
    only.filter((one) => !(keyOf(one) in leftOut)),
    [],
    'simulate them, or say here why models do without',
  );
  const unused = lackingIn(new Set(only.map(keyOf)), Object.keys(leftOut));
  assert.deepEqual(unused, [], 'simulated by now, or gone');
});

test('a server that closes tells all of its clients at once, as models have it', () => {
  assert.equal(goodbyeSpreadMs, 0);
});
