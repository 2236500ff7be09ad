// Tests that secrets do not leave the harness where they could, besides what a target says: processes that
// break down, names of arms, the head of a result.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { openArm } from '../../../harness/ab/arms.ts';
import { processes, type Fleet } from '../../../harness/trial/fleet.ts';
import { createPeer } from '../../../harness/process/peer.ts';
import { checkTarget } from '../../../harness/target/check.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { targetFleet } from '../../../harness/target/target-peer.ts';
import { listen } from '../../load/context.ts';
import { createServer } from 'node:http';
import { token, writeTarget } from './foreign.ts';

const yaml = (url: string) =>
  `name: feed\nurl: ${url}\npublish: /in/{topic}\nsubscribe: { sse: '/out/{topic}' }\n` +
  'headers: { authorization: "Bearer ${FEED_TOKEN}" }\n';
const env = { FEED_TOKEN: token };
const inBase64 = Buffer.from(`Bearer ${token}`).toString('base64');

/** Load processes that end with this on their standard error, or that report it. */
function breaking(ends: boolean): Fleet {
  const said = `authorization: Bearer ${token}, ${inBase64}`;
  return {
    ...processes,
    load: (index) =>
      createPeer(`load ${index + 1}`, (inbox) => ({
        pid: 0,
        send(command) {
          if (command.kind === 'stop') inbox.ended('asked to');
          else if (ends) inbox.ended(`exit code 1; it said: ${said}`);
          else inbox.deliver({ kind: 'failed', code: 'defect', message: said });
        },
        kill() {},
      })),
  };
}

function assertClean(text: string): void {
  assert.ok(!text.includes(token), text);
  assert.ok(!text.includes(inBase64.slice(10, 20)), text);
  assert.match(text, /\$\{FEED_TOKEN\}/);
}

async function target(t: TestContext) {
  return openTarget(writeTarget(t, yaml(await listen(t, createServer()))), env);
}

for (const [how, ends] of [
  ['ends', true],
  ['reports a failure', false],
] as const) {
  test(`a load process that ${how}: what it said is passed on without the secrets`, async (t) => {
    const prepared = await target(t);
    const peer = targetFleet(breaking(ends), prepared).load(0);
    const next = assert.rejects(peer.next('ready', 1000), ({ message }: Error) => {
      assertClean(message);
      return true;
    });
    const broken = assert.rejects(peer.broken, ({ message }: Error) => {
      assertClean(message);
      return true;
    });
    peer.send({ kind: 'collect' });
    await Promise.all([next, broken]);
    const [finding] = await checkTarget(prepared, 'check', breaking(ends));
    assert.equal(finding!.works, false);
    assertClean(finding!.message);
  });
}

test('the name of an arm that is a command with a secret in it', (t) => {
  const { scenario } = parseScenario(
    'question: Which?\nsubscribers: 5\ntopics: { news: { publish: 10/s } }\nvariants: [sse]\n',
    { file: 'x.yaml', registry: patterns, overrides: [] },
  );
  const arm = openArm(`cmd:FEED_TOKEN=${token} node feed.js`, scenario, {
    registry: patterns,
    injection: undefined,
    openTarget: (file) => openTarget(file, env),
    targetFile: writeTarget(t, yaml('http://127.0.0.1:9')),
  });
  assert.equal(arm.name, 'cmd:FEED_TOKEN=${FEED_TOKEN} node feed.js');
});
