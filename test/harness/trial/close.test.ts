// Holds in virtual time the order of a trial's end: load processes close their ledgers, and the servers count
// when all of them have, so that both sides count the same.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { closeAll } from '../../../harness/trial/close.ts';
import { closedBy, counters, planOf } from './readings.ts';
import { serverSample, stageOf, type ScriptedStage } from './scripted-stage.ts';

const drained = {
  ranges: [
    { first: 101, last: 1100 },
    { first: 1, last: 0 },
  ],
  unconfirmed: [{ topic: 0, seq: 500 }],
  drainUs: 0,
};

const measured = { playing: { begun: Promise.resolve(), soFar: () => [] } };

/** Two servers and two load processes, of which the second takes 300 ms to close. */
function slowEnd(gone = [false, false]): ScriptedStage {
  const scripted: ScriptedStage = stageOf(
    planOf(),
    {
      load: {
        close: (_, inbox, index) => {
          scripted.later(scripted.world.clock.nowUs() + index * 300_000, () => {
            inbox.deliver({ kind: 'acted', act: 1, atUs: 70 + index });
            inbox.deliver(closedBy({ missed: index }));
          });
        },
      },
      server: {
        sample: (_, inbox, index) => {
          inbox.deliver({ kind: 'acted', act: 0, atUs: 50 + index });
          inbox.deliver(
            serverSample(scripted.world, {
              counters: counters({ events: [100, 11][index]!, handshakes: index }),
              ...(gone[index] && { gone: true }),
            }),
          );
        },
      },
    },
    { servers: 2 },
  );
  return scripted;
}

test('every load process is told what belongs to the measured phase', async () => {
  const { stage, told, progress } = slowEnd();
  const { closed } = await closeAll(stage, drained, measured);
  const commands = told.flatMap(({ command }) => (command.kind === 'close' ? [command] : []));
  assert.equal(commands.length, 2);
  for (const { firstSeq, lastSeq, unconfirmed } of commands)
    assert.deepEqual([[...firstSeq], [...lastSeq], unconfirmed], [[101, 1], [1100, 0], drained.unconfirmed]);
  assert.deepEqual(
    closed.map(({ ledger }) => ledger.missed),
    [0, 1],
    'in the order of the processes',
  );
  assert.deepEqual(
    progress.map(({ phase }) => phase),
    ['close'],
  );
});

test('the servers count last, a moment after the last subscriber has gone', async () => {
  const { stage, first, order } = slowEnd();
  const { serverCounters } = await closeAll(stage, drained, measured);
  assert.deepEqual(order('close', 'sample'), [
    'load 1 close',
    'load 2 close',
    'server 1 sample',
    'server 2 sample',
  ]);
  assert.equal(first('server 1', 'sample').atUs - first('load 1', 'close').atUs, 400_000);
  assert.deepEqual(serverCounters, counters({ events: 111, handshakes: 1 }), 'of all servers together');
});

test('what the processes did for faults, and whether a server is gone, is of all of them', async () => {
  const { stage } = slowEnd();
  const { acted, serverGone } = await closeAll(stage, drained, measured);
  assert.deepEqual(
    acted.map(({ act, atUs }) => [act, atUs]),
    [
      [0, 50],
      [0, 51],
      [1, 70],
      [1, 71],
    ],
  );
  assert.equal(serverGone, false);
  assert.equal((await closeAll(slowEnd([false, true]).stage, drained, measured)).serverGone, true);
});
