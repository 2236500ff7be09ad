// One constant bounds the body of an event, and every other bound follows from it. The figures here are
// computed by hand: a bound that was changed alone, or a formula that does not hold, fails.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import * as bounds from '../../../core/event/body-size.ts';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { readLimits } from '../../../core/base/read-file.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { obstaclesTo } from '../../../core/scenario/body-room.ts';

const MiB = 1024 ** 2;

describe('every bound, from a largest body of 8 MiB', () => {
  const rows: [name: keyof typeof bounds, bytes: number, reads: string][] = [
    ['largestBodyBytes', 8 * MiB, 'the constant'],
    ['largestMessageBytes', 48 * MiB + 1024, 'six bytes for each of the body, and what is around it'],
    ['answerEndsAtBytes', 8 * MiB, 'as many events as the largest body has bytes'],
    ['largestAnswerBytes', 64 * MiB + 1024, 'events below that, their commas, and one message'],
    ['largestQueueBytes', 64 * MiB, 'eight bodies'],
    ['readyBodiesBytes', 16 * MiB, 'two bodies'],
    ['manyBodiesBytes', 256 * MiB, '32 bodies'],
  ];
  for (const [name, bytes, reads] of rows) {
    test(`${name}: ${reads}`, () => assert.equal(bounds[name], bytes));
  }
  test('no bound is missing here, but for the two that the formulas add', () => {
    assert.deepEqual(
      Object.keys(bounds).sort(),
      [...rows.map(([name]) => name), 'alwaysHeldBytes', 'aroundBodyBytes'].sort(),
    );
  });
  test('a corpus holds as many bodies', () => {
    assert.equal(readLimits.corpus.mostBytes, bounds.manyBodiesBytes);
  });
});

/** An envelope whose fields are as long as they can be. */
const longest = (body: string) =>
  encodeEnvelope({
    id: `${'z'.repeat(16)}-${'9'.repeat(15)}`,
    topic: 't'.repeat(128),
    seq: 2 ** 31 - 2,
    plannedUs: Number.MAX_SAFE_INTEGER,
    sentUs: Number.MAX_SAFE_INTEGER,
    acceptedUs: Number.MAX_SAFE_INTEGER,
    crc: 2 ** 32 - 1,
    body,
  });

test('no body of n bytes takes more than 6 n and the room around it, whatever its text', () => {
  const around = Buffer.byteLength(longest('0')) - 1;
  assert.equal(around, 301);
  // Each byte below 0x80 by itself, and characters of two to four bytes.
  const characters = [
    ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
    'é',
    '日',
    '🎈',
  ];
  let most = 0;
  for (const character of characters) {
    const body = character.repeat(100);
    const share = (Buffer.byteLength(longest(body)) - around - 2) / Buffer.byteLength(body);
    most = Math.max(most, share);
  }
  assert.equal(most, 6, 'a control character is written as \\u0001');
  // `data: `, a frame's head, or the line end behind it, and the quotes of a JSON string.
  assert.ok(around + 2 + 'data: '.length + 10 <= bounds.aroundBodyBytes);
});

describe('which bodies arrive with which limits of the server', () => {
  const ample = {
    maxBody: bounds.largestBodyBytes,
    slowBuffer: bounds.largestBodyBytes,
    historySize: bounds.largestBodyBytes + bounds.aroundBodyBytes,
  };
  const all = Object.keys(patterns);
  const rows: [
    reads: string,
    bytes: number,
    limits: Partial<ServerLimits>,
    names: string[],
    raise: string[],
  ][] = [
    ['the largest with room for it', bounds.largestBodyBytes, {}, all, []],
    ['one byte more, which no setting helps', bounds.largestBodyBytes + 1, { maxBody: 2 ** 30 }, all, ['']],
    ['above maxBody', 1001, { maxBody: 1000 }, ['sse'], ['server.maxBody=1001']],
    ['above slowBuffer, pushed', 2 * MiB, { slowBuffer: MiB }, ['webhook'], [`server.slowBuffer=${2 * MiB}`]],
    ['above slowBuffer, fetched from the history', 2 * MiB, { slowBuffer: MiB }, ['polling'], []],
    ['above slowBuffer, but written at once', 64 * 1024, { slowBuffer: 0 }, ['sse'], []],
    [
      'above historySize, fetched',
      MiB,
      { historySize: MiB },
      ['sse', 'long-polling'],
      [`server.historySize=${MiB + 1024}`],
    ],
    ['above historySize, pushed', MiB, { historySize: 0 }, ['sse', 'websocket', 'webhook'], []],
    [
      'above all three',
      2 * MiB,
      { maxBody: MiB, slowBuffer: MiB, historySize: MiB },
      all,
      [`server.maxBody=${2 * MiB}`, `server.slowBuffer=${2 * MiB}`, `server.historySize=${2 * MiB + 1024}`],
    ],
  ];
  for (const [reads, bytes, limits, names, raise] of rows) {
    test(reads, () => {
      const given = { ...defaultLimits, ...ample, ...limits };
      const found = obstaclesTo(bytes, given, names, patterns);
      assert.deepEqual(
        found.map((one) => (one.raise ? `${one.raise.key}=${one.raise.toBytes}` : '')),
        raise,
      );
      // The settings that are named hold it.
      if (bytes > bounds.largestBodyBytes) return;
      const raised = Object.fromEntries(
        found.flatMap((one) =>
          one.raise ? [[one.raise.key.slice('server.'.length), one.raise.toBytes]] : [],
        ),
      );
      assert.deepEqual(obstaclesTo(bytes, { ...given, ...raised }, names, patterns), []);
    });
  }
});
