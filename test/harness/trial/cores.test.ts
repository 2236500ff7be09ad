// Tests that advice names what can help: a load process more only where a core is left for it, other programs
// only where a process was kept waiting and the trial's own processes did not fill the machine.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Completed, ProcessUse } from '../../../core/result/result.ts';
import { coresAdvice, loadAdvice } from '../../../harness/trial/cores.ts';
import { outcomeOf } from '../../../harness/trial/outcome.ts';
import { pollRate } from '../../../harness/trial/poll-rate.ts';
import { processWarnings } from '../../../harness/trial/process-warnings.ts';
import { figuresOf, planOf, polls, readingsOf, sparse, streams } from './readings.ts';

/** A trial of one server, two load processes and a publisher, each with a share of a core. */
function using(
  server: number,
  load: number,
  publisher: number,
  waited?: number,
): Pick<Completed, 'processes'> {
  const { processes } = figuresOf({});
  const shares = { server, load, publisher, broker: 0, 'in-front': 0, network: 0 };
  return {
    processes: processes.map((one): ProcessUse => {
      const [ranUs, waitedUs] = [shares[one.role] * 1e7, (waited ?? 0) * 1e7];
      return {
        ...one,
        cpuUs: ranUs,
        wallUs: 1e7,
        ...(waited !== undefined && { busiest: { ranUs, waitedUs } }),
      };
    }),
  };
}

describe('a load process that used all that it may', () => {
  const full = using(0.5, 0.95, 0.1); // 2.5 cores in all
  test('one more, where a core is left', () =>
    assert.equal(
      loadAdvice(full, { cores: 4 }, 10),
      'Use one more load process (--set loadProcesses=3), or less load.',
    ));
  test('none more, where the cores are used', () =>
    assert.equal(
      loadAdvice(full, { cores: 3 }, 10),
      "No core is left for another load process: the trial's own processes used 2.5 of 3 cores. Use less " +
        'load, or a machine with more cores.',
    ));
  test('none more than there are subscribers', () =>
    assert.equal(loadAdvice(full, { cores: 16 }, 2), 'Use less load.'));
});

describe('a process that came late', () => {
  const advice = (trial: Pick<Completed, 'processes'>, cores: number) =>
    coresAdvice(trial, { cores }, 'publisher', 'Publish less');
  test("the trial's own processes had the cores, however long it waited", () =>
    assert.equal(
      advice(using(1, 0.4, 0.1, 0.5), 2),
      "The trial's own processes used 1.9 of 2 cores. Publish less, or measure on a machine with more cores.",
    ));
  test('it waited, and others than the trial had cores', () =>
    assert.equal(
      advice(using(0.3, 0.2, 0.1, 0.2), 2),
      "It waited 20 % of the measured phase for a core, while the trial's own processes used 0.8 of 2 " +
        'cores. Publish less, or close other programs.',
    ));
  test('a target of which nothing was read may have had the cores', () => {
    const { processes } = using(0, 0.2, 0.1, 0.2);
    const target = { processes: processes.filter(({ role }) => role !== 'server') };
    assert.match(advice(target, 2), /used 0\.5 of 2 cores, the target not counted\. Publish less, or close/);
  });
  test('it did not wait', () => assert.equal(advice(using(0.3, 0.2, 0.1, 0.05), 2), 'Publish less.'));
  test('nobody knows whether it waited', () =>
    assert.equal(advice(using(0.3, 0.2, 0.1), 2), 'Publish less, or close other programs.'));
});

describe('where a quota holds the trial back, advice is to raise it', () => {
  const plan = { cores: 2, quotaCores: 0.3 };
  const raise =
    'Raise the quota (docker run --cpus, resources.limits.cpu in Kubernetes, CPUQuota in systemd), or ';
  test('and the quota counts as the cores that there are', () => {
    const full = using(0.1, 0.05, 0.08, 0.5); // 0.28 in all
    const used = "the trial's own processes used 0.28 of the 0.3 cores that a quota leaves of 2";
    assert.equal(
      coresAdvice(full, plan, 'publisher', 'Publish less'),
      `T${used.slice(1)}. ${raise}publish less.`,
    );
    assert.equal(
      loadAdvice(full, plan, 10),
      `No core is left for another load process: ${used}. ${raise}use less load.`,
    );
  });
  const throttling = { periods: 100, throttledPeriods: 1, throttledUs: 1 };
  test('though the mean over the measured phase left some of it over', () =>
    assert.match(
      coresAdvice({ ...using(0.05, 0.05, 0.01, 0.5), throttling }, plan, 'load', 'Use less load'),
      /used 0\.16 of the 0\.3 cores that a quota leaves of 2\. Raise the quota .*, or use less load\.$/,
    ));
  test('a server that waited for it', () => {
    const trial = { ...figuresOf({}), ...using(0.2, 0.04, 0.02, 0.78), throttling };
    const { message } = processWarnings(plan, readingsOf(), trial).find(
      ({ code }) => code === 'server-starved',
    )!;
    assert.match(message, /^a CPU quota kept the server from the cores that it needed/);
    assert.match(message, /The quota was used up: .* Raise the quota/);
    assert.doesNotMatch(message, /other programs/);
  });
});

test('a server without a core: who had it is told by what the trial used itself', () => {
  const said = (load: number) => {
    const trial = { ...figuresOf({}), ...using(0.4, load, 0.1, 0.6) };
    return processWarnings({ cores: 2 }, readingsOf(), trial).find(({ code }) => code === 'server-starved')!
      .message;
  };
  assert.match(
    said(0.7),
    /Clients and publisher had them: the trial's own processes used 1\.9 of 2 cores\. Use less load/,
  );
  assert.match(said(0.1), /The latencies are those of a server that waits\. Close other programs\.$/);
});

test('polls that fell short: the machine is blamed only where a process had no time left', () => {
  const said = (server: number, load: number) => {
    const trial = { ...figuresOf({}), ...using(server, load, 0.1, 0) };
    return pollRate(planOf().scenario, polls, trial)[0]!.message;
  };
  assert.match(said(0.96, 0.2), /\(0 %\): the server had no time left \(it used 96 % of a core\)/);
  assert.match(said(0.2, 0.95), /\(0 %\): a load process had no time left \(it used 95 % of a core\)/);
  const neither = said(0.2, 0.3);
  assert.match(
    neither,
    /the server used 20 % of a core and the busiest load process 30 %\. Polls that were due/,
  );
  assert.doesNotMatch(neither, /time left/);
  const unread = figuresOf({ serverReadings: 'none' });
  const ofTarget = pollRate(planOf().scenario, polls, unread)[0]!.message;
  assert.match(
    ofTarget,
    /\(0 %\): the busiest load process used 10 % of a core, and the target's CPU was not/,
  );
});

test('a publisher that sends in turn and waits for answers is told so, and nothing of cores', () => {
  const { done } = readingsOf();
  const readings = readingsOf({
    done: { ...done, lag: sparse([50_000, 1000]), roundTrip: sparse([30_000, 1000]) },
  });
  const said = (besideTargets: boolean) =>
    outcomeOf({ ...planOf(), besideTargets }, streams, readings).warnings.find(
      ({ code }) => code === 'publisher-late',
    )!.message;
  assert.match(
    said(true),
    /Half of the events took 30 ms or more to be confirmed.*publish less, or on more topics/,
  );
  assert.match(
    said(false),
    /The publisher was late, not the server\. Publish less, or close other programs\.$/,
  );
});
