// Tests what becomes of calibrating trials that fail, are void, have no time or are interrupted; on scripted
// processes in virtual time.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Interruption } from '../../../core/base/errors.ts';
import { calibrate, type CalibrateOptions } from '../../../harness/calibrate/calibrate.ts';
import type { Point } from '../../../harness/calibrate/points.ts';
import { thisMachine } from '../../../harness/run/machine.ts';
import type { ServerPeer } from '../../../harness/trial/fleet.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { fakeOptions, withFake } from '../../fake/pattern.ts';

const point = (subscribers: number, perS: number): Point => ({
  pattern: 'fake',
  subscribers,
  perS,
  measureMs: 5000,
  repetition: 1,
});
const points = [point(10, 20), point(20, 20), point(10, 40)];

/** Scripted processes, the `n`-th trial with these options. */
function fleetWith(optionsOf: (n: number) => Partial<ReturnType<typeof fakeOptions.parse>>) {
  const fleet = fakeFleet();
  let trials = 0;
  const server = (): ServerPeer => {
    const peer = fleet.server();
    const own = optionsOf(++trials);
    return {
      ...peer,
      send: (command) =>
        peer.send(
          command.kind === 'start' ? { ...command, options: { ...command.options, ...own } } : command,
        ),
    };
  };
  return { ...fleet, server };
}

async function run(more: Partial<CalibrateOptions> = {}) {
  const said: string[] = [];
  const started: string[] = [];
  const calibration = await calibrate({
    points,
    budgetMs: 1e9,
    registry: withFake,
    fleet: fakeFleet(),
    machine: thisMachine(),
    observer: {
      trialStarted: ({ as }, number, of) => void started.push(`${number}/${of} ${as}`),
      progress() {},
      trialEnded() {},
      note: (text) => void said.push(text),
    },
    signal: new AbortController().signal,
    ...more,
  });
  return { ...calibration, said, started };
}

const sizes = (measured: { point: Point }[]) =>
  measured.map(({ point: { subscribers, perS } }) => `${subscribers} ${perS}`);

test('every point is a run of its own, on the cores that the fleet keeps its processes to', async () => {
  const pinned = { server: '0', load: '1', publisher: '1' };
  const { measured, leftOut, environment, end, started } = await run({ fleet: { ...fakeFleet(), pinned } });
  assert.deepEqual(sizes(measured), ['10 20', '20 20', '10 40']);
  assert.deepEqual([leftOut, end.kind], [[], 'finished']);
  assert.ok(environment);
  assert.equal(started[1], '2/3 20 subscribers, 20 events/s');
  for (const { trial, point: own } of measured) {
    assert.ok(trial.outcome.status === 'completed');
    assert.deepEqual(trial.pinned, pinned);
    assert.equal(trial.outcome.subscribers, own.subscribers);
    assert.equal(trial.outcome.ledger.published, own.perS * 5);
  }
});

test('a void point is run again behind the others', async () => {
  const { measured, leftOut, said, started } = await run({
    fleet: fleetWith((n) => (n === 1 ? { loadCpu: 0.97 } : {})),
  });
  assert.deepEqual(sizes(measured), ['20 20', '10 40', '10 20']);
  assert.deepEqual(leftOut, []);
  assert.match(said[0]!, /^fake with 10 subscribers, 20 events\/s will be run again: .*measured the load/);
  assert.equal(started.at(-1), '1/3 10 subscribers, 20 events/s');
});

test('one that is void twice is left out with the reason, and the others stand', async () => {
  // The second point, and the repetition at the end.
  const { measured, leftOut, end } = await run({
    fleet: fleetWith((n) => (n === 2 || n === 4 ? { serverCpu: 0.99 } : {})),
  });
  assert.deepEqual(sizes(measured), ['10 20', '10 40']);
  assert.deepEqual(leftOut, [
    'fake with 20 subscribers, 20 events/s: The server had no time left, so its latencies are those of a ' +
      'queue.',
  ]);
  assert.equal(end.kind, 'finished');
});

test('a process that dies in the middle is no end of it', async () => {
  const { measured, leftOut } = await run({
    fleet: fleetWith((n) => (n === 1 || n === 4 ? { fail: 'server-dies' } : {})),
  });
  assert.deepEqual(sizes(measured), ['20 20', '10 40']);
  assert.match(leftOut.join('\n'), /^fake with 10 subscribers, 20 events\/s: .*ended in the middle/);
});

test('what there is no time for is not begun, and a repetition is not either', async () => {
  // A trial takes 10.5 s by its phases; the clock says that each took 11 s.
  let nowMs = 0;
  const { measured, unstarted, leftOut } = await run({
    budgetMs: 24_000,
    fleet: fleetWith((n) => (n === 1 ? { loadCpu: 0.97 } : {})),
    nowMs: () => nowMs,
    observer: {
      trialStarted() {},
      progress() {},
      trialEnded: () => void (nowMs += 11_000),
      note() {},
    },
  });
  assert.deepEqual(sizes(measured), ['20 20']);
  assert.deepEqual(unstarted, [points[2]]);
  assert.match(leftOut.join('\n'), /measured the load.* No time was left to run it again\.$/);
});

test('a point that the machine has no room for is left out at once', async () => {
  const machine = { ...thisMachine(), descriptorLimit: 80 };
  const { measured, leftOut, started } = await run({ machine });
  assert.deepEqual(sizes(measured), ['10 20', '10 40']);
  assert.match(leftOut.join('\n'), /^fake with 20 subscribers, 20 events\/s: .*descriptor/);
  assert.equal(started.length, 2);
});

test('where processes do not start, nothing more is tried', async () => {
  const fleet = fakeFleet();
  const broken = Promise.reject<never>(new Error('no such module'));
  broken.catch(() => {});
  const { measured, end, started } = await run({
    fleet: { ...fleet, server: () => Object.assign(fleet.server(), { broken }) },
  });
  assert.deepEqual([measured.length, started.length], [0, 1]);
  assert.ok(end.kind === 'failed' && /did not start/.test(end.why));
});

test('a signal ends it, and what was measured before is there', async () => {
  const stop = new AbortController();
  let trials = 0;
  const { measured, end } = await run({
    signal: stop.signal,
    observer: {
      trialStarted() {
        if (++trials === 2) stop.abort(new Interruption('SIGINT'));
      },
      progress() {},
      trialEnded() {},
      note() {},
    },
  });
  assert.deepEqual(sizes(measured), ['10 20']);
  assert.equal(end.kind, 'interrupted');
});
