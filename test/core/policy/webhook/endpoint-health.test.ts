// When failures disable an endpoint, by each rule, and what an answer of 410 does.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { ReceiverAnswer } from '../../../../core/policy/webhook/answer.ts';
import {
  countAnswer,
  reasonToDisable,
  type DisableRule,
  type Health,
} from '../../../../core/policy/webhook/endpoint-health.ts';

const day = 86_400_000;
const status = (code: number): ReceiverAnswer => ({ kind: 'answered', status: code });
const timeout: ReceiverAnswer = { kind: 'failed', reason: 'no whole answer within 5 ms', timedOut: true };

/** Tells a rule of answers, each at its time. @returns what it says after each */
function reasons(rule: DisableRule, answers: readonly (readonly [atMs: number, ReceiverAnswer])[]) {
  const health: Health = { failures: 0, failingSinceMs: undefined };
  return answers.map(([atMs, answer]) => {
    countAnswer(health, answer, atMs);
    return reasonToDisable(rule, health, answer, atMs);
  });
}

describe('after-100-failures', () => {
  test('disables with the hundredth failure in a row, and after a success the count begins again', () => {
    const failures = Array.from({ length: 99 }, (_, i) => [i, timeout] as const);
    const said = reasons('after-100-failures', [
      ...failures,
      [99, status(204)],
      ...failures,
      [200, status(500)],
    ]);
    assert.deepEqual(
      said.map((reason, i) => (reason === undefined ? undefined : i)).filter((i) => i !== undefined),
      [199],
    );
    assert.equal(said[199], '100 attempts in a row failed');
  });
});

describe('after-5-days', () => {
  test('disables with the first failure after five days of them, and begins again after a success', () => {
    const said = reasons('after-5-days', [
      [0, status(500)],
      [4 * day, status(204)],
      [5 * day, status(500)],
      [10 * day - 1, status(500)],
      [10 * day, status(500)],
    ]);
    assert.deepEqual(said, [undefined, undefined, undefined, undefined, 'every attempt of five days failed']);
  });
});

test('never disables for nothing but 410', () => {
  const many = Array.from({ length: 1000 }, (_, i) => [i * day, status(500)] as const);
  const said = reasons('never', [...many, [1000 * day, status(410)]]);
  assert.deepEqual(new Set(said.slice(0, -1)), new Set([undefined]));
  assert.equal(said.at(-1), 'answered 410 Gone');
});

test('only what changes the count is said to: a first success changes nothing', () => {
  const health: Health = { failures: 0, failingSinceMs: undefined };
  assert.equal(countAnswer(health, status(200), 1), false);
  assert.equal(countAnswer(health, status(301), 2), true);
  assert.deepEqual(health, { failures: 1, failingSinceMs: 2 });
  assert.equal(countAnswer(health, status(200), 3), true);
  assert.deepEqual(health, { failures: 0, failingSinceMs: undefined });
});
