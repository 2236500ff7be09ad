// Holds in virtual time what happens up to the end of the measured phase: who is told what, what is read from
// outside and when, and that nothing ends before every sender has its answers.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Window } from '../../../core/protocol/control.ts';
import { measure, windowAhead } from '../../../harness/trial/measure.ts';
import { startSampling } from '../../../harness/trial/sampling.ts';
import { planOf, sparse } from './readings.ts';
import { doneWith, stageOf, type ScriptedStage } from './scripted-stage.ts';

/** Runs the phase. @returns what it read, its window, and when it was over */
async function run({ stage, world }: ScriptedStage) {
  const window = windowAhead(stage);
  const sampling = startSampling(stage.peers, window, 'self');
  const read = await measure(stage, window, sampling, false);
  return { read, window, endUs: world.clock.nowUs() };
}

test('the warm-up begins a little ahead, and the measured phase right after it', () => {
  const { stage, world } = stageOf(planOf({ phases: { warmup: '1500ms', measure: '10s' } }));
  const now = world.clock.nowUs();
  assert.deepEqual(windowAhead(stage), {
    warmupFromUs: now + 200_000,
    fromUs: now + 1_700_000,
    toUs: now + 11_700_000,
    slotUs: 250_000,
  });
});

test('everybody is told the window at once, and all ends when the publisher has its answers', async () => {
  const plan = planOf();
  const done = doneWith(plan);
  const scripted: ScriptedStage = stageOf(plan, {
    publisher: {
      window: ({ window: { toUs } }, inbox) => scripted.later(toUs + 2_000_000, () => inbox.deliver(done)),
    },
  });
  const { read, window, endUs } = await run(scripted);
  assert.deepEqual(scripted.order('window', 'messages'), [
    'load 1 window',
    'load 2 window',
    'publisher window',
  ]);
  for (const { command } of scripted.told)
    if (command.kind === 'window') assert.deepEqual(command.window, window);
  assert.equal(read.done, done);
  assert.deepEqual([read.sent, read.playing.soFar()], [[], []]);
  assert.equal(endUs, window.toUs + 2_000_000);
});

test('the network of the host is read at the two ends of the measured phase, and at no other', async () => {
  const scripted: ScriptedStage = stageOf(
    planOf(),
    {},
    { probe: { networkCount: () => ({ segments: 1, bytes: scripted.world.clock.nowUs() }) } },
  );
  const { read, window } = await run(scripted);
  assert.deepEqual(read.network, {
    from: { segments: 1, bytes: window.fromUs },
    to: { segments: 1, bytes: window.toUs },
  });
});

test('what a quota did is that of the measured phase: stops before it are not its', async () => {
  const scripted: ScriptedStage = stageOf(
    planOf(),
    {},
    {
      probe: {
        // Stopped for half of all the time.
        throttling: () => {
          const nowUs = scripted.world.clock.nowUs();
          return [
            { file: 'cpu.stat', periods: nowUs / 1e5, throttledPeriods: nowUs / 1e5, throttledUs: nowUs / 2 },
          ];
        },
      },
    },
  );
  const { read } = await run(scripted);
  assert.deepEqual(read.throttling, { periods: 100, throttledPeriods: 100, throttledUs: 5e6 });
});

