// A deploy says of which server a step could not be done, and why; and it takes no step after that.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { realClock } from '../../../core/base/clock.ts';
import { beginDeploy, type DeployScene } from '../../../harness/cluster/deploy.ts';

type Able = { [K in 'drain' | 'halt' | 'begin']?: boolean | undefined };

/** Three servers, of which the second may not be able to do something. */
function sceneOf(second: Able) {
  const seen: string[] = [];
  const done = (what: string, number: number, can = true) => {
    seen.push(`${what} ${number}`);
    return Promise.resolve(can);
  };
  const servers: readonly Able[] = [{}, second, {}];
  const scene: DeployScene = {
    clock: realClock,
    servers: servers.map(({ drain, halt, begin }, i) => ({
      number: i + 1,
      running: true,
      drain: () => done('drain', i + 1, drain),
      halt: () => done('halt', i + 1, halt),
      begin: () => done('begin', i + 1, begin),
    })),
    front: undefined,
    over: new AbortController().signal,
    act: 0,
  };
  return { scene, seen };
}

const rolling = { how: 'rolling', drain: { windowMs: 0, limitMs: 0 }, pauseMs: 0, parallel: 2 } as const;

test('a deploy of which every step can be done says nothing', async () => {
  const { scene, seen } = sceneOf({});
  assert.equal(await beginDeploy(rolling, scene), undefined);
  assert.deepEqual(seen, [
    'drain 1',
    'drain 2',
    'halt 1',
    'halt 2',
    'begin 1',
    'begin 2',
    'drain 3',
    'halt 3',
    'begin 3',
  ]);
});

test.each([
  [{ drain: false }, 'server 2 was not drained: it ended, or still had clients long after the limit', 2],
  [{ halt: false }, 'server 2 did not run', 4],
  [{ begin: false }, 'server 2 did not come up', 6],
])('where %j holds of the second server, it says that %s', async (second, why, steps) => {
  const { scene, seen } = sceneOf(second);
  assert.equal(await beginDeploy(rolling, scene), why);
  assert.equal(seen.length, steps);
});
