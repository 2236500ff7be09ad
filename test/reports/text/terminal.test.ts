// Holds what is printed to the width of the terminal: no word is broken, no figure is lost, and the table
// turns where it does not fit.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { wrapped } from '../../../reports/text/wrap.ts';
import { fixtureResult } from '../fixture.ts';

const result = fixtureResult({});
const words = (text: string) => new Set(text.split(/\s+/).filter((word) => word !== ''));

test('at 80 columns nothing is wider, no word is broken and no figure is missing', () => {
  const wide = renderTable([result], { columns: 400, color: false });
  const narrow = renderTable([result], { columns: 80, color: false });
  for (const line of narrow.split('\n')) assert.ok(line.length <= 80, line);
  assert.deepEqual(words(narrow), words(wide));
});

test('a table that does not fit is turned: a line for each metric, a column for each variant', () => {
  const { columns, rows } = resultTable([result]);
  const lines = renderTable([result], { columns: 80, color: false }).split('\n');
  for (const [i, { title }] of columns.entries()) {
    const figures = lines.filter((line) => line.startsWith(`${title}  `)).join(' ');
    for (const { cells } of rows) assert.ok(figures.includes(cells[i]!.text), `${title}: ${cells[i]!.text}`);
  }
});

test('a terminal that does not know its width is taken to be 120 wide', () => {
  const unknown = renderTable([result], { columns: 0, color: false });
  assert.equal(unknown, renderTable([result], { columns: 120, color: false }));
});

test('a figure is not parted from its unit', () => {
  assert.equal(wrapped('it took 12 ms, 99 % of it', 12), 'it took\n12 ms, 99 %\nof it');
});

test('colours take no room', () => {
  const plain = renderTable([result], { columns: 80, color: false });
  const colored = renderTable([result], { columns: 80, color: true });
  // oxlint-disable-next-line no-control-regex -- colours begin with one
  assert.equal(colored.replace(/\u001b\[\d+m/g, ''), plain);
});

test('whatever is wrapped keeps its words in their order, and its lines their indent', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z0-9,.]{1,12}$/), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 20, max: 60 }),
      (all, indent, columns) => {
        const lines = wrapped(' '.repeat(indent) + all.join(' '), columns).split('\n');
        assert.deepEqual(
          lines.flatMap((line) => line.trim().split(' ')),
          all,
        );
        for (const line of lines) {
          assert.ok(line.length <= columns, line);
          assert.equal(/^ */.exec(line)![0].length, indent);
        }
      },
    ),
  );
});
