// Settings of --inject: what is read is what is written, and mistakes are told.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parseInjection, writeInjection } from '../../../core/scenario/injection.ts';

test('every setting is read in its unit, alone and together', () => {
  const cases: [string, object][] = [
    ['delay=5ms', { delayMs: 5 }],
    ['cpu=50us/msg', { cpuUsPerMessage: 50 }],
    ['cpu=1.5ms/msg', { cpuUsPerMessage: 1500 }],
    ['descriptors=2/connection', { descriptorsPerConnection: 2 }],
    ['loss=0.1%', { lossShare: 0.001 }],
    ['duplicates=100%', { duplicateShare: 1 }],
    ['delay=1s, loss=2%', { delayMs: 1000, lossShare: 0.02 }],
  ];
  for (const [text, injection] of cases) assert.deepEqual(parseInjection(text), injection, text);
});

test('what is written is read back', () => {
  const all = 'delay=5ms,cpu=50us/msg,descriptors=1/connection,loss=0.1%,duplicates=0.3%';
  assert.equal(writeInjection(parseInjection(all)), all);
});

test('mistakes name the setting and how it is written', () => {
  const cases: [string, RegExp][] = [
    ['dely=5ms', /nothing called "dely" to inject; did you mean "delay"\?/],
    ['xyz', /nothing called "xyz" to inject; there are: delay, cpu, descriptors, loss/],
    ['delay=5', /"delay=5" cannot be injected: write it like delay=5ms \(at least 1ms, at most 1m\)/],
    ['delay=0ms', /cannot be injected/],
    ['delay=2m', /cannot be injected/],
    ['cpu=50us', /write it like cpu=50us\/msg/],
    ['descriptors=1', /write it like descriptors=1\/connection/],
    ['loss=2', /write it like loss=0\.1%/],
    ['duplicates=0%', /write it like duplicates=0\.1%/],
  ];
  for (const [text, message] of cases)
    assert.throws(() => parseInjection(text), { code: 'inject', message }, text);
});
