// Tests that a table says once, in its caption, what would be the same in every row.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { plainTable, type Head } from '../../../reports/page/table-markup.ts';

const heads: Head[] = ['variant', { words: 'what' }, 'took', 'limit'];
const words = (rows: string[][]) => {
  const { markup } = plainTable(
    'Table',
    heads,
    rows.map(([head = '', ...cells]) => ({ head, cells })),
  );
  const caption = /<caption>\s*<span>(.*?)<\/span>/s.exec(markup)?.[1];
  return [caption, [...markup.matchAll(/<t[hd]\b[^>]*>(.*?)<\/t/g)].map(([, text]) => text).join(' ')];
};

test('a column with one value goes into the caption, and the others stay', () => {
  const rows = [
    ['a', 'frozen', '1 s', '20'],
    ['b', 'frozen', '2 s', '20'],
  ];
  assert.deepEqual(words(rows), [
    'Table. Equal in all rows: what (frozen); limit (20)',
    'variant took a 1 s b 2 s',
  ]);
});

test('a row by itself, or rows that are the same throughout, stay as they are', () => {
  for (const rows of [[['a', 'x', '1', '2']], ['a', 'b'].map((head) => [head, 'x', '1', '2'])])
    assert.deepEqual(words(rows)[0], 'Table');
});
