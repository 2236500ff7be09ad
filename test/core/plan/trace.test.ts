// Reads traces: recorded times and sizes, and every mistake in one with its line.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { parseTrace } from '../../../core/plan/schedule.ts';

describe('a trace', () => {
  test('reads seconds and bytes, with or without column names, any line ends, empty lines', () => {
    const expected = { offsetUs: Float64Array.of(0, 250_000, 250_000), sizeBytes: Int32Array.of(1, 512, 3) };
    assert.deepEqual(parseTrace('0,1\n0.25,512\n0.25,3', 't.csv'), expected);
    assert.deepEqual(parseTrace('Seconds, Bytes\r\n0 , 1\r\n\r\n0.250,512\r\n0.25,3\r\n', 't.csv'), expected);
  });

  const mistakes: [reads: string, text: string, message: string][] = [
    [
      'a line that is something else',
      '0,1\nsoon,big',
      't.csv:2: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'column names in the middle',
      '0,1\nseconds,bytes',
      't.csv:2: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time below zero',
      '-1,5\n1,5',
      't.csv:1: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time that goes back',
      '2,1\n1,1',
      't.csv:2: the time lies before that of the line above; times must not go back',
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
      't.csv is no trace: none of its lines is a time in seconds, ' +
        'a comma and a size in bytes, such as "0.25,512"',
    ],
    ['a file without events', 'seconds,bytes\n', 't.csv: no events; write a line "seconds,bytes" for each'],
    [
      'several mistakes',
      'x\n0,1\ny',
      't.csv:1: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"\n' +
        't.csv:3: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
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
