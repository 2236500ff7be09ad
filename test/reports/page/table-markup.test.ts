// Tests that a table says once, in its caption, what would be the same in every row, and that the titles of
// blocks cannot end the property that they stand in.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { plainTable, tableMarkup, type Head } from '../../../reports/page/table-markup.ts';

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

test('titles of blocks stand once, and nothing in them ends the string', () => {
  const heads = ['row', "it's 1 \\ 2", 'a "b" </div>\n;'];
  const { markup } = tableMarkup('Table', heads, [{ head: 'a', cells: ['1', '2'] }], 'blocks');
  const style = /style="([^"]*)"/.exec(markup)![1]!.replaceAll('&#39;', "'");
  assert.equal(style, "--c2:'it\\27 s 1 \\5c  2';--c3:'a \\22 b\\22  \\3c /div\\3e \\a ;';");
  assert.doesNotMatch(tableMarkup('Table', heads, []).markup, /style=/);
});