test('peaks are the highest of all readings, and what cannot be read has none', async () => {
  const peaksOf = async (
    descriptors: (share: number) => number | undefined,
    kernel: (share: number) => number | undefined,
  ) => {
    const scripted: ScriptedStage = stageOf(
      planOf(),
      {},
      {
        servers: 2,
        probe: {
          countDescriptors: () => descriptors(shareNow()),
          kernelSocketBytes: () => kernel(shareNow()),
        },
      },
    );
    const startUs = scripted.world.clock.nowUs();
    // 0.2 s ahead, 1 s of warm-up, 10 s.
    const shareNow = () => (scripted.world.clock.nowUs() - startUs) / 11_200_000;
    const { descriptorsPeak, kernelPeakBytes } = (await run(scripted)).read;
    return [descriptorsPeak, kernelPeakBytes];
  };
  const inTheMiddle = (share: number) => (share > 0.5 && share < 0.55 ? 45 : 30);
  assert.deepEqual(await peaksOf(inTheMiddle, inTheMiddle), [90, 45], 'of two servers, and of the host');
  const atTheEnd = (share: number) => (share === 1 ? 50 : 30);
  assert.deepEqual(await peaksOf(atTheEnd, atTheEnd), [100, 50]);
  const never = () => undefined;
  assert.deepEqual(await peaksOf(never, never), [0, undefined]);
  const onceReadable = (share: number) => (share > 0.5 ? 20 : undefined);
  assert.deepEqual(await peaksOf(onceReadable, onceReadable), [40, 20]);
});

test('the servers are sampled at both ends of the measured phase', async () => {
  const scripted = stageOf(planOf(), {}, { servers: 2 });
  const { window } = await run(scripted);
  for (const name of ['server 1', 'server 2']) {
    const times = scripted.told
      .filter((one) => one.name === name && one.command.kind === 'sample')
      .map(({ atUs }) => atUs);
    assert.ok(times.includes(window.fromUs) && times.includes(window.toUs), name);
  }
});

test('a view is told how much of the warm-up and of the measured phase is over', async () => {
  const scripted = stageOf(planOf({ phases: { warmup: '1s', measure: '10s' } }));
  await run(scripted);
  const told = scripted.progress.map(({ phase, share }) => [phase, share] as const);
  const sharesOf = (phase: string) => told.filter(([name]) => name === phase).map(([, share]) => share);
  assert.deepEqual(sharesOf('warmup'), [0, 0.25, 0.5, 0.75]);
  assert.deepEqual(
    sharesOf('measure'),
    Array.from({ length: 41 }, (_, i) => i / 40),
  );
  assert.equal(told.length, 45);
});

test('where subscribers publish, each load process sends its own, and the numbers are joined', async () => {
  const plan = planOf({
    subscribers: 2,
    topics: { news: { publish: '1/s' }, chat: { publish: '4/s', by: 'subscribers' } },
  });
  const { publisher, loads } = plan.senders!;
  // The process that sends event i of the whole plan says 1000 + i of it.
  const seqOf = (index: Uint32Array) => Int32Array.from(index, (i) => 1000 + i);
  const lateUs = [300_000, 900_000];
  let window: Window | undefined;
  const scripted: ScriptedStage = stageOf(plan, {
    publisher: {
      window: ({ window: own }, inbox) =>
        scripted.later(own.toUs, () => inbox.deliver(doneWith(plan, seqOf(publisher.index)))),
    },
    load: {
      window: (command, inbox, index) => {
        window = command.window;
        scripted.later(window.toUs + lateUs[index]!, () =>
          inbox.deliver({
            kind: 'sent',
            seq: seqOf(loads[index]!.index),
            lag: sparse([10 + index, 1]),
            upstream: sparse(),
            problems: [],
          }),
        );
      },
    },
  });
  const { read, endUs } = await run(scripted);
  assert.deepEqual(
    [...read.done.seq],
    Array.from(plan.publish.topic, (_, i) => 1000 + i),
  );
  assert.deepEqual(
    read.sent.map(({ lag }) => lag.maxUs),
    [10, 11],
  );
  assert.equal(endUs, window!.toUs + 900_000, 'not before the last of them has its answers');
  assert.deepEqual(scripted.order('messages', 'window'), [
    'load 1 messages',
    'load 2 messages',
    'load 1 window',
    'load 2 window',
    'publisher window',
  ]);
  for (const [i, name] of ['load 1', 'load 2'].entries()) {
    const { command } = scripted.first(name, 'messages');
    assert.ok(command.kind === 'messages');
    assert.deepEqual([command.plan, command.sender], [loads[i]!.plan, loads[i]!.sender]);
  }
});
