// Tests what is read of a server's CPU: what deliveries add to an idle server, and when it had no time left.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { lackOfTime } from '../../../core/metrics/processes.ts';
import { figureOf, metrics } from '../../../core/metrics/registry.ts';
import type { Completed, ProcessUse } from '../../../core/result/result.ts';
import { completed, processUse } from '../result/trial.ts';

describe('what a server uses', () => {
  /** 100 deliveries in 10 s, as in the known trial. */
  const using = (...servers: Partial<ProcessUse>[]) =>
    completed({ processes: servers.map((more) => processUse('server', more)) });
  const read = (name: string, trial: Completed) => metrics[name]!.read(trial);

  test('what it costs idle is taken off a delivery, and never more than there is', () => {
    const trial = using({ cpuUs: 2e6, idleShare: 0.05 });
    // 0.2 of a core less 0.05, for 10 s, over 100 deliveries
    assert.equal(read('server-cpu-per-delivery', trial), (0.2 - 0.05) * 1e5);
    assert.equal(read('server-cpu-per-delivery.whole', trial), 20_000);
    assert.equal(read('server-cpu.idle', trial), 0.05);
    assert.equal(read('server-cpu-per-delivery', using({ cpuUs: 2e6, idleShare: 0.3 })), 0);
    const two = using({ cpuUs: 2e6, idleShare: 0.05 }, { cpuUs: 1e6, idleShare: 0.02 });
    assert.equal(read('server-cpu.idle', two), 0.07);
    assert.equal(Math.round(read('server-cpu-per-delivery', two)!), 15_000 + 8000);
    assert.equal(read('server-cpu.idle', using({ idleShare: 0.1 }, {})), undefined, 'one was not read');
  });

  test('a cost within the noise of what the server uses idle is no figure', () => {
    const figure = (cpuUs: number) => figureOf('server-cpu-per-delivery', using({ cpuUs, idleShare: 0.04 }));
    assert.equal(Math.round(figure(0.5e6).value!), 1000); // 0.05 of a core is 1.25 times 0.04
    assert.deepEqual(figure(0.49e6), {
      value: undefined,
      why: 'the server used 4.9 % of a core under load and 4 % idle: the difference is within noise',
    });
    assert.equal(figureOf('server-cpu-per-delivery', using({ cpuUs: 1 })).value, 0.01, 'idle was not read');
  });

  test('where a fault started a server there is no cost of a delivery, as it has the start in it', () => {
    const at = { did: '', atMs: 0, atUs: 0 };
    const after = (kind: string, atUs: number | null) =>
      ['server-cpu-per-delivery', 'server-cpu-per-delivery.whole', 'server-cpu'].map(
        (name) =>
          figureOf(name, { ...using({ cpuUs: 2e6 }), faults: [{ ...at, kind, atUs }] }).value !== undefined,
      );
    for (const kind of ['deploy', 'restart', 'start']) assert.deepEqual(after(kind, 0), [false, false, true]);
    assert.deepEqual(after('kill', 0), [true, true, true]);
    assert.deepEqual(after('restart', null), [true, true, true], 'it did not happen');
  });

  test('CPU of another stretch counts by its share: 0.2 s of a full core is a full core', () => {
    assert.equal(read('server-cpu-per-delivery', using({ cpuUs: 0.2e6, wallUs: 0.2e6 })), 100_000);
  });

  const thread = (ranUs: number, waitedUs: number) => ({ cpuUs: ranUs, busiest: { ranUs, waitedUs } });

  test('it has no time left from 95 % on, waiting for a core included', () => {
    const lack = (ranUs: number, waitedUs: number) => lackOfTime(using(thread(ranUs, waitedUs)));
    assert.deepEqual(
      [lack(9.49e6, 0), lack(9.5e6, 0), lack(6e6, 3.5e6)],
      [undefined, 'saturated', 'saturated'],
    );
    assert.deepEqual(
      [lack(5e6, 4.6e6), lack(4.9e6, 4.6e6)],
      ['saturated', 'starved'],
      'others had the cores',
    );
    assert.equal(read('server-busy', using(thread(6e6, 2e6), { cpuUs: 3e6 })), 0.8);
  });

  test('where nobody read threads, the whole process is what is known', () => {
    assert.deepEqual(
      [9.49e6, 9.5e6].map((cpuUs) => lackOfTime(using({ cpuUs }))),
      [undefined, 'saturated'],
    );
    // Four workers that use a quarter each are not full.
    assert.equal(read('server-busy', using({ cpuUs: 1e7, outside: true })), undefined);
    assert.equal(lackOfTime(using({ cpuUs: 1e7, outside: true })), undefined);
  });
});
