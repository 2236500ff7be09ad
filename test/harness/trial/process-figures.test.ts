// Tests what processes used and counted, on scripted processes in virtual time: what is read from outside
// holds however late a process says something of itself, and what is an estimate is said to be one.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { figureOf, metrics } from '../../../core/metrics/registry.ts';
import type { Completed, Result } from '../../../core/result/result.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { completed, runFake } from '../../fake/run.ts';

/** 100 subscribers, 10 events a second: 1,000 deliveries a second, for 20 s in slots of 500 ms. */
const runWith = async (script: string): Promise<{ result: Result; trial: Completed }> => {
  const { result } = await runFake(`variants: [{ fake: { ${script} } }]`);
  return { result, trial: completed(result) };
};
const server = (trial: Completed) => trial.processes.find(({ role }) => role === 'server')!;
const codes = (result: Result, level: 'invalid' | 'note') =>
  result.trials[0]!.warnings.filter((one) => one.level === level).map(({ code }) => code);
const read = (name: string, trial: Completed) => metrics[name]!.read(trial);
const near = (actual: number | undefined, expected: number) =>
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) < 1e-6 * expected,
    `${actual}, not ${expected}`,
  );

describe('a saturated server that answers seconds late', () => {
  const late = 'serverCpu: 0.98, serverIdleCpu: 0.01, serverWaits: 0.01, samplesLate: 9s';
  test('its CPU is that of the whole measured phase', async () => {
    const { trial } = await runWith(late);
    const { cpuUs, wallUs, cpuSource } = server(trial);
    assert.deepEqual([wallUs, cpuSource], [20e6, 'outside']);
    near(cpuUs, 0.98 * 20e6);
    // 0.98 of a core less 0.01, over 1,000 deliveries a second
    near(read('server-cpu-per-delivery', trial), 970);
    near(read('server-cpu-per-delivery.whole', trial), 980);
    const shares = trial.series.columns['serverCpuShare']!.filter((share) => share !== null);
    assert.ok(shares.length >= 40);
    shares.forEach((share) => near(share, 0.98));
  });
  test('and it is called saturated, in the warning, the table and the sentence', async () => {
    const { result, trial } = await runWith(late);
    assert.ok(codes(result, 'note').includes('server-saturated'));
    assert.deepEqual(codes(result, 'invalid'), []);
    const { message } = result.trials[0]!.warnings.find(({ code }) => code === 'server-saturated')!;
    assert.match(
      message,
      /its busiest thread ran, or waited for a core, in 99 % .* used 98 % of a core\. Deliv/,
    );
    near(read('server-busy', trial), 0.99);
    const { columns, rows } = resultTable([result]);
    const at = columns.findIndex(({ key }) => key === 'server-cpu-per-delivery');
    assert.equal(rows[0]!.cells[at]!.text, '970 µs, saturated');
    assert.match(headlineOf([result]), /, fake .*\(saturated\) had a median latency of/);
  });
  test('from 95 % on', async () => {
    const saturated = async (share: number) =>
      codes((await runWith(`serverCpu: ${share}`)).result, 'note').includes('server-saturated');
    assert.deepEqual([await saturated(0.949), await saturated(0.951)], [false, true]);
  });
  test('one that other programs keep from running is not', async () => {
    const { result } = await runWith('serverCpu: 0.1, serverWaits: 0.87');
    assert.ok(codes(result, 'note').includes('server-starved'));
    assert.ok(!codes(result, 'note').includes('server-saturated'));
    assert.doesNotMatch(headlineOf([result]), /saturated/);
  });
});

describe('where nothing can be read from outside', () => {
  test('it is what the process says of itself, and the result says so', async () => {
    const { result, trial } = await runWith('unseen: true');
    const { cpuSource, cpuUs, wallUs, idleShare, busiest } = server(trial);
    assert.deepEqual(
      [cpuSource, cpuUs, wallUs, idleShare, busiest],
      ['self', 2e6, 20e6, undefined, undefined],
    );
    near(read('server-cpu-per-delivery', trial), 100);
    assert.deepEqual(codes(result, 'invalid'), []);
  });
  test('its CPU is void where it came late by more than a tenth of the measured phase', async () => {
    const { result, trial } = await runWith('unseen: true, silentFor: 2100ms');
    assert.deepEqual(codes(result, 'invalid'), ['cpu-elsewhen']);
    assert.deepEqual(figureOf('server-cpu-per-delivery', trial), {
      value: undefined,
      why: 'void: cpu-elsewhen',
      voided: ['cpu-elsewhen'],
    });
    assert.ok(figureOf('latency.p50', trial).value !== undefined, 'latencies stand');
    assert.match(
      result.trials[0]!.warnings.find(({ code }) => code === 'cpu-elsewhen')!.message,
      /^the CPU of the server was read over 17\.9 s, while the measured phase took 20 s .*its own CPU/,
    );
    assert.deepEqual(codes((await runWith('unseen: true, silentFor: 1900ms')).result, 'invalid'), []);
  });
});

describe('a load process that comes late to count', () => {
  test('what it counted is brought to the ends of the phase by how fast it grew', async () => {
    const { result, trial } = await runWith('loadSamplesLate: 400ms');
    assert.deepEqual(codes(result, 'invalid'), []);
    assert.ok(Math.abs(trial.measuredDeliveries - 20_000) <= 200, String(trial.measuredDeliveries));
  });
  test('by more than a tenth of it, its counts are void, and latencies are not', async () => {
    const { result, trial } = await runWith('loadSamplesLate: 2100ms');
    assert.deepEqual(codes(result, 'invalid'), ['sampled-late']);
    const found = ['requests', 'bytes-per-delivery', 'deliveries-per-s', 'server-cpu-per-delivery'];
    for (const name of found) assert.equal(figureOf(name, trial).value, undefined, name);
    for (const name of ['latency.p50', 'missed']) assert.ok(figureOf(name, trial).value !== undefined, name);
    assert.deepEqual(codes((await runWith('loadSamplesLate: 1600ms')).result, 'invalid'), []);
  });
});
