// Reads traces: recorded times and sizes, and every mistake in one with its line.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { parseTrace } from '../../../core/plan/trace.ts';

describe('a trace', () => {
  test('reads seconds and bytes, with or without column names, any line ends, empty lines', () => {
    const expected = {
      offsetUs: Float64Array.of(0, 250_000, 250_000),
      sizeBytes: Int32Array.of(1, 512, 3),
      timesAre: 'seconds since the first event',
    };
    assert.deepEqual(parseTrace('0,1\n0.25,512\n0.25,3', 't.csv'), expected);
    assert.deepEqual(parseTrace('Seconds, Bytes\r\n0 , 1\r\n\r\n0.250,512\r\n0.25,3\r\n', 't.csv'), expected);
  });

  const moments: [kind: string, text: string, timesAre: string][] = [
    ['seconds since 1970', '1767349800.5,1\n1767349800.75,2', 'seconds since 1970'],
    ['milliseconds since 1970', '1767349800500,1\n1767349800750,2', 'milliseconds since 1970'],
    ['microseconds since 1970', '1767349800500000,1\n1767349800750000,2', 'microseconds since 1970'],
    ['dates', '2026-01-02T10:30:00.5Z,1\n2026-01-02T10:30:00.75Z,2', 'dates'],
    [
      'dates of two zones, under column names',
      'timestamp,size\n2026-01-02 10:30:00.5,1\n2026-01-02T11:30:00.75+01:00,2',
      'dates',
    ],
  ];
  for (const [kind, text, timesAre] of moments) {
    test(`reads ${kind}, of which the first is the start`, () =>
      assert.deepEqual(parseTrace(text, 't.csv'), {
        offsetUs: Float64Array.of(0, 250_000),
        sizeBytes: Int32Array.of(1, 2),
        timesAre,
      }));
  }

  test('refuses moments of two kinds in one trace, naming both', () => {
    assert.throws(() => parseTrace('1767349800,1\n1767349801000,2', 't.csv'), {
      code: 'trace-invalid',
      message: 't.csv:2: the time is in milliseconds since 1970, and those above are in seconds since 1970',
    });
    assert.throws(() => parseTrace('5,1\n2026-01-02T10:30:00Z,2', 't.csv'), {
      message: 't.csv:2: the time is in dates, and those above are in seconds since the first event',
    });
  });

  const mistakes: [reads: string, text: string, message: string][] = [
    [
      'a line that is something else',
      '0,1\nsoon,big',
      't.csv:2: this is not a time, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'column names in the middle',
      '0,1\nseconds,bytes',
      't.csv:2: this is not a time, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time below zero',
      '-1,5\n1,5',
      't.csv:1: this is not a time, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time that goes back',
      '2,1\n1,1',
      't.csv:2: the time is earlier than in the line above; times must not go back',
    ],
    ['an empty body', '0,0', 't.csv:1: a body has 1 to 8,388,608 bytes, and this one has none'],
    [
      'a body that no buffer holds',
      '0,999999999999',
      't.csv:1: a body has 1 to 8,388,608 bytes, and this one has more',
    ],
    [
      'a time beyond any recording',
      `${'9'.repeat(400)},1`,
      't.csv:1: the time lies more than 31622400 s after the start',
    ],
    [
      'a file of another kind',
      'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:',
      't.csv is not a trace: none of its lines is a time, a comma and a size in bytes, ' +
        'such as "0.25,512"',
    ],
    ['a file without events', 'seconds,bytes\n', 't.csv: no events; write a line "seconds,bytes" for each'],
    [
      'several mistakes',
      'x\n0,1\ny',
      't.csv:1: this is not a time, a comma and a size in bytes, such as "0.25,512"\n' +
        't.csv:3: this is not a time, a comma and a size in bytes, such as "0.25,512"',
    ],
  ];
  for (const [reads, text, message] of mistakes) {
    test(`refuses ${reads}, naming the line`, () => {
      assert.throws(
        () => parseTrace(text, 't.csv'),
        (error) => error instanceof UserError && error.code === 'trace-invalid' && error.message === message,
      );
    });
  }

  test('refuses more events than can be planned', () => {
    assert.throws(() => parseTrace('0,1\n'.repeat(5), 't.csv', 4), {
      code: 'trace-invalid',
      message: 't.csv holds more than 4 events, the most that can be planned; use a part of it',
    });
    assert.equal(parseTrace('0,1\n'.repeat(4), 't.csv', 4).offsetUs.length, 4);
  });

  test('names ten bad lines and counts the rest', () => {
    assert.throws(
      () => parseTrace(`0,1\n${'x\n'.repeat(25)}`, 't.csv'),
      (error) =>
        error instanceof UserError &&
        error.message.split('\n').length === 11 &&
        error.message.endsWith('t.csv: and 15 more lines like these'),
    );
  });
});
