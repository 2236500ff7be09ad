// Tests how a sentence begins: a capital, and patterns by their names.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { sentenceStart } from '../../../core/pattern/sentence.ts';

test('a pattern keeps the case of its name, and anything else gets a capital', () => {
  const all = [
    'sse, history=0 lost 3',
    'websocket',
    'long-polling was',
    'SSE',
    'sse-like',
    'missed',
    '3 s',
    '',
  ];
  assert.deepEqual(all.map(sentenceStart), [
    'SSE, history=0 lost 3',
    'WebSocket',
    'Long polling was',
    'SSE',
    'Sse-like',
    'Missed',
    '3 s',
    '',
  ]);
});
